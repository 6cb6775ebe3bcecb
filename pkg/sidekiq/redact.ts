const RULES: ReadonlyArray<readonly [pattern: RegExp, replacement: string]> = [
  [/(\w+:\/\/)[^\s/@:]+:[^\s/@]+@/g, '$1…@'],
  [/\b(bearer|basic)\s+[\w.~+/=-]{8,}/gi, '$1 …'],
  [
    /\b([\w-]*(?:password|passwd|secret|token|api[_-]?key|authorization|signature)[\w-]*)(["']?\s*[:=]\s*["']?)[^\s"',;&}]+/gi,
    '$1$2…',
  ],
  [/[\w.+-]+@[\w-]+\.[\w.-]+/g, '…@…'],
  [/\b[A-Za-z0-9_-]*(?=[A-Za-z0-9_-]*\d)(?=[A-Za-z0-9_-]*[A-Za-z])[A-Za-z0-9_-]{24,}\b/g, '…'],
  [/\b\d(?:[ -]?\d){11,18}\b/g, '…'],
];

const LONGEST = 500;

/** An error message without what looks like a secret or a person: credentials, tokens, addresses, card numbers. */
export function redact(message: string): string {
  const cut = message.length > LONGEST ? `${message.slice(0, LONGEST)}…` : message;
  return RULES.reduce((text, [pattern, replacement]) => text.replace(pattern, replacement), cut);
}
