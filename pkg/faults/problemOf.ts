import type { z } from 'zod';

/** How the messages begin that a schema does not give itself. */
const OF_ZOD = /^(Too |Invalid |Unrecognized )/;

const KINDS: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};

/** Of what a text or a list has a number. */
const HAVE: Readonly<Record<string, string>> = { string: ' characters', array: ' entries' };

/** Where a value does not fit its schema first, and why as the end of a sentence of plain words. */
export function problemOf({ issues }: z.ZodError): { path: PropertyKey[]; reason: string } {
  const [issue] = issues;
  return issue ? { path: issue.path, reason: reasonOf(issue) } : { path: [], reason: 'it cannot be read' };
}

function reasonOf(issue: z.core.$ZodIssue): string {
  if (!OF_ZOD.test(issue.message)) {
    return issue.message;
  }
  switch (issue.code) {
    case 'too_small':
      return issue.origin === 'string' && Number(issue.minimum) === 1
        ? 'it must not be empty'
        : `it must ${HAVE[issue.origin] ? 'have' : 'be'} ${issue.inclusive ? 'at least' : 'more than'} ${issue.minimum}${HAVE[issue.origin] ?? ''}`;
    case 'too_big':
      return `it must ${HAVE[issue.origin] ? 'have' : 'be'} ${issue.inclusive ? 'at most' : 'less than'} ${issue.maximum}${HAVE[issue.origin] ?? ''}`;
    case 'invalid_type':
      // The message is the only place that tells a missing value from one of another type.
      return issue.message.endsWith('received undefined')
        ? 'it is missing'
        : `it must be ${KINDS[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return `it must be one of ${issue.values.map(String).join(', ')}`;
    case 'unrecognized_keys':
      return `there is no field ${issue.keys.map((key) => `"${key}"`).join(', ')}`;
    default:
      return 'it cannot be read';
  }
}
