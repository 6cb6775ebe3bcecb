import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Installation } from '../../../pkg/installation/installation';
import { Feed } from '../../../pkg/web/feed';

vi.mock('../../../pkg/web/pageData', () => ({ pageData: async () => ({ figures: 'x'.repeat(1000) }) }));

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A reader; one that stalls takes nothing off its connection. */
class Reader extends EventEmitter {
  readonly written: string[] = [];
  destroyed = false;

  constructor(private readonly stalls: boolean) {
    super();
  }

  get writableNeedDrain(): boolean {
    return this.stalls && this.written.length > 0;
  }

  writeHead(): void {}

  write(data: string): void {
    this.written.push(data);
  }

  end(): void {}

  destroy(): void {
    this.destroyed = true;
    this.emit('close');
  }
}

test('a reader that stalls holds one message, and is dropped after a minute; the others go on', async () => {
  const feed = new Feed({} as Installation);
  const [reading, stalled] = [new Reader(false), new Reader(true)];
  for (const reader of [reading, stalled]) {
    expect(feed.watch(reader as unknown as ServerResponse)).toBe(true);
  }
  for (let seconds = 0; seconds < 90; seconds += 5) {
    await vi.advanceTimersByTimeAsync(5000);
  }
  expect(reading.written.length).toBeGreaterThan(10);
  expect(stalled.written.length).toBe(1);
  expect(stalled.destroyed).toBe(true);
  expect(reading.destroyed).toBe(false);
  feed.close();
});
