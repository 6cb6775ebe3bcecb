/** Names whose value is a secret, wherever they stand in a longer name (`stripe_api_key`, `X-Auth-Token`). */
const WITHIN =
  'pass(?:word|wd|phrase)|pwd|secret|token|(?:api|access|private|encryption|signing|master|licen[cs]e|account|storage|subscription)[ _-]?key|authorization|credential|signature|cookie|session[_-]?id|csrf';
/** Names that are secrets as a whole word, or as the last one of a name (`DB_PASS`). */
const LAST = 'pass|pw|auth|sig|jwt|salt';
/** Names that are secrets as a word of a name, wherever it stands (`otp_code`, `cvv2`). */
const WORD = 'pin|otp|cvv|cvc|ssn|iban';
/** Keys of anything, but for those that databases and programs speak of. */
const OTHER_KEYS = 'primary|foreign|public|cache|partition|sort|unique|composite|lookup|routing|idempotency|s3|object';
const KEYS = String.raw`(?<!\b(?:${OTHER_KEYS}))[_-]key`;
const CODES = '(?:security|verification|access|recovery|backup|confirmation|pass|one[_-]?time)[ _-]?codes?';
/** Names of counts and kinds of tokens, and words that only begin like a secret's name. */
const HARMLESS = String.raw`(?!(?:[a-z]{1,20}_){0,3}(?:max|min|prompt|completion|total|input|output|cached|reasoning)_tokens\b|[\w-]{0,40}token_(?:count|type|limit|expir\w{0,20})\b|(?:[a-z]{1,20}_)?tokens["']?\s*(?:=>|[:=])\s*\d{1,7}(?![\w.])|tokeniz|secretar|password_(?:required|changed|updated|expir))`;
/** Where a name begins: no constant within a path (`JWT::ExpiredSignature: …`), and no method that is spoken of. */
const BEGINS = String.raw`(?<![\w-]|::|method [\x60'‘])${HARMLESS}`;
/** A name whose value is a secret. */
const NAME = String.raw`${BEGINS}(?:[\w-]{0,60}(?:${WITHIN}|${CODES})[\w-]{0,40}|(?:[\w-]{0,60}[_-])?(?:(?:${LAST})|(?:${WORD})\d?(?:[_-]\w{0,40})?)(?![\w-])|[\w-]{0,60}${KEYS}(?![\w-]))`;
/** The same where the words of a name begin with capitals; told apart from others by them. */
const CAMEL = String.raw`${BEGINS}\w{0,60}(?:[a-z0-9](?:Pass|Pw|Auth|Sig|Jwt|Salt|(?:Pin|Otp|Cvv|Cvc|Ssn|Iban)\d?\w{0,40})|(?<!\b(?:primary|Primary|foreign|Foreign|public|Public|cache|Cache|partition|Partition|sort|Sort|unique|Unique|routing|object))(?<=[a-z0-9])Key|(?:pin|otp|cvv|cvc|ssn|iban)[A-Z]\w{0,40})(?![\w-])`;
/** A list or an object, which may hold another one, up to its end. */
const NESTED = String.raw`[\[{](?:[^[\]{}]|[[{][^[\]{}]*[\]}])*(?:[\]}]|$)`;
/** JSON, Ruby before and since 3.4 (`"a"=>"x"`, `a: "x"`, `:a=>"x"`), queries and headers; quotes may be escaped. */
const SEPARATOR = String.raw`\\{0,3}["']?(?:\]|\[\]|%5[bd]){0,4}\\{0,3}["']?\s*(?:[=-]>|:(?!:)|=)\s*(?:[|>][+-]?\s*\n\s*)?(?!(?:nil|null|none|undefined|true|false|yes|no|missing|enabled|disabled|required|not|invalid|expired)(?:[\s"',;&})\].]|$))`;
/** A text in quotes. @param group the number of the group within its pattern that holds the quote */
function quoted(group: number): string {
  const same = `\\${group}`;
  return String.raw`(\\{0,3}["'])(?:(?!${same})(?:\\.|[^\\]))*(?:${same}|$)`;
}
const PLAIN = String.raw`(?:(?:token|bearer|basic|digest|apikey)\s+)?(?:token=\\?["']?)?[^\s"',;&})\]]+`;

