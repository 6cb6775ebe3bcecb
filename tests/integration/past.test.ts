import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { rowsOf } from '../../pkg/frames/frame';
import { toJson } from '../../pkg/frames/json';
import type { Installation } from '../../pkg/installation/installation';
import { renderText } from '../../pkg/metrics/exposition';
import { readFamilies } from '../../pkg/metrics/metric';
import { metricTable } from '../../pkg/metrics/table';
import { queryType, runQuery } from '../../pkg/queries/registry';
import { toObject } from '../../pkg/report/json';
import { makeReport } from '../../pkg/report/report';
import { pageData } from '../../pkg/web/pageData';
import type { Source } from '../../pkg/source/source';
import { Simulator } from '../../pkg/simulator/simulator';
import type { State } from '../../pkg/watch/state';
import { ask, askRows, createReader, noticesOf, openAsReader } from '../support/installation';
import { startRedis, type RedisServer } from '../support/redisServer';

/** 2026-11-27 03:00:05 UTC. */
const START = Date.UTC(2026, 10, 27, 3, 0, 5) / 1000;
const READINGS = 150;
const PACE = 10;
/** Types of the present whose answers come from what is recorded whole. */
const TYPES = ['findings', 'overview', 'queues', 'processes', 'busy', 'capacity', 'waits', 'recurring'];

let server: RedisServer;
let installation: Installation;
let clock = START;
/** What was live, by the instant of the reading. */
const live = new Map<number, { frames: string; metrics: string }>();

/** Frames of all types as they travel, without what tells of the past. */
async function framesOf(source: Source, state: State): Promise<string> {
  const request = { range: { from: state.now - 3600, to: state.now }, intervalSeconds: 60, alerting: false };
  const answers = await Promise.all(
    TYPES.map((id) => queryType(id).run({ queryType: id }, state, request, source.reads(undefined, state)))
  );
  return JSON.stringify(
    answers.flat().map((frame) => toJson(frame)),
    (key, value: unknown) =>
      key === 'notices' ? (value as Array<{ text: string }>).filter(({ text }) => !text.startsWith('As of ')) : value
  ).replaceAll('"notices":[],', '');
}

function metricsOf(state: State): string {
  const dropped = new Map<string, number>();
  const about = { arrivedBy: state.now, droppedSeries: dropped, loopDelaySeconds: 0 };
  return renderText(readFamilies(metricTable([]), { ...state, ...about }, 30_000, dropped));
}

beforeAll(async () => {
  server = await startRedis();
  await createReader(server);
  const simulator = new Simulator(server.client, { version: '8.1', seed: 7, startsAt: START });
  installation = openAsReader(server, { samplerEnabled: false }, () => clock);
  installation.startSampling();
  for (let reading = 0; reading < READINGS; reading += 1) {
    for (let second = 0; second < PACE; second += 1) {
      await simulator.advance(1);
    }
    clock += PACE;
    const state = await installation.state();
    live.set(clock, { frames: await framesOf(installation, state), metrics: metricsOf(state) });
  }
}, 120_000);
afterAll(async () => {
  installation.close();
  await server.stop();
});

test('an instant that Redis knows as past is never answered by now, though the clock of this host is behind', async () => {
  const real = Date.now;
  vi.spyOn(Date, 'now').mockImplementation(() => real() - 7_200_000);
  const behind = openAsReader(server, { samplerEnabled: false });
  try {
    const { now } = await behind.state(Date.now() / 1000);
    expect(Math.abs(now - real() / 1000)).toBeLessThan(5);
    await expect(behind.state(now - 600)).rejects.toThrow(/Nothing was recorded/);
    // What ends now by this host is now.
    expect((await behind.state(Date.now() / 1000 - 30)).now).toBeGreaterThanOrEqual(now);
    expect((await behind.state(now - 600, true)).now).toBeGreaterThanOrEqual(now);
  } finally {
    behind.close();
    vi.restoreAllMocks();
  }
});

