import { writeFleet } from '../support/fleet';
import { dataQuery, pluginContext, startPlugin } from '../support/plugin';
import { startRedis } from '../support/redisServer';
import { residentBytes } from './processes';

const INSTANCES = 10;
const QUERIES = 200;

/** The plugin's process as Grafana starts it: time to its handshake, memory with ten data sources, time of a query. */
export async function benchPlugin(): Promise<string[]> {
  const redis = await startRedis();
  await writeFleet(redis.client, 24, 16, 10);
  const startedAt = performance.now();
  const plugin = await startPlugin();
  const handshake = performance.now() - startedAt;
  const ask = (id: number) =>
    plugin.call('pluginv2.Data', 'QueryData', {
      pluginContext: pluginContext(redis.url, { id }),
      headers: {},
      queries: [dataQuery('A', { queryType: 'queues' })],
    });
  await Promise.all(Array.from({ length: INSTANCES }, (_, id) => ask(id + 1)));
  const resident = residentBytes(plugin.child) / 2 ** 20;
  const times: number[] = [];
  for (let run = 0; run < QUERIES; run += 1) {
    const before = performance.now();
    await ask(1);
    times.push(performance.now() - before);
  }
  const afterwards = residentBytes(plugin.child) / 2 ** 20;
  plugin.stop();
  await redis.stop();
  const median = times.sort((a, b) => a - b)[Math.floor(times.length / 2)]!;
  return [
    '## Plugin process',
    '',
    '| Figure | Value |',
    '| --- | --- |',
    `| Time to the handshake | ${handshake.toFixed(0)} ms |`,
    `| Resident with ${INSTANCES} data sources | ${resident.toFixed(0)} MiB |`,
    `| Resident right after ${QUERIES} queries | ${afterwards.toFixed(0)} MiB |`,
    `| A query of 24 queues, read anew from Redis each time (median) | ${median.toFixed(2)} ms |`,
  ];
}
