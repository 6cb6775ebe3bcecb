/** A change that no table test noticed. */
export interface Survivor {
  path: string;
  line: number;
  mutator: string;
  original: string;
  replacement: string;
  covered: boolean;
}

interface Reason {
  code: string;
  text: string;
  fits(survivor: Survivor): boolean;
}

const isSentence = (text: string) => /[A-Za-z]{2,}.* .*[A-Za-z]/.test(text);
const isLimit = ({ mutator, original, replacement }: Survivor) =>
  mutator === 'EqualityOperator' && /[<>]/.test(original) && /[<>]/.test(replacement);

/** Why a survivor stays, the first that fits. What fits none is a gap. */
const REASONS: readonly Reason[] = [
  {
    code: 'E',
    text: 'Covered elsewhere: by a property test over any bytes, a simulated month, or a test on a real server, which take too long for a run per change.',
    fits: ({ path, covered }) =>
      !covered ||
      /sidekiq\/(name|remembered|pages)\.ts$|series\/(sqliteStore|sqliteDatabase|memoryStore)\.ts$|observe\/classTotals\.ts$/.test(
        path
      ),
  },
  {
    code: 'W',
    text: 'Words of a message: tests look for its decisive part, or read it in the reference pages.',
    fits: ({ mutator, original }) => mutator === 'StringLiteral' && (isSentence(original) || original.startsWith('`')),
  },
  {
    code: 'K',
    text: 'Kind or severity of a message, the name of a field of an error, or the separator of a key that is only compared.',
    fits: ({ mutator, original }) => mutator === 'StringLiteral' && original.length <= 16,
  },
  {
    code: 'L',
    text: 'The limit itself: exactly there both answers are right.',
    fits: (survivor) => isLimit(survivor),
  },
  {
    code: 'T',
    text: 'A case that the types or the caller rule out, kept for the compiler.',
    fits: ({ mutator, original }) => mutator === 'OptionalChaining' || original.includes('??'),
  },
  {
    code: 'G',
    text: 'A guard or a short cut: what it leaves out comes to the same result, with more work or a null that the next step handles.',
    fits: ({ mutator }) =>
      ['ConditionalExpression', 'BlockStatement', 'LogicalOperator', 'BooleanLiteral'].includes(mutator),
  },
  {
    code: 'B',
    text: 'A bound on the length of a text or a list, or an empty list where nothing follows.',
    fits: ({ mutator, original }) =>
      mutator === 'ArrayDeclaration' || (mutator === 'MethodExpression' && /slice|min|max|filter/i.test(original)),
  },
  {
    code: 'P',
    text: 'A form of input that the pattern lets through and the next step refuses.',
    fits: ({ mutator }) => mutator === 'Regex',
  },
];

/** The code of the reason, or `?` for a gap in the tests. */
export function reasonOf(survivor: Survivor): string {
  return REASONS.find(({ fits }) => fits(survivor))?.code ?? '?';
}

/** Every code with its meaning. */
export const REASON_TEXTS: ReadonlyArray<readonly [code: string, text: string]> = [
  ...REASONS.map(({ code, text }) => [code, text] as const),
  ['?', 'A gap: a test that notices it is missing.'],
];
