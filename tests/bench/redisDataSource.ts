import { writeFleet } from '../support/fleet';
import { dataQuery, pluginContext, startPlugin, type RunningPlugin } from '../support/plugin';
import { startRedis, type RedisServer } from '../support/redisServer';
import { spread } from './spread';

const QUEUES = 24;
const ROUNDS = 200;

/**
 * Beside the Redis data source of RedisGrafana (`REDIS_DATASOURCE_BIN`, its built backend), in what that can be asked of
 * Sidekiq: lengths of lists and sets, and counters. Each is a query and a round trip there.
 */
export async function benchRedisDataSource(): Promise<string[]> {
  const heading = '## Beside the Redis data source of RedisGrafana';
  const program = process.env['REDIS_DATASOURCE_BIN'];
  if (!program) {
    return [heading, '', 'It was not at hand: set REDIS_DATASOURCE_BIN to its built backend.'];
  }
  const redis = await startRedis();
  await writeFleet(redis.client, QUEUES, 16, 10);
  const commands = [
    ...Array.from({ length: QUEUES }, (_, index) => `LLEN queue:queue_${index}`),
    ...['GET stat:processed', 'GET stat:failed', 'ZCARD retry', 'ZCARD dead', 'ZCARD schedule'],
  ];
  const asked = {
    Jobwatch: [{ queryType: 'queues' }, { queryType: 'overview' }],
    RedisGrafana: commands.map((query) => ({ type: 'cli', query })),
  };
  const plugins = { Jobwatch: await startPlugin(), RedisGrafana: await startPlugin({}, program) };
  const times = { Jobwatch: [] as number[], RedisGrafana: [] as number[] };
  const cost = { Jobwatch: 0, RedisGrafana: 0 };
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const name of ['Jobwatch', 'RedisGrafana'] as const) {
      const cpu = await redisCpu(redis);
      const begin = performance.now();
      await ask(plugins[name], redis, asked[name]);
      times[name].push(performance.now() - begin);
      cost[name] += (await redisCpu(redis)) - cpu;
    }
  }
  Object.values(plugins).forEach((plugin) => plugin.stop());
  await redis.stop();
  const row = (name: keyof typeof times, gives: string) =>
    `| ${name} | ${asked[name].length} | ${gives} | ${spread(times[name].slice(ROUNDS / 4)).text} | ${((cost[name] / ROUNDS) * 1000).toFixed(2)} |`;
  return [
    heading,
    '',
    `The lengths of ${QUEUES} queues, of the retry, dead and scheduled sets, and the two counters of 16 processes of 10 busy threads, in one request. Jobwatch reads all of Sidekiq for that, each time anew; the other one cannot be asked for the rest (latency, processes, running jobs, job metrics). Milliseconds: median (10th to 90th percentile).`,
    '',
    '| Data source | Queries | Gives | Wall | CPU of Redis |',
    '| --- | --- | --- | --- | --- |',
    row('Jobwatch', 'every figure of queues and overview'),
    row('RedisGrafana', `${commands.length} numbers`),
  ];
}

async function ask(plugin: RunningPlugin, redis: RedisServer, models: readonly object[]): Promise<void> {
  const { responses } = await plugin.call<{ responses: Record<string, { error: string; frames: unknown[] }> }>(
    'pluginv2.Data',
    'QueryData',
    {
      pluginContext: pluginContext(redis.url, { jsonData: { reuseSeconds: 0, samplerEnabled: false } }),
      headers: {},
      queries: models.map((model, index) => dataQuery(`Q${index}`, model)),
    }
  );
  const failed = Object.values(responses).find(({ error, frames }) => error !== '' || frames.length === 0);
  if (failed || Object.keys(responses).length !== models.length) {
    throw new Error(`A query was not answered: ${failed?.error}`);
  }
}

async function redisCpu({ client }: RedisServer): Promise<number> {
  const text = await client.info('cpu');
  const of = (pattern: RegExp) => Number(pattern.exec(text)?.[1] ?? 0);
  return of(/used_cpu_sys:([\d.]+)/) + of(/used_cpu_user:([\d.]+)/);
}
