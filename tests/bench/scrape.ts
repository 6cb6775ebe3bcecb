import { connect, createServer, type Socket } from 'node:net';
import { Installation } from '../../pkg/installation/installation';
import { scrape } from '../../pkg/metrics/scrape';
import { parseSettings } from '../../pkg/settings/settings';
import { writeFleet } from '../support/fleet';
import { startRedis } from '../support/redisServer';

const SIZES = [
  { queues: 24, processes: 16, busyThreads: 10 },
  { queues: 100, processes: 40, busyThreads: 10 },
  { queues: 1000, processes: 500, busyThreads: 10 },
];
const RUNS = 60;
const MARKER = 'END-OF-BENCH';
const ECHO = `*2\r\n$4\r\nECHO\r\n$${MARKER.length}\r\n${MARKER}\r\n`;

/**
 * One scrape, from Redis to the text, beside the same bytes sent to Redis over a bare socket in as many round trips,
 * alternating. The bare socket shows what Redis itself and the kernel cost.
 */
export async function benchScrape(): Promise<string[]> {
  const report = ['Scrape, Redis to text, beside the same commands over a bare socket (medians)'];
  for (const { queues, processes, busyThreads } of SIZES) {
    const redis = await startRedis();
    await writeFleet(redis.client, queues, processes, busyThreads);
    const trips = await recordTrips(redis.port);
    const settings = parseSettings({ url: redis.url, options: { reuseSeconds: 0, samplerEnabled: false } });
    const installation = new Installation(settings);
    const bare = connect(redis.port, '127.0.0.1').setNoDelay(true);
    const ours: number[] = [];
    const theirs: number[] = [];
    for (let run = 0; run < RUNS; run += 1) {
      ours.push(await timed(() => scrape(installation, '', 10)));
      theirs.push(await timed(() => replay(bare, trips)));
    }
    bare.destroy();
    installation.close();
    await redis.stop();
    const [a, b] = [median(ours), median(theirs)];
    report.push(
      `  ${queues} queues × ${processes} processes × ${busyThreads} busy: ${trips.length} round trips, ` +
        `${a.toFixed(2)} ms beside ${b.toFixed(2)} ms = ${(a / b).toFixed(1)} ×`
    );
  }
  return report;
}

/** What a warm scrape sends, one buffer a round trip. */
async function recordTrips(redisPort: number): Promise<Buffer[]> {
  const trips: Buffer[][] = [];
  let asking = false;
  const server = createServer((client) => {
    const upstream = connect(redisPort, '127.0.0.1');
    client.on('data', (bytes) => {
      if (!asking) {
        trips.push([]);
      }
      asking = true;
      trips[trips.length - 1]!.push(bytes);
      upstream.write(bytes);
    });
    upstream.on('data', (bytes) => {
      asking = false;
      client.write(bytes);
    });
    client.on('error', () => undefined).on('close', () => upstream.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const settings = parseSettings({ url: `redis://127.0.0.1:${port}/0`, options: { reuseSeconds: 0 } });
  const installation = new Installation(settings);
  await scrape(installation, '', 10);
  trips.length = 0;
  await scrape(installation, '', 10);
  installation.close();
  server.close();
  return trips.map((parts) => Buffer.concat(parts));
}

async function replay(socket: Socket, trips: readonly Buffer[]): Promise<void> {
  for (const trip of trips) {
    await new Promise<void>((resolve) => {
      const onData = (bytes: Buffer) => {
        if (bytes.includes(MARKER)) {
          socket.off('data', onData);
          resolve();
        }
      };
      socket.on('data', onData);
      socket.write(Buffer.concat([trip, Buffer.from(ECHO)]));
    });
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
