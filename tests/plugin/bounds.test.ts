import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { QUERY_TYPES } from '../../pkg/queries/registry';
import { parseExposition } from '../support/exposition';
import { writeFleet } from '../support/fleet';
import { dataQuery, pluginContext, queryData, readArrow, startPlugin, type RunningPlugin } from '../support/plugin';
import { startRedis, type RedisServer } from '../support/redisServer';

let redis: RedisServer;
let plugin: RunningPlugin;

beforeAll(async () => {
  redis = await startRedis();
  await writeFleet(redis.client, 5, 3, 2);
  plugin = await startPlugin();
});
afterAll(async () => {
  plugin.stop();
  await redis.stop();
});

const ask = (queries: object[], context = pluginContext(redis.url)) => queryData(plugin, context, queries);

const YEAR_1970 = 0;
const YEAR_2100 = 4_102_444_800_000;
const MOST_ROWS = 11_000;

describe('whatever range and interval a caller sends', () => {
  const ranges: Array<[from: number, to: number]> = [
    [YEAR_1970, YEAR_2100],
    [YEAR_2100, YEAR_1970],
    [-9e15, 9e15],
    [9e15, -9e15],
    [0, 0],
  ];
  const intervals = [1, 1000, 0, -1000, 9e15];
  const points = [100, 0, -1, 9e15];
  const MODELS: object[] = [
    ...QUERY_TYPES.map(({ id }) => ({ queryType: id })),
    { queryType: 'history', by: 'queue' },
    { queryType: 'history', by: 'day' },
    { queryType: 'job_metrics', show: 'series' },
    { queryType: 'job_metrics', show: 'heatmap' },
  ];

  test.each(MODELS)('%o is answered within bounds, or refused in a sentence', async (model) => {
    const queries = ranges.flatMap(([fromEpochMS, toEpochMS], range) =>
      intervals.map((intervalMS, interval) => ({
        ...dataQuery(`R${range}I${interval}`, model),
        timeRange: { fromEpochMS, toEpochMS },
        intervalMS,
        maxDataPoints: points[(range + interval) % points.length]!,
      }))
    );
    const answers = await ask(queries);
    expect(Object.keys(answers)).toHaveLength(queries.length);
    for (const { status, error, frames } of Object.values(answers)) {
      if (status === 200) {
        for (const frame of frames) {
          expect(readArrow(frame).table.numRows).toBeLessThanOrEqual(MOST_ROWS);
        }
      } else {
        expect(status).toBe(400);
        expect(error).toMatch(/^[A-Z"].*\.$/s);
      }
    }
  });
});

test('a request of a thousand queries is answered, each by its name, from one reading', async () => {
  const before = Number(/total_commands_processed:(\d+)/.exec(await redis.client.info('stats'))?.[1]);
  const queries = Array.from({ length: 1000 }, (_, index) =>
    dataQuery(`Q${index}`, { queryType: index % 2 === 0 ? 'queues' : 'processes' })
  );
  const answers = await ask(queries, pluginContext(redis.url, { id: 2, jsonData: { reuseSeconds: 60 } }));
  const after = Number(/total_commands_processed:(\d+)/.exec(await redis.client.info('stats'))?.[1]);
  expect(Object.values(answers).map(({ status }) => status)).toEqual(new Array(1000).fill(200));
  // A reading of this installation takes some 220 commands, two INFO of the test included.
  expect(after - before).toBeLessThan(1000);
});

test('the delay of the event loop is exported, and no request here held it up for long', async () => {
  const { metrics } = await plugin.call<{ metrics: { prometheus: Buffer } }>(
    'pluginv2.Diagnostics',
    'CollectMetrics',
    {}
  );
  const { samples } = parseExposition(metrics.prometheus.toString());
  expect(samples.map(({ name }) => name)).toContain('jobwatch_plugin_nodejs_eventloop_lag_max_seconds');
});
