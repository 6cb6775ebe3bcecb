import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { ShiftedBlocks } from '../../pkg/recording/shift';
import { FileBlockStore } from '../../pkg/series/fileBlockStore';
import { openSqliteStore } from '../../pkg/series/sqliteStore';
import { createReader } from '../support/installation';
import { EXECUTABLE } from '../support/plugin';
import { loadRecording, recordedApi } from '../support/recordings';
import { startRedis, type RedisServer } from '../support/redisServer';
import { startServing } from '../support/serve';

vi.mock('node:sqlite', () => import('../support/nodeSqlite'));

/** Recorded readings in the history file and in files that are handed out, by the built executable. */

let server: RedisServer;
let directory: string;
const api = recordedApi('7.3.10');
/** An instant of the recorded incident. */
const INCIDENT_AT = Date.UTC(2026, 10, 27, 23, 50) / 1000;

beforeAll(async () => {
  server = await startRedis();
  await loadRecording(server.client, '7.3.10');
  await createReader(server);
  directory = mkdtempSync(join(tmpdir(), 'jobwatch-record-'));
});
afterAll(async () => {
  await server.stop();
  rmSync(directory, { recursive: true });
});

function run(...args: string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(EXECUTABLE, args, {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], REDIS_URL: server.url },
  });
  return { code: status, out: stdout, err: stderr };
}

/** The size of the queue `default` by a recording. */
function recordedSizes(file: string): Record<string, number> {
  const { out, err } = run('query', 'queues', '--replay', file, '--json');
  expect(err).not.toContain('error');
  const rows = JSON.parse(out) as Array<{ queue: string; size: number }>;
  return Object.fromEntries(rows.map(({ queue, size }) => [queue, size]));
}

const EXPECTED = Object.fromEntries(Object.entries(api.queues).map(([name, { size }]) => [name, size]));

describe('a history file', () => {
  describe('in a folder that cannot be written', () => {
    /** Permissions do not bind root, so the executable runs as somebody else then. */
    const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
    const sizesAs = (file: string) =>
      spawnSync(EXECUTABLE, ['query', 'queues', '--replay', file, '--json'], {
        encoding: 'utf8',
        env: { PATH: process.env['PATH'] },
        ...nobody,
      });
    let folder: string;
    let file: string;

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'jobwatch-read-only-'));
      file = join(folder, 'history.db');
      const serving = await startServing(server.url, ['--history-file', file]);
      await serving.scrape();
      await serving.stop();
      chmodSync(file, 0o644);
      chmodSync(folder, 0o555);
    });
    afterAll(() => {
      chmodSync(folder, 0o755);
      rmSync(folder, { recursive: true });
    });

    test('is replayed as it lies there', () => {
      const { stdout, stderr } = sizesAs(file);
      expect(stderr).not.toContain('error');
      const rows = JSON.parse(stdout) as Array<{ queue: string; size: number }>;
      expect(Object.fromEntries(rows.map(({ queue, size }) => [queue, size]))).toMatchObject(EXPECTED);
    });

    test('answers for the past it holds, while what is new is kept in memory', async () => {
      const incident = join(__dirname, '../recordings/data/incident-7.3.10.rec');
      const recording = FileBlockStore.open(incident);
      // Older than what a process keeps in memory from its start, younger than what is dropped.
      const by = 60 * Math.floor((Date.now() / 1000 - 7200 - INCIDENT_AT) / 60);
      const blocks = new ShiftedBlocks(recording, by);
      const place = mkdtempSync(join(tmpdir(), 'jobwatch-past-'));
      const past = join(place, 'past.db');
      const store = await openSqliteStore(past, { retentionDays: 30 });
      blocks.all.forEach(({ id, ...span }) => store.blocks!.add({ ...span, ...blocks.read(id) }));
      store.close();
      blocks.close();
      // The executable itself has written to it last.
      await (await startServing(server.url, ['--history-file', past])).stop();
      chmodSync(past, 0o444);
      chmodSync(place, 0o555);
      const sizesOf = (args: string[], at: number) => {
        const to = new Date(at * 1000).toISOString();
        const { stdout, stderr } = spawnSync(EXECUTABLE, ['query', 'queues', ...args, '--to', to, '--json'], {
          encoding: 'utf8',
          env: { PATH: process.env['PATH'], REDIS_URL: server.url },
          ...nobody,
        });
        const rows = JSON.parse(stdout || 'null') as Array<{ queue: string; size: number; latency: number }>;
        return { stderr, rows: rows.map(({ queue, size, latency }) => [queue, size, latency]) };
      };
      const found = sizesOf(['--history-file', past], INCIDENT_AT + by);
      expect(found.stderr).toMatch(/attempt to write a readonly database[^]*\ninfo: As of [\d-]+ [\d:]+ UTC\.\n$/);
      expect(found.rows).toEqual(sizesOf(['--replay', incident], INCIDENT_AT).rows);
      expect(found.rows).toContainEqual(['reports', 3, expect.any(Number)]);
      const serving = await startServing(server.url, ['--history-file', past], {}, nobody);
      expect((await serving.scrape()).value('jobwatch_history_file_up')).toBe(0);
      await serving.stop();
      chmodSync(place, 0o755);
      rmSync(place, { recursive: true });
    });

    test('is refused where its newest part lies beside it', () => {
      chmodSync(folder, 0o755);
      writeFileSync(`${file}-wal`, 'not yet in the file');
      chmodSync(folder, 0o555);
      const { status, stderr } = sizesAs(file);
      expect(status).not.toBe(0);
      expect(stderr).toContain('copy both to a folder that can be written');
    });
  });

  test('has what was recorded until the end of the process, and keeps it where the next one is killed', async () => {
    const file = join(directory, 'history.db');
    const first = await startServing(server.url, ['--history-file', file]);
    await first.scrape();
    await first.stop();
    expect(recordedSizes(file)).toMatchObject(EXPECTED);
    const second = await startServing(server.url, ['--history-file', file]);
    await second.scrape();
    second.child.kill('SIGKILL');
    await new Promise((resolve) => second.child.once('exit', resolve));
    expect(recordedSizes(file)).toMatchObject(EXPECTED);
  });

  test('that two processes write to has what both recorded', async () => {
    const file = join(directory, 'shared.db');
    const both = [];
    for (let process = 0; process < 2; process += 1) {
      const serving = await startServing(server.url, ['--history-file', file]);
      await serving.scrape();
      both.push(serving);
    }
    await Promise.all(both.map((each) => each.stop()));
    const piece = join(directory, 'shared.rec');
    const made = run('record', '--in', file, '--out', piece);
    expect(made.err).toBe('');
    expect(made.out).toMatch(/: ([2-9]|\d\d) readings from /);
  });
});