/** A rule for names of words, in whatever case they are written, and one for those of words that begin with capitals. */
function bothCases(patternOf: (name: string) => string, replacement: string): Array<readonly [RegExp, string]> {
  return [
    [new RegExp(patternOf(NAME), 'gi'), replacement],
    [new RegExp(patternOf(CAMEL), 'g'), replacement],
  ];
}

/** Each takes a time that grows with the text alone: repetitions are bounded or cannot overlap. */
const RULES: ReadonlyArray<readonly [pattern: RegExp, replacement: string | ((found: string) => string)]> = [
  // What databases repeat of a row: PostgreSQL, MySQL, SQL Server, MongoDB.
  // In any language PostgreSQL says (columns)=(values).
  [/(\)=\().*\)/gs, '$1…)'],
  [/\b(Failing row contains \().*/gs, '$1…)'],
  [/\b(Duplicate entry )'.*'/g, "$1'…'"],
  [/\b(duplicate key value is \().*\)/gi, '$1…)'],
  [/\b(dup key: )\{.*\}?/g, '$1{…}'],
  // What is said of a URL that cannot be read: by Ruby before 2.2 and since, by Addressable, by PostgreSQL's client. A part
  // of the password is taken for another component.
  [/(registry part:?\s*).*/gs, '$1…'],
  [/\b(bad component ?\(expected [^)]{0,80}\):?\s*).*/gs, '$1…'],
  [/\b(invalid port(?: number)?:\s*)(["'])(?:(?!\2).)*(?:\2|$)/gi, '$1…'],
  [/\b(invalid (?:integer )?value )(["'])(?:(?!\2).)*(?:\2|$)(?= for connection option)/gis, '$1…'],
  [/\b(missing "=" after )"[^"]*(?:"|$)/g, '$1…'],
  [
    /\b((?:(?:missing|extra) key\/value separator "=" in|invalid) URI query parameter: |invalid connection option |(?:invalid percent-encoded token|forbidden value %00 in percent-encoded value): )"[^\n]*/g,
    '$1…',
  ],
  // Redis repeats a command that it does not know with its arguments.
  [/\b(with args(?: beginning with)?:\s*).*/gs, '$1…'],
  // A header without quotes ends with its line.
  [/\b((?:set-)?cookie\s*:\s*)(?![\s"'\\])[^\n]+/gi, '$1…'],
  [/\b(authorization["']?\s*(?::(?!:)|=(?!>))\s*)(?![\s"'\\[{])(?:=\\?["'][^"'\n]*["']?|[^\n"'])+/gi, '$1…'],
  // What a mail server asks for, in base64 ("Password:").
  [/\b(334 UGFzc3dvcmQ6\s+)\S+/g, '$1…'],
  // SQL, and what is bound to it by name.
  [/\b(INSERT INTO\b[^\n]{0,500}?\bVALUES\s*\().*/gis, '$1…'],
  [/\b(identified by |password\()(["'])(?:(?!\2).)*(?:\2|$)/gi, '$1…'],
  [/(["']AUTH["'][,\s]\s*)(?:(["'])(?:(?!\2).)*\2[,\s]*){1,2}/gi, '$1…'],
  [new RegExp(String.raw`(\[\s*["']${NAME}["']\s*,\s*)(["'])(?:(?!\2).)*(?:\2|$)`, 'gi'), '$1…'],
  // Settings of Redis.
  [/\b(requirepass|masterauth|auth-pass \S{1,100})(["']?,?\s+)\S+/gi, '$1$2…'],
  [/\b(ACL SETUSER [^\n]{0,200}?[>#])\S+/gi, '$1…'],
  // Options of a command line.
  [/\b((?:sshpass|docker login|zip)\b[^\n]{0,100}?\s-[pP]\s*)\S+/g, '$1…'],
  [new RegExp(String.raw`(--[\w-]{0,40}(?:${WITHIN}|pass)[\w-]{0,40}(?:\s+|=))[^\s"']+`, 'gi'), '$1…'],
  [/(\s(?:-u\s*|--user\s+)[^\s:]{1,100}:)\S+/g, '$1…'],
  [/(\bredis-cli\b[^\n]{0,200}?\s-a\s+)\S+/g, '$1…'],
  [/(\b(?:mysql|mariadb)[\w-]{0,20}\b[^\n]{0,200}?[\s"']-p)\S+/g, '$1…'],
  // Addresses that are secrets themselves.
  [
    /\b(hooks\.slack\.com\/[a-z]{1,20}\/|discord(?:app)?\.com\/api\/(?:v\d+\/)?webhooks\/|api\.telegram\.org\/bot)[^\s"'<>]+/gi,
    '$1…',
  ],
  // Connection strings: a value ends at a semicolon, and may hold spaces.
  [/\b(pass(?:word|wd)?|pwd)(\s?=\s?)[^;"'=\n]{1,200}(?=;)/gi, '$1$2…'],
  // XML: an element, and a value whose name stands beside it; so of JSON.
  ...bothCases(
    (name) => String.raw`(<(?:[\w.-]{0,40}:)?${name}(?:\s[^<>]{0,200})?>)(?:[^<]+(?=<)|[^<\s][^<]*$)`,
    '$1…'
  ),
  [
    new RegExp(
      String.raw`((?:name|key)${SEPARATOR}\\?["']${NAME}\\?["'][,;\s]{1,10}\\?["':]?value${SEPARATOR})(?:${quoted(2)}|${PLAIN})`,
      'gi'
    ),
    '$1…',
  ],
  // Sent to Redis: a password, or a user and one.
  [
    /\b(AUTH\s+)(?!<|(?:failed|called|command|required|is|error|options?)\b)[^\s,;:)"']+(?:\s+(?!(?:failed|wrong|is|for|and|with|from|at|on|because|SETNAME|was)\b)[^\s,;:)"']+)?/g,
    '$1…',
  ],
  [/([?&](?:key|code)=)[^&\s"']+/gi, '$1…'],
  ...bothCases((name) => String.raw`(${name})(${SEPARATOR})(?:${quoted(3)}|${NESTED}|${PLAIN})`, '$1$2…'),
  [
    new RegExp(
      String.raw`\b([\w-]{0,40}(?:${WITHIN})[\w-]{0,40}\s+(?:(?:is|was|of|for)\s+)?)(\\?["'])(?:(?!\2).)*(?:\2|$)`,
      'gi'
    ),
    '$1…',
  ],
  // A word with a digit after the name of a secret, and numbers after those of codes.
  [
    /\b((?:pass(?:word|wd|phrase|code)?|pwd|secret|token|(?:api|secret|access|private)[ _-]?key|credentials?)\s+(?:(?:is|was|for \w{1,40}:)\s+)?)(?=[^\s\d]{0,100}\d)(?=[^A-Za-z\s]{0,100}[A-Za-z])[^\s"',;]{5,}/gi,
    '$1…',
  ],
  [/\b(key provided:\s+)[^\s"',;]+/gi, '$1…'],
  [
    /\b((?:PIN|OTP|CVV|CVC|SSN|(?:verification|security|access) code|one[- ]time password)\s+(?:(?:is|was)\s+)?)\d[\d-]{2,}/gi,
    '$1…',
  ],
  // Tokens that are known by their form.
  [
    /\b(?:(?:[spr]k_(?:live|test)|sk-(?:ant|proj)|gh[a-z]|github_pat|npm|whsec|shp[a-z]{2}|dop_v\d|xapp|xox[a-z]|gl[a-z]{3})[_-](?=[\w-]{0,100}\d|[A-Za-z]{16})[\w-]+|(?:hvs|ya29)\.[\w-]+|A[KS]IA[A-Z0-9]{8,}\w*|eyJ[\w-]{4,}\.[\w-]{4,}(?:\.[\w-]*)?)/g,
    '…',
  ],
  [/\b(bearer|basic)\s+[\w.~+/=-]{8,}/gi, '$1 …'],
  [/[\w.+-]+@(?!\d+x\.)[\w-]+(?:\.[\w-]+){0,8}\.[A-Za-z]{2,}\b/g, '…@…'],
  // A user and a password before a host of one label, where no URL was recognised; the end of a password in a host's name.
  [/[^\s"'`<>@…:(,;]{0,100}:[^\s"'`<>@…]{1,200}@(?=[\w[])/g, '…@'],
  [/[^\s"'`<>@…:(,;]{1,200}@(?=[\w.-]{1,100}:\d{2,5}\b|\/\/)/g, '…@'],
  [/\b(host(?: ?name)?:? \\?["']?|ENOTFOUND |lookup |connect(?:ion|ing)? to \\?["']?)[^\s"']{1,200}@/gi, '$1…@'],
  [/[A-Za-z0-9_-]{24,}/g, (run) => (/\d/.test(run) && /[A-Za-z]/.test(run) ? '…' : run)],
  // Not the milliseconds of an instant.
  [/\b(?!1\d{12}\b)\d(?:[ -]?\d){11,18}\b/g, '…'],
];

const LONGEST = 500;
/** Longer than what is shown, so that nothing is cut in the middle of what a rule would have found. */
const LOOKED_AT = 4 * LONGEST;

/** The beginning of what a URL says of its user, also where it is escaped. */
const AUTHORITY = /(?::|%3a)(?:\\?\/){2}|(?::|%3a)%2f%2f/i;
/** A password without a user, to which no `@` comes. */
const NO_USER = /(?::|%3a)(?:\\?\/|%2f){2}(?=(?::|%3a)[^\s"'])/i;
/** What stands in the place of a port and is none; told apart from a colon that ends a name by what the message is about. */
const NO_PORT = /(?::|%3a)(?:\\?\/|%2f){2}(?=[^\s/@"'[%:]{1,200}(?::|%3a)(?:[^\s"'\d]|\d{1,5}[^\W\d]|\d{6}))/i;
/** A URL of these has a user and no port there, whatever the message is about. */
const ABOUT_A_URL =
  /(?<![a-z])(?:UR[IL]s?\b|(?:rediss?|amqps?|postgres(?:ql)?|mysql2?|mariadb|mongodb(?:\+srv)?|s?ftp|smtps?|nats)(?::|%3a)(?:\\?\/|%2f))/i;
/** Up to the URL that a message is about, in quotes or after a colon: one that cannot be read may have no `://`. */
const URL_TOLD = /(?<![a-z])UR[IL]s?\b(?!::)(?:[^"'`:@=]{0,80}(?:[:=]\s*\\?["'`]?|\\?["'`]))?/i;
/** The same up to what stands in the place of a port and is none, where the URL has no `://`; a space ends a name before it. */
const TOLD_NO_PORT = /^(?!(?:[a-z][\w+.-]{0,20}:)?\\?\/\\?\/)[^\s@"'`]{0,200}?:(?=[^\s\d"'`/:])/i;
const SCHEME = /^(?:[a-z][\w+.-]{0,20}(?::|%3a))?(?:\\?\/|%2f){2}/i;
const PEM = /-----BEGIN [A-Z ]{1,40}-----/;
const PEM_ENDS = /-----END [A-Z ]{1,40}-----/g;

/** Where what a message tells as a URL begins; `null` where it tells of none. */
function toldFrom(text: string): number | null {
  const told = URL_TOLD.exec(text);
  return told && told.index + told[0].length;
}

/** Where a URL's user begins; `null` where the text has no URL. */
function userBegins(text: string): number | null {
  const authority = AUTHORITY.exec(text);
  const afterAuthority = authority && authority.index + authority[0].length;
  const from = toldFrom(text);
  if (from === null) {
    return afterAuthority;
  }
  const afterTold = from + (SCHEME.exec(text.slice(from, from + 30))?.[0].length ?? 0);
  return afterAuthority === null ? afterTold : Math.min(afterAuthority, afterTold);
}

/** Up to a password to which no `@` comes; `null` where there is none. */
function upToUnended(text: string): number | null {
  const found = NO_USER.exec(text) ?? (ABOUT_A_URL.test(text) ? NO_PORT.exec(text) : null);
  const from = toldFrom(text);
  const told = from === null ? null : TOLD_NO_PORT.exec(text.slice(from, from + 300));
  // One may stand within a password.
  const ends = [found && found.index + found[0].length, told && from! + told[0].length].filter((end) => end !== null);
  return ends.length === 0 ? null : Math.min(...ends);
}

const AT = /@|%40/g;

function lastAt(text: string): number {
  return Math.max(text.lastIndexOf('@'), text.lastIndexOf('%40'));
}

/**
 * A text without the credentials of URLs: nothing between `://` and the last `@` after it is left. In a message about a URL
 * that is so from the beginning of what it tells as one. Where a password ends cannot be told from the text, for messages
 * quote just those URLs that nobody can read (a `/`, `#`, `@` or a space in the password), so of several URLs only the end of
 * the last one is left. Without an `@` nothing is left behind a password.
 */
export function withoutCredentials(text: string): string {
  const from = userBegins(text);
  if (from === null) {
    return text;
  }
  const at = lastAt(text);
  if (at >= from) {
    return `${text.slice(0, from)}…${text.slice(at)}`;
  }
  const unended = upToUnended(text);
  return unended === null ? text : `${text.slice(0, unended)}…`;
}

/** Keys and certificates are left out whole, also one that is cut. */
function withoutKeys(text: string): string {
  const begins = PEM.exec(text);
  if (!begins) {
    return text;
  }
  const end = [...text.matchAll(PEM_ENDS)].at(-1);
  const rest = end && end.index > begins.index ? text.slice(end.index + end[0].length) : '';
  return `${text.slice(0, begins.index)}…${rest}`;
}

/** What all rules leave of a text that is not too long. */
function masked(text: string): string {
  return RULES.reduce(
    (before, [pattern, replacement]) =>
      typeof replacement === 'string' ? before.replace(pattern, replacement) : before.replace(pattern, replacement),
    text
  );
}

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}

/**
 * As {@link withoutCredentials}, where the last `@` may stand in a secret that is none of a URL: what is left behind it is told
 * by the whole text, in which the name of that secret still stands.
 */
function withoutCredentialsOrRest(text: string): string {
  const from = userBegins(text);
  if (from === null || lastAt(text) < from) {
    return withoutCredentials(text);
  }
  const begin = text.slice(0, from);
  if (lastAt(text) >= LOOKED_AT) {
    return `${begin}…`;
  }
  const known = masked(text.slice(0, LOOKED_AT));
  if (count(known, AT) === count(text.slice(0, LOOKED_AT), AT)) {
    return withoutCredentials(text);
  }
  // What lies behind may belong to a secret whose name is no longer there.
  const cut = text.length > LOOKED_AT ? '…' : '';
  return `${begin}…${known.slice(Math.max(lastAt(known), known.lastIndexOf('…') + 1))}${cut}`;
}

/** An error message without what looks like a secret or a person: credentials, tokens, addresses, card numbers. */
export function redact(message: string): string {
  // Before anything is cut: what ends a URL or a key may stand far behind.
  const whole = withoutKeys(withoutCredentialsOrRest(withoutKeys(message)));
  const text = masked(whole.slice(0, LOOKED_AT));
  return text.length > LONGEST || whole.length > LOOKED_AT ? `${text.slice(0, LONGEST)}…` : text;
}
