import { expect, test } from 'vitest';
import { printFrames } from '../../pkg/cli/output';
import { oneLine, printable } from '../../pkg/printable';
import fc from '../support/fastCheck';

test.each([
  ['A\u001b]0;pwn\u0007', 'A\\x1b]0;pwn\\x07'],
  ['k\u001b[2J', 'k\\x1b[2J'],
  ['c1\u009b31m', 'c1\\x9b31m'],
  ['a\rb\u0008\u007f', 'a\\x0db\\x08\\x7f'],
  ['gpj.\u202eexe', 'gpj.\\u202eexe'],
  ['Größe 🚀 two\nlines', 'Größe 🚀 two\nlines'],
])('%j is written as %j', (text, written) => {
  expect(printable(text)).toBe(written);
});

test('no text reaches the terminal with a control, whatever a name holds', () => {
  const name = fc.string({ unit: 'binary' });
  fc.assert(
    fc.property(name, name, (value, told) => {
      const frame = {
        name: 'x',
        fields: [{ name: 'class', kind: 'string' as const, values: [value] }],
        meta: { notices: [{ severity: 'info' as const, text: told }] },
      };
      // Those of the table itself are line ends.
      expect(printFrames([frame])).not.toMatch(/[^\P{Cc}\n]/u);
      expect(oneLine(told)).not.toMatch(/\p{Cc}/u);
    })
  );
});
