import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { remembered } from '../../../pkg/sidekiq/remembered';

beforeEach(() => vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => vi.useRealTimers());

function counted() {
  const read = vi.fn((raw: string) => ({ raw }));
  return { read, reader: remembered(read) };
}

test('a text is read once, and the same value is given again', () => {
  const { read, reader } = counted();
  const first = reader('a');
  vi.advanceTimersByTime(29_000);
  expect(reader('a')).toBe(first);
  expect(read).toHaveBeenCalledTimes(1);
});

test('a value of null is remembered too', () => {
  const read = vi.fn(() => null);
  const reader = remembered(read);
  reader('broken');
  reader('broken');
  expect(read).toHaveBeenCalledTimes(1);
});

test('a text that is seen again and again is never read again', () => {
  const { read, reader } = counted();
  for (let beat = 0; beat < 100; beat += 1) {
    reader('process');
    reader(`job ${beat}`);
    vi.advanceTimersByTime(10_000);
  }
  expect(read.mock.calls.filter(([raw]) => raw === 'process')).toHaveLength(1);
});

test('a text that was not seen for two generations is forgotten', () => {
  const { read, reader } = counted();
  reader('gone');
  for (const other of ['b', 'c', 'd']) {
    vi.advanceTimersByTime(31_000);
    reader(other);
  }
  reader('gone');
  expect(read.mock.calls.map(([raw]) => raw)).toEqual(['gone', 'b', 'c', 'd', 'gone']);
});

test('texts of more than two generations are forgotten however fast they come, and long ones never kept', () => {
  const { read, reader } = counted();
  const text = (index: number) => String(index).padStart(16_000, 'x');
  reader('first');
  // 525 texts of 16,000 characters fill a generation of 8 MiB.
  for (let index = 0; index < 3 * 525; index += 1) {
    reader(text(index));
  }
  reader('first');
  reader('y'.repeat(20_000));
  reader('y'.repeat(20_000));
  expect(read.mock.calls.filter(([raw]) => raw === 'first')).toHaveLength(2);
  expect(read.mock.calls.filter(([raw]) => raw.startsWith('yy'))).toHaveLength(2);
});
