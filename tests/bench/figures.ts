import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { history } from '../../pkg/queries/history';
import type { QueryRequest } from '../../pkg/queries/queryType';
import { openSqliteStore } from '../../pkg/series/sqliteStore';
import { seriesOf } from '../../pkg/series/figures';
import { optionsSchema } from '../../pkg/settings/model';
import type { Reads } from '../../pkg/source/reads';
import { StatsdIntake } from '../../pkg/statsd/intake';
import { Watch } from '../../pkg/watch/watch';
import { NOW } from '../support/state';
import { Life, QUEUES } from './life';
import { watchStalls } from './stall';

const DAYS = Number(process.env['BENCH_DAYS'] ?? 30);
const PACE = 10;
const DAY = 86_400;
const LOOKS = 20;

/**
 * The figures of 30 days in a history file: what they take, and how long a panel over all of them needs. Run by Bun, whose
 * SQLite the executable has; prints one line of JSON.
 */
async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'jobwatch-figures-'));
  const path = join(folder, 'history.db');
  const options = optionsSchema.parse({});
  const beside = { options, statsd: new StatsdIntake({ series: 1, expireSeconds: 1 }), recorded: true };
  const store = await openSqliteStore(path, { retentionDays: DAYS + 1 });
  const life = new Life();
  const watch = new Watch();
  const times: number[] = [];
  let samples = 0;
  let last = NOW;
  for (let at = NOW; at < NOW + DAYS * DAY; at += PACE) {
    const state = watch.next({ ...life.reading(at), info: null, locks: null, usual: null }, beside);
    const values = seriesOf(state);
    const started = performance.now();
    store.append(at, values);
    times.push(performance.now() - started);
    samples += values.length;
    last = at;
  }
  times.sort((a, b) => a - b);
  store.close();
  const bytes = statSync(path).size;

  const opened = performance.now();
  const again = await openSqliteStore(path, { retentionDays: DAYS + 1 });
  const openMs = performance.now() - opened;
  const reads = { history: async () => again } as unknown as Reads;
  const request = {
    range: { from: last - DAYS * DAY, to: last },
    intervalSeconds: Math.ceil((DAYS * DAY) / 1000 / 1800) * 1800,
    alerting: false,
  } as QueryRequest;
  const state = { now: last, options, notices: [], queues: [] };
  const panels: number[] = [];
  let stall = 0;
  for (let look = 0; look < LOOKS; look += 1) {
    const stalls = watchStalls();
    const started = performance.now();
    const frames = await history.run(
      {
        queryType: 'history',
        by: 'queue',
        figures: ['latency'],
        limit: QUEUES,
        aggregate: look % 2 === 0 ? 'mean' : 'max',
      },
      state as never,
      request,
      reads
    );
    panels.push(performance.now() - started);
    stall = Math.max(stall, stalls.end());
    if (frames.length !== QUEUES) {
      throw new Error(`${frames.length} frames instead of ${QUEUES}`);
    }
  }
  const [firstPanel] = panels;
  panels.sort((a, b) => a - b);
  const pruned: number[] = [];
  const day = last + 2 * DAY;
  for (let at = day; at < day + 2 * DAY; at += 600) {
    const started = performance.now();
    again.append(at, []);
    pruned.push(performance.now() - started);
  }
  again.close();
  rmSync(folder, { recursive: true });
  process.stdout.write(
    `${JSON.stringify({
      days: DAYS,
      samples,
      bytes,
      perSample: bytes / samples,
      appendMs: {
        median: times[times.length >> 1],
        p99: times[Math.floor(times.length * 0.99)],
        longest: times.at(-1),
      },
      openMs,
      panelMs: { first: firstPanel, median: panels[LOOKS >> 1], longest: panels.at(-1) },
      stallMs: stall,
      pruneMs: Math.max(...pruned),
    })}\n`
  );
}

void main();
