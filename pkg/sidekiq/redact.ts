/** Names whose value is a secret, wherever they stand in a longer name (`stripe_api_key`, `X-Auth-Token`). */
const WITHIN =
  'pass(?:word|wd|phrase)|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|authorization|credential|signature|cookie|session[_-]?id|csrf';
/** Names that are secrets only as a whole word. */
const WHOLE = 'pass|auth|sig|pin|otp|cvv|cvc|ssn|jwt|iban';
/** JSON, Ruby before and since 3.4 (`"a"=>"x"`, `a: "x"`, `:a=>"x"`), queries and headers; quotes may be escaped. */
const SEPARATOR = String.raw`\\?["']?\s*(?:=>|[:=])\s*`;
const QUOTED = String.raw`(\\?["'])(?:(?!\3)(?:\\.|[^\\]))*(?:\3|$)`;
const PLAIN = String.raw`(?:(?:token|bearer|basic|digest|apikey)\s+)?(?:token=\\?["']?)?[^\s"',;&})\]]+`;

/** Each takes a time that grows with the text alone: repetitions are bounded or cannot overlap. */
const RULES: ReadonlyArray<readonly [pattern: RegExp, replacement: string | ((found: string) => string)]> = [
  [/(\w+:\/\/)[^\s/@]*@/g, '$1…@'],
  [
    new RegExp(
      String.raw`((?:[\w-]{0,40}(?:${WITHIN})[\w-]{0,40}|\b(?:${WHOLE})\b))(${SEPARATOR})(?:${QUOTED}|${PLAIN})`,
      'gi'
    ),
    '$1$2…',
  ],
  [/\b(bearer|basic)\s+[\w.~+/=-]{8,}/gi, '$1 …'],
  [/[\w.+-]+@[\w-]+\.[\w.-]+/g, '…@…'],
  [/[A-Za-z0-9_-]{24,}/g, (run) => (/\d/.test(run) && /[A-Za-z]/.test(run) ? '…' : run)],
  [/\b\d(?:[ -]?\d){11,18}\b/g, '…'],
];

const LONGEST = 500;
/** Longer than what is shown, so that nothing is cut in the middle of what a rule would have found. */
const LOOKED_AT = 4 * LONGEST;

/** An error message without what looks like a secret or a person: credentials, tokens, addresses, card numbers. */
export function redact(message: string): string {
  const text = RULES.reduce(
    (before, [pattern, replacement]) =>
      typeof replacement === 'string' ? before.replace(pattern, replacement) : before.replace(pattern, replacement),
    message.slice(0, LOOKED_AT)
  );
  return text.length > LONGEST || message.length > LOOKED_AT ? `${text.slice(0, LONGEST)}…` : text;
}
