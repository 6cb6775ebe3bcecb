/**
 * What a terminal takes for a command (C0 and C1 controls, DEL), what turns the order of a line (bidirectional controls), or
 * what nobody sees (of no width), as names in Redis may hold them: whoever can enqueue a job could otherwise change what an
 * operator sees.
 */
const CONTROLS = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]/g;

/** A text for a terminal, in which controls are written as `\x1b`; lines stay. */
export function printable(text: string): string {
  return text.replace(CONTROLS, (control) => {
    const code = control.charCodeAt(0).toString(16);
    return code.length > 2 ? `\\u${code}` : `\\x${code.padStart(2, '0')}`;
  });
}

/** A text for a terminal, on one line. */
export function oneLine(text: string): string {
  return printable(text.replace(/\r?\n/g, ' '));
}
