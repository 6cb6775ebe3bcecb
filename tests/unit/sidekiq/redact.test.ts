import { expect, test } from 'vitest';
import { redact } from '../../../pkg/sidekiq/redact';

test.each([
  ['connect redis://user:hunter2@host failed', 'connect redis://…@host failed'],
  ['Authorization: Bearer eyJhbGciOi.abc_def', 'Authorization: … …'],
  ['invalid api_key=sk_live_123', 'invalid api_key=…'],
  ['no user ada@example.com', 'no user …@…'],
  ['card 4242 4242 4242 4242 declined', 'card … declined'],
  ['token 9f8e7d6c5b4a39281706f5e4d3c2b1a0 expired', 'token … expired'],
  ["Couldn't find Invoice with 'id'=81234", "Couldn't find Invoice with 'id'=81234"],
  ['Net::ReadTimeout with #<TCPSocket:(closed)>', 'Net::ReadTimeout with #<TCPSocket:(closed)>'],
])('%o is shown as %o', (message, shown) => {
  expect(redact(message)).toBe(shown);
});

test('a long message is cut', () => {
  expect(redact('word '.repeat(500)).length).toBeLessThanOrEqual(501);
});
