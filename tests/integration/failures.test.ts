import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { openRedis } from '../../pkg/redis/client';
import { parseSettings } from '../../pkg/settings/settings';
import { Failures, type FailuresRead } from '../../pkg/sidekiq/browse/failures';
import { startRedis, type RedisServer } from '../support/redisServer';
import fc, { runs } from '../support/fastCheck';

/** What is kept of a set from one reading to the next, beside the set as Redis holds it. */
let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

const NOW = 1_750_000_000;

/** Entries by class, so that one that is missing, doubled or taken for another shows. */
async function held(set: 'retry' | 'dead'): Promise<string[]> {
  const entries = await redis.client.zrange(set, '0', '-1');
  return entries.map((raw) => (JSON.parse(raw) as { class: string }).class).sort();
}
const shown = ({ failures }: FailuresRead): string[] => failures.map((failure) => failure.class).sort();

const change = fc.record({
  kind: fc.constantFrom('add' as const, 'remove' as const, 'replace' as const, 'later' as const),
  // Of one part or of several, and with scores that many entries share.
  count: fc.constantFrom(1, 3, 40, 300),
  from: fc.integer({ min: 0, max: 400 }),
  spread: fc.constantFrom(1, 7, 1000),
});

test.each(['retry', 'dead'] as const)(
  'what is kept of the set %s is what a full reading gives, whatever changes',
  async (set) => {
    let now = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => now);
    let named = 0;
    const scoreOf = (index: number, spread: number) => NOW + 1000 + Math.floor((index * 7919) % spread);
    const add = async (count: number, spread: number) => {
      const pairs = Array.from({ length: count }, (_, index) => {
        named += 1;
        return [scoreOf(index, spread), JSON.stringify({ class: `C${named}`, jid: String(named), args: [] })];
      });
      await redis.client.zadd(set, ...(pairs.flat() as string[]));
    };
    const reader = openRedis(parseSettings({ url: redis.url }));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 6 }), async (changes) => {
        await redis.client.flushall();
        await add(700, 500);
        const kept = new Failures(set);
        const read = (failures: Failures) => {
          now += 2000;
          return failures.read(reader, NOW);
        };
        await read(kept);
        for (const { kind, count, from, spread } of changes) {
          const found = await redis.client.zrange(set, String(from), String(from + count - 1));
          if (kind !== 'add' && found.length > 0) {
            await redis.client.zrem(set, ...found);
          }
          if (kind === 'later' && found.length > 0) {
            await redis.client.zadd(set, ...found.flatMap((raw, index) => [scoreOf(index, 3000), raw]));
          } else if (kind === 'add' || kind === 'replace') {
            await add(count, spread);
          }
          const { looked, total } = await read(kept);
          expect({ looked, total }).toEqual({ looked: total, total: await redis.client.zcard(set) });
        }
        // A part whose number did not change is read anew in its turn, one at each reading.
        for (let turn = 0; turn < 12; turn += 1) {
          await read(kept);
        }
        const after = shown(await read(kept));
        expect(after).toEqual(await held(set));
        expect(shown(await read(new Failures(set)))).toEqual(after);
      }),
      { numRuns: runs(25) }
    );
    reader.close();
    vi.restoreAllMocks();
  }
);