describe('a recording', () => {
  test('is made of what Redis holds, answers like it, and says of when', () => {
    const file = join(directory, 'made.rec');
    const made = run('record', '--out', file, '--for', '0.2');
    expect(made.code).toBe(0);
    expect(recordedSizes(file)).toMatchObject(EXPECTED);
    const { out, code } = run('check', '--replay', file);
    expect(out).toMatch(/^made\.rec as of \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\n/);
    expect(code).toBe(run('check').code);
    expect(run('top', '--replay', file).out).toContain('Queue');
    expect(run('alerts', '--replay', file, '--for', 'SidekiqQueueUnserved=0').err).toMatch(
      /^\d+ rules, every minute from /
    );
  });

  test('is served as of its end, and stands still there', async () => {
    const incident = join(__dirname, '../recordings/data/incident-7.3.10.rec');
    const serving = await startServing('redis://127.0.0.1:1/0', ['--replay', incident]);
    // The counter of the real Sidekiq at the end of the forty minutes, see report.test.ts.
    for (let scrape = 0; scrape < 2; scrape += 1) {
      const { value } = await serving.scrape();
      expect(value('sidekiq_processed_jobs_total')).toBe(5315);
    }
    await serving.stop();
  });

  test('is served as an installation is', async () => {
    const file = join(directory, 'served.rec');
    run('record', '--out', file, '--for', '0.2');
    const serving = await startServing('redis://127.0.0.1:1/0', ['--replay', file]);
    const { value } = await serving.scrape();
    expect(value('sidekiq_up')).toBe(1);
    expect(value('sidekiq_processed_jobs_total')).toBe(api.stats.processed);
    expect(await serving.stop()).toBe(0);
  });

  test.each([
    ['record', ['--out', 'x', '--from', '-10'], 'The flags --from and --to cut a piece out of a file.'],
    ['record', ['--in', '/missing', '--out', 'x'], 'cannot be read: ENOENT'],
    ['query', ['queues', '--replay', '/missing'], 'cannot be read: ENOENT'],
    ['alerts', ['--replay', '/missing', '--rule', 'Nonsense'], 'There is no alert rule "Nonsense".'],
    ['alerts', ['--replay', '/missing', '--threshold', 'SidekiqQueueLate=5'], 'has no single threshold'],
    [
      'alerts',
      ['--replay', '/missing', '--threshold', 'SidekiqJobsDying=x'],
      'The value "x" of --threshold is no number.',
    ],
    ['alerts', ['--replay', '/missing', '--when', 'SidekiqJobsDying=$B > 1'], 'has no query $B'],
  ])('%s %j is refused by name', (command, args, expected) => {
    const { code, err } = run(command, ...args);
    expect(err).toContain(expected);
    expect(code).toBe(2);
  });

  test.each([
    ['of a block that would unpack to gigabytes', 25, 'a block of a recording cannot be read'],
    ['that announces a billion readings', 1e9, 'the header of its first block is damaged'],
  ])('a hostile file %s ends in an error, with bounded memory', (_, readings, expected) => {
    const bomb = join(directory, 'bomb.rec');
    // 300 MB of zeros by brotli, announced as one block.
    const body = Buffer.from(spawnSync('node', ['-e', BOMB], { maxBuffer: 1e9 }).stdout);
    const header = Buffer.from(
      JSON.stringify({ from: 1.79e9, to: 1.79e9, readings, paceSeconds: 1, body: body.length, minutes: 0 })
    );
    const length = Buffer.alloc(4);
    length.writeUInt32LE(header.length);
    writeFileSync(bomb, Buffer.concat([Buffer.from('JOBWATCH RECORDING 1\n'), length, header, body]));
    const { code, out, err } = run('query', 'queues', '--replay', bomb);
    expect(out).not.toContain('undefined');
    expect(err).toContain(expected);
    expect(code).not.toBeNull();
    expect(readFileSync(bomb).length).toBeLessThan(100_000);
  });
});

const BOMB =
  "process.stdout.write(require('zlib').brotliCompressSync(Buffer.alloc(3e8), { params: { [require('zlib').constants.BROTLI_PARAM_QUALITY]: 1 } }))";
