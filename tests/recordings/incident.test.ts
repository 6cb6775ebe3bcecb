import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { AlertLog, shippedRules, type Fired } from '../../pkg/alerting/evaluate';
import { rowsOf } from '../../pkg/frames/frame';
import { runQuery } from '../../pkg/queries/registry';
import { openReplay } from '../../pkg/recording/openReplay';
import { optionsSchema } from '../../pkg/settings/model';
import type { LoggedFinding } from '../../pkg/watch/findingLog';
import { EXECUTABLE } from '../support/plugin';

/**
 * Forty minutes of a real Sidekiq 7.3.10 with trouble in it: three processes on one host, one of them killed. The times are
 * those that the script that made the trouble wrote down, by the clock of the same machine.
 */
const FILE = join(__dirname, 'data/incident-7.3.10.rec');
const at = (time: string) => Date.parse(`${time}Z`) / 1000;
const DEPLOYED = at('2026-11-27T23:41:35');
const FAILURES_ENDED = DEPLOYED + 300;
const KILLED = at('2026-11-27T23:49:36');
const RESTARTED = at('2026-11-27T23:53:36');
const UNSERVED = at('2026-11-27T23:57:36');
const SERVED = at('2026-11-28T00:04:36');
const SLOW = at('2026-11-28T00:07:36');
const FAST = at('2026-11-28T00:12:36');
const ENDED = at('2026-11-28T00:17:11');
/** A reading in ten seconds, and as much for a process to start or to be missed. */
const WITHIN = 25;

const options = optionsSchema.parse({
  workerTypes: [{ name: 'Orders', queues: ['orders'], latencyObjectiveSeconds: 60 }],
});
const open = () => openReplay(FILE, options, { speed: 0 });

async function findings(): Promise<LoggedFinding[]> {
  const { source, close } = await open();
  const { findingLog } = await source.state();
  close();
  return [...findingLog.ended, ...findingLog.open];
}

let log: LoggedFinding[];
beforeAll(async () => {
  log = await findings();
});
afterEach(() => void vi.useRealTimers());

/** Begins and ends of a rule and subject. */
function spans(rule: string, subject: string): Array<[number, number | null]> {
  return log
    .filter((each) => each.rule === rule && each.subject === subject)
    .map(({ beganAt, endedAt }) => [beganAt, endedAt]);
}

function expectSpan([[from, to] = [0, 0]]: Array<[number, number | null]>, began: number, ended: number): void {
  expect(Math.abs(from - began)).toBeLessThanOrEqual(WITHIN);
  expect(Math.abs((to ?? 0) - ended)).toBeLessThanOrEqual(WITHIN);
}

describe('trouble of a real Sidekiq is a finding at its time:', () => {
  test('a queue whose only process was killed, until another started', () => {
    // One of its jobs comes in eight seconds.
    expectSpan(spans('queueUnserved', 'reports'), KILLED, RESTARTED);
  });

  test('a queue that nobody served, until a process did', () => {
    expectSpan(spans('queueUnserved', 'push'), UNSERVED, SERVED);
  });

  test('the killed process, from its last heartbeat on', () => {
    const [[from, to] = [0, 0]] = spans('processVanished', 'vm');
    expect(KILLED - from).toBeGreaterThanOrEqual(0);
    expect(KILLED - from).toBeLessThanOrEqual(WITHIN);
    // Told for an hour, which is longer than the recording.
    expect(to).toBeNull();
  });

  test('the class that failed after the deploy, and its jobs that died', () => {
    const [[failing] = [0]] = spans('classFailing', 'MailJob');
    const [[dying] = [0]] = spans('jobsDying', 'Sidekiq');
    for (const began of [failing, dying]) {
      expect(began).toBeGreaterThan(DEPLOYED);
      expect(began).toBeLessThan(DEPLOYED + 60);
    }
  });

  test('the queue behind the slow jobs in strict order, starved and then late', () => {
    const [[starved, starvedEnd] = [0, 0]] = spans('queueStarved', 'mailers');
    expect(Math.abs(starved - SLOW)).toBeLessThanOrEqual(WITHIN);
    // The backlog of the slow jobs was worked off first.
    expect(starvedEnd).toBeGreaterThan(FAST);
    const [[late, lateEnd] = [0, 0]] = spans('queueLate', 'mailers');
    expect(late).toBeGreaterThan(SLOW + 300);
    expect(lateEnd).toBeLessThan(ENDED);
  });

  test('and nothing else was wrong', () => {
    expect(log.map(({ rule, subject }) => `${rule} ${subject}`).sort()).toEqual([
      'classFailing MailJob',
      'heartbeatLate vm',
      'jobsDying Sidekiq',
      'processVanished vm',
      'queueLate mailers',
      'queueStarved mailers',
      'queueUnserved push',
      'queueUnserved reports',
      // The machine was busy: heartbeats had really taken 126 and 168 ms.
      'redisSlow vm',
      'redisSlow vm',
    ]);
  });
});

