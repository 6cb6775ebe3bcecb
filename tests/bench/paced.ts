import { setTimeout as sleep } from 'node:timers/promises';
import { writeFleet } from '../support/fleet';
import { startRedis } from '../support/redisServer';
import { cpuMilliseconds, residentBytes } from './processes';
import { reach } from './reach';
import { LABELS, ours, ruby, rubyIsAtHand, scrape, timed, WITHOUT_RUBY, writeClasses } from './scrape';
import { percentile } from './spread';

const QUEUES = 24;
const PROCESSES = 16;
const BUSY = 10;
const CLASSES = 20;
const PACE_MS = 15_000;
const SCRAPES = 16;
/** The first ones come while it warms up. */
const FIRST = 4;
/** What a scrape leaves to be done, such as collecting garbage, belongs to it. */
const AFTER_MS = 300;
const WANTED = { wall: 8, cpu: 6, mib: 150 };

/** A scrape as it happens: every 15 s, of processes as they are shipped, in turns. */
export async function benchPaced(): Promise<string[]> {
  const hasRuby = rubyIsAtHand();
  const redis = await startRedis();
  await writeFleet(redis.client, QUEUES, PROCESSES, BUSY);
  await writeClasses(redis.client, CLASSES);
  const env = { ...process.env, REDIS_URL: `redis://127.0.0.1:${redis.port}/0` };
  const peers = [await ours(env, {}), ...(hasRuby ? [await ruby(env)] : [])];
  const taken = peers.map((peer) => ({ peer, walls: [] as number[], cpus: [] as number[] }));
  for (let run = 0; run < SCRAPES; run += 1) {
    const next = performance.now() + PACE_MS;
    for (const { peer, walls, cpus } of taken) {
      const before = cpuMilliseconds(peer.child);
      walls.push(await timed(() => scrape(peer)));
      await sleep(AFTER_MS);
      cpus.push(cpuMilliseconds(peer.child) - before);
    }
    await sleep(next - performance.now());
  }
  const rows = taken.map(({ peer, walls, cpus }) => ({
    name: peer.name,
    first: middle(walls.slice(0, FIRST)),
    firstCpu: middle(cpus.slice(0, FIRST)),
    wall: middle(walls.slice(FIRST)),
    cpu: middle(cpus.slice(FIRST)),
    mib: residentBytes(peer.child) / 2 ** 20,
  }));
  taken.forEach(({ peer }) => {
    peer.agent.destroy();
    peer.child.kill('SIGKILL');
  });
  await redis.stop();
  const their = rows.find(({ name }) => name === 'ruby');
  const own = rows[0]!;
  const what = `Scrape every ${PACE_MS / 1000} s`;
  if (their) {
    reach(`${what}: wall`, (own.wall / their.wall) * 100, 100 / WANTED.wall, '% of the Ruby exporter’s');
    reach(`${what}: CPU`, (own.cpu / their.cpu) * 100, 100 / WANTED.cpu, '% of the Ruby exporter’s');
  }
  reach(`${what}: memory`, own.mib, WANTED.mib, 'MiB');
  return [
    '## Scrape at the pace of real life',
    '',
    `${QUEUES} queues × ${PROCESSES} processes × ${BUSY} busy, ${CLASSES} classes; a scrape every ${PACE_MS / 1000} s of each, in turns, as they are shipped. Milliseconds at the median: of the first ${FIRST}, and of the ${SCRAPES - FIRST} after that. CPU is that of all threads from the scrape until ${AFTER_MS} ms after it; between scrapes Jobwatch warms up once, for a minute or two.`,
    '',
    '| Target | First scrapes: wall | CPU | Then: wall | CPU | Wall, share of the Ruby exporter | CPU, share | Resident |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
    ...rows.map(
      ({ name, first, firstCpu, wall, cpu, mib }) =>
        `| ${LABELS[name]} | ${first.toFixed(1)} | ${firstCpu.toFixed(1)} | ${wall.toFixed(1)} | ${cpu.toFixed(1)} | ` +
        `${name === 'ruby' || !their ? '' : `1/${(their.wall / wall).toFixed(1)}`} | ${name === 'ruby' || !their ? '' : `1/${(their.cpu / cpu).toFixed(1)}`} | ${mib.toFixed(0)} MiB |`
    ),
    ...(hasRuby ? [] : ['', WITHOUT_RUBY]),
  ];
}

function middle(values: readonly number[]): number {
  return percentile(values, 0.5);
}
