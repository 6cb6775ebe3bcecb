/** A piece of text that a rule has matched. Pieces without a name only hold others. */
export interface Piece {
  readonly name: string;
  readonly text: string;
  readonly parts: readonly Piece[];
}

/** A text and how far it has been read. */
interface Reading {
  readonly text: string;
  at: number;
}

/** Matches at the place of the reading and moves it on, or gives `null` and leaves it. */
export type Rule = (reading: Reading) => Piece | null;

/** A regular expression at this place. It always matches in the same way, so that rules need no way back. */
export function text(name: string, expression: RegExp): Rule {
  const sticky = new RegExp(expression.source, `${expression.flags.replace(/[gy]/g, '')}y`);
  return (reading) => {
    sticky.lastIndex = reading.at;
    const found = sticky.exec(reading.text);
    if (!found) {
      return null;
    }
    reading.at += found[0].length;
    return { name, text: found[0], parts: [] };
  };
}

/** Rules one after the other. */
export function sequence(name: string, ...rules: readonly Rule[]): Rule {
  return (reading) => {
    const start = reading.at;
    const parts: Piece[] = [];
    for (const rule of rules) {
      const part = rule(reading);
      if (!part) {
        reading.at = start;
        return null;
      }
      parts.push(part);
    }
    return { name, text: reading.text.slice(start, reading.at), parts };
  };
}

/** The first of several rules that matches. */
export function either(name: string, ...rules: readonly Rule[]): Rule {
  return (reading) => {
    for (const rule of rules) {
      const part = rule(reading);
      if (part) {
        return { name, text: part.text, parts: [part] };
      }
    }
    return null;
  };
}

/** Matches nothing where the rule does not match. */
export function optional(rule: Rule): Rule {
  return (reading) => rule(reading) ?? { name: '', text: '', parts: [] };
}

/** A rule as often as it matches. @param least times that it must match */
export function repeated(rule: Rule, least = 0): Rule {
  return (reading) => {
    const start = reading.at;
    const parts: Piece[] = [];
    for (let part = rule(reading); part && part.text !== ''; part = rule(reading)) {
      parts.push(part);
    }
    if (parts.length < least) {
      reading.at = start;
      return null;
    }
    return { name: '', text: reading.text.slice(start, reading.at), parts };
  };
}

/** Elements with a separator between; one that no element follows is left. */
export function list(name: string, element: Rule, separator: Rule): Rule {
  return (reading) => {
    const start = reading.at;
    const parts: Piece[] = [];
    let end = start;
    for (let part = element(reading); part; part = separator(reading) && element(reading)) {
      parts.push(part);
      end = reading.at;
    }
    reading.at = end;
    return parts.length === 0 ? null : { name, text: reading.text.slice(start, reading.at), parts };
  };
}

/** A text without the blanks at both ends, as Ruby's `strip` has it. */
export function strip(whole: string): string {
  return whole.replace(/^[\0\t\n\v\f\r ]+|[\0\t\n\v\f\r ]+$/g, '');
}

/** Reads a whole text; `null` where the rule does not match all of it. */
export function readWhole(rule: Rule, whole: string): Piece | null {
  const reading = { text: whole, at: 0 };
  const piece = rule(reading);
  return piece && reading.at === whole.length ? piece : null;
}

/** The nearest pieces with a name, within a piece: those of one name, or of any. */
export function named(piece: Piece, name?: string): Piece[] {
  return piece.parts.flatMap((part) =>
    part.name !== '' && (name === undefined || part.name === name) ? [part] : named(part, name)
  );
}

/** The first of them. */
export function firstNamed(piece: Piece, name?: string): Piece | undefined {
  return named(piece, name)[0];
}
