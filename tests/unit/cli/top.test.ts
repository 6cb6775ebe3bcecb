import { expect, test } from 'vitest';
import { onScreen } from '../../../pkg/cli/top';

const CLEAR = '\x1b[2J\x1b[H';
const view = ['Processed   Failed', '        1        2', '', 'Queue', 'a', 'b', 'Every 2 s'].join('\n');

test('a view that fits is shown as it is', () => {
  expect(onScreen(view, { columns: 80, rows: 24 })).toBe(CLEAR + view);
});

test('a longer one keeps its first lines and the last, and no line wraps', () => {
  const shown = onScreen(view, { columns: 9, rows: 4 }).slice(CLEAR.length).split('\n');
  expect(shown).toEqual(['Processed', '        1', 'Every 2 s']);
});