describe('what was recorded', () => {
  test('gives the frames and metrics that were live, byte for byte', async () => {
    const end = clock;
    let compared = 0;
    for (const [at, expected] of live) {
      if (end - at > 60) {
        const state = await installation.state(at + 3);
        expect(state.now).toBe(at);
        expect(metricsOf(state)).toBe(expected.metrics);
        expect(await framesOf(installation, state)).toBe(expected.frames);
        compared += 1;
      }
    }
    expect(compared).toBe(READINGS - 7);
  });

  test('answers every type of the present as of the end of the range, and says of when', async () => {
    const at = START + 300;
    const overview = await ask(installation, { queryType: 'overview' }, { from: at - 600, to: at + 4 });
    expect(noticesOf(overview)).toContain('As of 2026-11-27 03:05:05 UTC.');
    const state = await installation.state(at);
    expect(rowsOf(overview[0]!)[0]).toMatchObject({ enqueued: state.totals.enqueued, busy: state.totals.busy });
    for (const queryType of TYPES) {
      const frames = await ask(installation, { queryType }, { from: at - 600, to: at + 4 });
      expect(noticesOf(frames), queryType).toContain('As of 2026-11-27 03:05:05 UTC.');
    }
  });

  test('has errors, backlog and INFO as they were, a minute old at most', async () => {
    const at = START + 900;
    const range = { from: at - 600, to: at };
    const errors = await askRows(installation, { queryType: 'errors' }, range);
    const counted = errors.reduce((sum, row) => sum + Number(row['count']), 0);
    // They are of some instant of the minute before, or of the reading that they were read beside.
    const stored: number[] = [];
    for (let then = at - 80; then <= at + PACE; then += PACE) {
      const { retry, dead } = (await installation.state(then)).snapshot.totals;
      stored.push((retry ?? 0) + (dead ?? 0));
    }
    expect(counted).toBeGreaterThanOrEqual(Math.min(...stored));
    expect(counted).toBeLessThanOrEqual(Math.max(...stored));
    for (const queryType of ['errors', 'redis', 'locks', 'profiles']) {
      const told = noticesOf(await ask(installation, { queryType }, range)).join(' ');
      const [, readAt] = /^As of 2026-11-27 03:15:05 UTC, read at (.*) UTC\./.exec(told)!;
      const age = at - Date.parse(`${readAt!.replace(' ', 'T')}Z`) / 1000;
      expect(age, queryType).toBeGreaterThan(0);
      expect(age, queryType).toBeLessThanOrEqual(60);
    }
    const backlog = await ask(installation, { queryType: 'backlog' }, range);
    expect(noticesOf(backlog).join(' ')).toMatch(
      /Queues were looked into at 2026-11-27 03:1\d:\d\d UTC, the longest 20\./
    );
    expect((await askRows(installation, { queryType: 'redis' }, range))[0]).toMatchObject({ role: 'master' });
  });

  test.each(['jobs', 'queues', 'findings', 'processes', 'errors', 'job'])(
    'has no row of %s where nothing was recorded, and says since when there is something',
    async (queryType) => {
      const range = { from: START - 7200, to: START - 3600 };
      const frames = await ask(installation, { queryType, jid: 'x' }, range);
      expect(frames[0]!.fields[0]!.values).toEqual([]);
      expect(noticesOf(frames)).toEqual([
        'Nothing was recorded at 2026-11-27 02:00:05 UTC. Recordings begin at 2026-11-27 03:00:15 UTC.',
      ]);
      const request = { range, intervalSeconds: 60, alerting: false, reader: true };
      const [read] = await runQuery({ queryType, jid: 'x' }, installation, request);
      expect(rowsOf(read!)).toEqual([{ message: noticesOf(frames)[0] }]);
    }
  );

  test('an alert rule is about now, whatever range it is given', async () => {
    const query = { queryType: 'overview', figures: ['enqueued'] };
    const range = { from: START + 100, to: START + 300 };
    const past = await askRows(installation, query, { ...range, alerting: true });
    expect(past).toEqual(await askRows(installation, query, { from: clock - 300, to: clock, alerting: true }));
  });

  test('the page of the past is that of then', async () => {
    const data = await pageData(installation, START + 300);
    const state = await installation.state(START + 300);
    expect(data.health).toBe('As of 2026-11-27 03:05:05 UTC.');
    expect(data.overview.rows[0]).toMatchObject({ enqueued: state.totals.enqueued });
    expect(data.recorded).toEqual({ from: START + PACE, to: clock });
  });

  test('the page of a time of which nothing was recorded says so, and not that all was well', async () => {
    const data = await pageData(installation, START - 3600);
    const nothing = expect.stringContaining('Nothing was recorded at 2026-11-27 02:00:05 UTC.') as string;
    expect(data).toMatchObject({ ok: false, health: nothing });
    for (const part of ['findings', 'queues', 'busy', 'errors', 'processes'] as const) {
      expect(data[part], part).toEqual({ rows: [], problem: nothing });
    }
  });

  test('a report that ends in a gap is of the time before it, and says so', async () => {
    const last = clock;
    clock += 7200;
    await installation.state();
    const report = await makeReport(installation, { from: START, to: last + 3600 });
    expect(report.range.to).toBe(last);
    const overview = toObject(report).sections.find(({ id }) => id === 'overview')!;
    expect(overview.texts).toContain('Readings end at 2026-11-27 03:25:05 UTC; nothing is known of the time after it.');
    await expect(makeReport(installation, { from: last + 600, to: last + 3600 })).rejects.toMatchObject({
      remedy: expect.stringContaining('with a gap after 2026-11-27 03:25:05 UTC.') as string,
    });
  });
});
