import { RE2JS } from 're2js';

/** The time of a match grows with the pattern too. Grafana writes the chosen values of a variable as alternatives. */
const LONGEST_PATTERN = 4000;

/**
 * Regular expressions in RE2's syntax, as Prometheus has them: the time they take grows with the text alone, so that no
 * pattern of a user can stop the process.
 *
 * @throws Error with what is wrong with the pattern
 */
export const pattern = {
  /** Tests whether a text contains a match. */
  contains(source: string): (text: string) => boolean {
    const compiled = compile(source);
    return (text) => compiled.matcher(text).find();
  },
  /** Tests whether the whole text matches. */
  matchesWhole(source: string): (text: string) => boolean {
    const compiled = compile(source, RE2JS.DOTALL);
    return (text) => compiled.matcher(text).matches();
  },
};

function compile(source: string, flags = 0): RE2JS {
  if (source.length > LONGEST_PATTERN) {
    throw new Error(`it is longer than ${LONGEST_PATTERN.toLocaleString('en')} characters`);
  }
  return RE2JS.compile(source, flags);
}
