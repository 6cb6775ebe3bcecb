import { RE2JS } from 're2js';

/**
 * Regular expressions in RE2's syntax, as Prometheus has them: the time they take grows with the text alone, so that no
 * pattern of a user can stop the process.
 *
 * @throws Error with what is wrong with the pattern
 */
export const pattern = {
  /** Tests whether a text contains a match. */
  contains(source: string): (text: string) => boolean {
    const compiled = RE2JS.compile(source);
    return (text) => compiled.matcher(text).find();
  },
  /** Tests whether the whole text matches. */
  matchesWhole(source: string): (text: string) => boolean {
    const compiled = RE2JS.compile(source, RE2JS.DOTALL);
    return (text) => compiled.matcher(text).matches();
  },
};
