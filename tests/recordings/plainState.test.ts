import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openReplay } from '../../pkg/recording/openReplay';
import { optionsSchema } from '../../pkg/settings/model';

/** Forty minutes of a real Sidekiq 7.3.10 with trouble in it, so that nearly every part holds something. */
const FILE = join(__dirname, 'data/incident-7.3.10.rec');
const AT = Date.UTC(2026, 10, 27, 23, 58) / 1000;

/** Where a value holds what JSON cannot carry: anything but its own values, Map and Set. */
function strange(value: unknown, path: string): string[] {
  if (value === undefined || value === null || typeof value === 'string' || typeof value === 'boolean') {
    return [];
  }
  if (typeof value === 'number') {
    return Number.isFinite(value) ? [] : [`${path}: ${value}`];
  }
  if (Array.isArray(value)) {
    return value.flatMap((each, index) => strange(each, `${path}[${index}]`));
  }
  if (value instanceof Map) {
    return [...value].flatMap(([key, each]) => [
      ...strange(key, `${path} key`),
      ...strange(each, `${path}.${String(key)}`),
    ]);
  }
  if (value instanceof Set) {
    return [...value].flatMap((each) => strange(each, `${path} item`));
  }
  if (typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype) {
    return Object.entries(value).flatMap(([name, each]) => strange(each, `${path}.${name}`));
  }
  return [`${path}: ${typeof value} ${value.constructor?.name ?? ''}`];
}

test('a state and its snapshot hold nothing that JSON cannot carry, apart from Map and Set', async () => {
  const { source, close } = await openReplay(FILE, optionsSchema.parse({ preset: 'lago' }), { speed: 0 });
  for (const state of [await source.state(), await source.state(AT)]) {
    expect(state.queues.length).toBeGreaterThan(0);
    expect(state.findingLog.ended.length + state.findingLog.open.length).toBeGreaterThan(0);
    // What DogStatsD has sent is not recorded: the state leads to the receiver.
    const { statsd: _, ...plain } = state;
    expect(strange(plain, 'state')).toEqual([]);
  }
  close();
});
