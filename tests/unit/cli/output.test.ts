import { expect, test } from 'vitest';
import { printFrames } from '../../../pkg/cli/output';
import type { Frame } from '../../../pkg/frames/frame';

const frame = (values: number[]): Frame => ({
  name: 'queues',
  fields: [{ name: 'size', kind: 'number', values, config: { displayName: 'Size' } }],
});

test('a table without rows says so below its titles', () => {
  expect(printFrames([frame([])])).toBe(' Size \n No rows.\n');
  expect(printFrames([frame([3])])).toBe(' Size \n    3 \n');
});
