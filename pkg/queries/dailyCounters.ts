import type { Frame } from '../frames/frame';
import { redisFault } from '../redis/faults';
import { command } from '../redis/readOnlyRedis';
import { keys } from '../sidekiq/keys';
import type { QueryContext } from './context';

const SECONDS_PER_DAY = 86_400;
/** Sidekiq keeps its daily counters for five years. */
const LONGEST_DAYS = 5 * 365;

/** Jobs processed and failed per UTC day of the range, as Sidekiq itself counted them; a missing day is 0. */
export async function dailyFrames({ range, redis, signal }: QueryContext): Promise<Frame[]> {
  const last = Math.floor(range.to / SECONDS_PER_DAY);
  const first = Math.max(Math.floor(range.from / SECONDS_PER_DAY), last - LONGEST_DAYS + 1);
  const days = Array.from({ length: last - first + 1 }, (_, index) => (first + index) * SECONDS_PER_DAY);
  const { replies } = await redis.batch(
    days.flatMap((day) => [command('get', keys.processedOn(day)), command('get', keys.failedOn(day))]),
    signal
  );
  const refused = replies.find(({ error }) => error)?.error;
  if (refused) {
    throw redisFault(refused, redis.address);
  }
  const counts = (offset: number) => days.map((_, index) => Number(replies[2 * index + offset]?.value ?? 0));
  const time = {
    name: 'time',
    kind: 'time' as const,
    values: days.map((day) => day * 1000),
    config: { displayName: 'Day', interval: SECONDS_PER_DAY * 1000 },
  };
  return [
    {
      name: 'history',
      fields: [
        time,
        {
          name: 'processed',
          kind: 'number',
          values: counts(0),
          config: {
            displayName: 'Processed',
            unit: 'short',
            description: 'Jobs finished on the UTC day, failures included.',
          },
        },
        {
          name: 'failed',
          kind: 'number',
          values: counts(1),
          config: { displayName: 'Failed', unit: 'short', description: 'Executions that raised on the UTC day.' },
        },
      ],
      meta: { type: 'timeseries-wide', typeVersion: [0, 1], preferredVisualisationType: 'graph' },
    },
  ];
}
