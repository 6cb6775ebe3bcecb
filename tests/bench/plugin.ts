import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { toJson } from '../../pkg/frames/json';
import type { Frame } from '../../pkg/frames/frame';
import { Installation } from '../../pkg/installation/installation';
import { parseSettings } from '../../pkg/settings/settings';
import { writeFleet } from '../support/fleet';
import { ask } from '../support/installation';
import { dataQuery, pluginContext, readArrow, startPlugin, type RunningPlugin } from '../support/plugin';
import { startRedis, type RedisServer } from '../support/redisServer';
import { residentBytes } from './processes';
import { reach } from './reach';
import { spread } from './spread';

const INSTANCES = 10;
const QUERIES = 2000;
/** Bun gives memory back within seconds. */
const REST_SECONDS = 20;
const ROUNDS = 200;
const AT_ONCE = 32;

/** The plugin's process as Grafana starts it: time to its handshake, memory with ten data sources, time of a query. */
export async function benchPlugin(): Promise<string[]> {
  const redis = await startRedis();
  await writeFleet(redis.client, 24, 16, 10);
  const startedAt = performance.now();
  const plugin = await startPlugin();
  const handshake = performance.now() - startedAt;
  const query = (id: number) => queryData(plugin, redis, { queryType: 'queues' }, { id });
  await Promise.all(Array.from({ length: INSTANCES }, (_, id) => query(id + 1)));
  const resident = residentBytes(plugin.child) / 2 ** 20;
  for (let run = 0; run < QUERIES; run += INSTANCES) {
    await Promise.all(Array.from({ length: INSTANCES }, (_, id) => query(id + 1)));
  }
  const afterwards = residentBytes(plugin.child) / 2 ** 20;
  await sleep(REST_SECONDS * 1000);
  const rested = residentBytes(plugin.child) / 2 ** 20;
  plugin.stop();
  await redis.stop();
  reach('Handshake of the plugin', handshake, 250, 'ms');
  reach(`Resident ${REST_SECONDS} s after 2,000 queries over 10 data sources`, rested * 1.048576, 120, 'MB');
  return [
    '## Plugin process',
    '',
    '| Figure | Value |',
    '| --- | --- |',
    `| Time to the handshake | ${handshake.toFixed(0)} ms |`,
    `| Resident with ${INSTANCES} data sources of 24 queues and 16 processes | ${resident.toFixed(0)} MiB |`,
    `| Resident after ${QUERIES.toLocaleString('en')} queries, each with a reading of its own: at once | ${afterwards.toFixed(0)} MiB |`,
    `| ${REST_SECONDS} seconds later | ${rested.toFixed(0)} MiB |`,
    '',
    ...(await besideGo()),
  ];
}

/** The same frame by the Go SDK, which does nothing but encode it: the floor of the plugin protocol in Grafana's own words. */
async function besideGo(): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'jobwatch-go-'));
  const program = join(folder, 'plugin');
  // plugin-validator takes any .go file of the repository for a part of the plugin, so its source has another name there.
  const source = join(folder, 'source');
  cpSync(join(__dirname, 'goPlugin'), source, { recursive: true });
  renameSync(join(source, 'main.go.txt'), join(source, 'main.go'));
  const built = spawnSync('go', ['build', '-o', program, '.'], { cwd: source, stdio: 'ignore' });
  const heading = '### QueryData beside a plugin of the Go SDK';
  if (built.status !== 0) {
    return [heading, '', 'Go, or the module of the SDK, was not at hand.'];
  }
  const lines = [
    heading,
    '',
    'The same `queues` frame (10,000 rows are the most that a query gives) through the plugin socket. Jobwatch reuses the state; “made anew” has another query each time, so that nothing but the state is reused, and “same query” is what further viewers of a dashboard ask. The Go plugin (`tests/bench/goPlugin`) encodes a frame that it holds. Milliseconds a request: median (10th to 90th percentile).',
    '',
    `| Rows | At once | Frame | Jobwatch | Go SDK | Ratio |`,
    '| --- | --- | --- | --- | --- | --- |',
  ];
  for (const rows of [1000, 10_000]) {
    const redis = await startRedis();
    await writeFleet(redis.client, rows, 16, 10);
    const frameFile = join(folder, 'frame.json');
    writeFileSync(frameFile, JSON.stringify(toJson(await frameOf(redis))));
    const ours = await startPlugin();
    const theirs = await startPlugin({ FRAME: frameFile }, program);
    let anew = 0;
    const once = (plugin: RunningPlugin) =>
      // The text keeps every row, and makes a question that was not asked before.
      queryData(plugin, redis, queuesModel(rows, anew === 0 ? '' : String((anew += 1))), { reuseSeconds: 60 });
    for (const plugin of [ours, theirs]) {
      const { responses } = (await once(plugin)) as { responses: Record<string, { frames: Buffer[]; error: string }> };
      const { frames, error } = responses['A']!;
      const got = frames[0] && readArrow(frames[0]).table.numRows;
      if (got !== rows) {
        throw new Error(`${got} rows instead of ${rows}: ${error}`);
      }
    }
    for (const [atOnce, frame] of rows > 1000
      ? ([[1, 'made anew']] as const)
      : ([
          [1, 'made anew'],
          [1, 'same query'],
          [AT_ONCE, 'made anew'],
          [AT_ONCE, 'same query'],
        ] as const)) {
      anew = frame === 'made anew' ? 1 : 0;
      const rounds = Math.ceil(ROUNDS / (rows / 1000) / atOnce) + 5;
      const [own, go] = [[], []] as [number[], number[]];
      for (let round = 0; round < rounds; round += 1) {
        own.push(await timed(() => Promise.all(Array.from({ length: atOnce }, () => once(ours)))));
        go.push(await timed(() => Promise.all(Array.from({ length: atOnce }, () => once(theirs)))));
      }
      // The first ones read Redis and warm both up.
      const [a, b] = [spread(own.slice(3), atOnce), spread(go.slice(3), atOnce)];
      if (frame === 'same query') {
        reach(
          `QueryData of ${rows} rows, ${atOnce} at once`,
          a.median / b.median,
          atOnce === 1 ? 1.2 : 1.5,
          '× a Go SDK plugin’s'
        );
      }
      lines.push(
        `| ${rows.toLocaleString('en')} | ${atOnce} | ${frame} | ${a.text} | ${b.text} | ${(a.median / b.median).toFixed(1)} × |`
      );
    }
    ours.stop();
    theirs.stop();
    await redis.stop();
  }
  rmSync(folder, { recursive: true });
  return lines;
}

/** All queues; another text makes another query with the same rows. */
function queuesModel(limit: number, text: string): object {
  return {
    queryType: 'queues',
    limit,
    ...(text && { filters: [{ field: 'queue', operator: '!=', values: [`none-${text}`] }] }),
  };
}

async function frameOf(redis: RedisServer): Promise<Frame> {
  const installation = new Installation(parseSettings({ url: redis.url, options: {} }));
  const [frame] = await ask(installation, { queryType: 'queues', limit: 10_000 });
  installation.close();
  return frame!;
}

function queryData(
  plugin: RunningPlugin,
  redis: RedisServer,
  model: object,
  { id = 1, reuseSeconds = 0 }: { id?: number; reuseSeconds?: number }
) {
  return plugin.call<unknown>('pluginv2.Data', 'QueryData', {
    pluginContext: pluginContext(redis.url, { id, jsonData: { reuseSeconds, samplerEnabled: false } }),
    headers: {},
    queries: [dataQuery('A', model)],
  });
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const before = performance.now();
  await work();
  return performance.now() - before;
}