test('the alert rules would have fired for it, each once', async () => {
  const { source, close } = await open();
  const alerts = new AlertLog(shippedRules());
  let next = 0;
  await source.walk(async (state) => {
    if (state.now >= next) {
      next = state.now + 60;
      await alerts.evaluate(state, source);
    }
  });
  close();
  const byName = new Map(alerts.fired.map((fired) => [fired.rule, fired]));
  expect([...byName.keys()].sort()).toEqual([
    'SidekiqClassFailureRateHigh',
    'SidekiqFailureRateHigh',
    'SidekiqJobsDying',
    // The process that was killed is told of once.
    'SidekiqJobsLost',
    'SidekiqQueueUnserved',
  ]);
  const { firedAt, endedAt, labels } = byName.get('SidekiqQueueUnserved') as Fired;
  expect(labels['queue']).toBe('push');
  // It must hold for five minutes.
  expect(firedAt - UNSERVED).toBeGreaterThanOrEqual(300);
  expect(firedAt - UNSERVED).toBeLessThanOrEqual(300 + 60 + WITHIN);
  expect(Math.abs(endedAt! - SERVED)).toBeLessThanOrEqual(60 + WITHIN);
  expect(byName.get('SidekiqJobsLost')!.firedAt).toBeGreaterThan(KILLED + 60);
  // Evaluated once a minute, by what the processes have written.
  expect(byName.get('SidekiqClassFailureRateHigh')!.firedAt).toBeLessThan(FAILURES_ENDED + 60 + WITHIN);
});

describe('the answers are the same', () => {
  test('on another day', async () => {
    const known = JSON.stringify(log);
    for (const day of ['2026-12-24T18:00:00Z', '2031-03-01T00:00:00Z']) {
      vi.useFakeTimers({ toFake: ['Date'], now: Date.parse(day) });
      expect(JSON.stringify(await findings())).toBe(known);
      const { source, close } = await open();
      const range = { from: UNSERVED, to: UNSERVED + 120 };
      const [frame] = await runQuery({ queryType: 'queues' }, source, { range, intervalSeconds: 60, alerting: false });
      expect(rowsOf(frame!).find((row) => row['queue'] === 'push')).toMatchObject({
        state: 'unserved',
        readyThreads: 0,
      });
      close();
    }
  });

  test('in another time zone', () => {
    const [one, other] = ['Asia/Kolkata', 'America/St_Johns'].map((TZ) => {
      const args = ['query', 'events', '--replay', FILE, '--from', '2026-11-27T23:30:00Z', '--json'];
      const { stdout, status } = spawnSync(EXECUTABLE, args, { encoding: 'utf8', env: { TZ } });
      expect(status).toBe(0);
      return stdout;
    });
    expect(JSON.parse(one!)).toHaveLength(19);
    expect(one).toBe(other);
  });
});
