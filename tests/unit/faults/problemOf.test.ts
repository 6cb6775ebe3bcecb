import { expect, test } from 'vitest';
import { z } from 'zod';
import { problemOf } from '../../../pkg/faults/problemOf';

test.each([
  [z.number().min(1), 0, 'it must be at least 1'],
  [z.number().positive(), 0, 'it must be more than 0'],
  [z.number().max(5), 6, 'it must be at most 5'],
  [z.number().int(), 1.5, 'it must be a whole number'],
  [z.array(z.string()).max(2), ['a', 'b', 'c'], 'it must have at most 2 entries'],
  [z.string().max(2), 'abc', 'it must have at most 2 characters'],
  [z.string().min(1), '', 'it must not be empty'],
  [z.enum(['a', 'b']), 'c', 'it must be one of a, b'],
  [z.number(), undefined, 'it is missing'],
  [z.record(z.string(), z.number()), [], 'it must be an object'],
  [z.strictObject({}), { channel: 1, b: 2 }, 'there is no field "channel", "b"'],
  [z.union([z.string(), z.number()]), null, 'it cannot be read'],
  [z.boolean(), 'yes', 'it must be true or false'],
  [z.string().min(1, 'a cadence needs a job class'), '', 'a cadence needs a job class'],
])('a value that does not fit is refused in plain words: %#', (schema, value, reason) => {
  expect(problemOf(schema.safeParse(value).error!).reason).toBe(reason);
});
