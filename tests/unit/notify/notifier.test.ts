import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Fault } from '../../../pkg/faults/fault';
import type { Outcome } from '../../../pkg/notify/delivery';
import { Notifier } from '../../../pkg/notify/notifier';
import type { NotifiedAddress } from '../../../pkg/notify/settings';
import { NotificationStore } from '../../../pkg/notify/store';
import { optionsSchema } from '../../../pkg/settings/model';
import type { State } from '../../../pkg/watch/state';
import type { LoggedFinding } from '../../../pkg/watch/findingLog';

const ADDRESS: NotifiedAddress = {
  name: 'team',
  url: 'http://127.0.0.1:9/',
  format: 'json',
  severity: 'warning',
  afterSeconds: 0,
  mute: [],
};
const DOWN = new Fault({ kind: 'connection', message: 'Redis does not answer.', remedy: 'Start it.' });
const LATE: LoggedFinding = {
  rule: 'queueLate',
  kind: 'queue',
  subject: 'default',
  severity: 'critical',
  text: 'Late.',
  beganAt: 900,
  endedAt: null,
};

/** A receiver and an installation whose course the test sets. */
function scene(stateFile?: string, address = ADDRESS) {
  const world = {
    now: 1000,
    /** By how much the own clock is ahead of Redis'. */
    ownAhead: 0,
    open: [] as LoggedFinding[],
    ended: [] as LoggedFinding[],
    down: false,
    outcome: { ok: true } as Outcome,
  };
  const bodies: Array<{ findings: Array<{ change: string; rule: string }>; dropped: number }> = [];
  const source = {
    options: optionsSchema.parse({}),
    now: () => world.now + world.ownAhead,
    state: async () => {
      await Promise.resolve();
      if (world.down) {
        throw DOWN;
      }
      return { findingLog: { open: world.open, ended: world.ended }, now: world.now } as unknown as State;
    },
  };
  const store = new NotificationStore(stateFile);
  const notifier = new Notifier({ name: 'shop', source }, address, store, async (_url, body) => {
    await Promise.resolve();
    bodies.push(body as (typeof bodies)[number]);
    return world.outcome;
  });
  const look = async (at: number) => {
    world.now = at;
    await notifier.look(at);
    await notifier.idle();
  };
  const changes = () => bodies.map(({ findings }) => findings.map(({ change, rule }) => `${change} ${rule}`).join());
  return { world, notifier, look, changes, bodies };
}

it('tells of an outage of Redis and its end, and of nothing else meanwhile', async () => {
  const { world, look, changes } = scene();
  world.open = [LATE];
  await look(1000);
  world.down = true;
  await look(1200);
  await look(1300);
  world.down = false;
  await look(1400);
  expect(changes()).toEqual(['began queueLate', 'began unreachable', 'ended unreachable']);
});

it.each([-600, 0, 600])('waits by the clock of Redis, where the own one is %d s ahead', async (ownAhead) => {
  const { world, look, bodies } = scene(undefined, { ...ADDRESS, afterSeconds: 60 });
  world.ownAhead = ownAhead;
  const said: Array<[number, string]> = [];
  const going = { ...LATE, beganAt: 1100 };
  for (let at = 1000; at <= 1700; at += 10) {
    // It lasts from 1100 to 1500, and one reading misses it.
    const isThere = at >= 1100 && at < 1500 && at !== 1300;
    world.open = isThere ? [going] : [];
    world.ended = at < 1100 || isThere ? [] : [{ ...going, endedAt: Math.min(at, at === 1300 ? at : 1500) }];
    world.down = at >= 1600 && at < 1650;
    const before = bodies.length;
    await look(at);
    for (const { findings } of bodies.slice(before)) {
      said.push(...findings.map(({ change, rule }): [number, string] => [at, `${change} ${rule}`]));
    }
  }
  expect(said).toEqual([
    [1160, 'began queueLate'],
    [1560, 'ended queueLate'],
  ]);
});

it('sends what could not be delivered again, in pauses that grow, and all of it at once', async () => {
  const { world, look, changes } = scene();
  world.outcome = { ok: false, refused: false, reason: 'the receiver answered 503' };
  world.open = [LATE];
  for (let at = 1000; at < 1100; at += 5) {
    await look(at);
  }
  // At 1000, after 15 s, and after further 30 s.
  expect(changes()).toHaveLength(3);
  world.open = [LATE, { ...LATE, rule: 'queueUnserved' }];
  world.outcome = { ok: true };
  await look(1105);
  await look(1110);
  expect(changes()).toHaveLength(4);
  expect(changes().at(-1)).toBe('began queueLate,began queueUnserved');
});

it('waits as long as the receiver asks for, and no longer than a quarter of an hour', async () => {
  for (const [afterSeconds, attempts] of [
    [60, [1000, 1060, 1120]],
    [7200, [1000, 1900]],
  ] as const) {
    const { world, look, changes } = scene();
    world.outcome = { ok: false, refused: false, reason: 'the receiver answered 429', afterSeconds };
    world.open = [LATE];
    const asked: number[] = [];
    for (let at = 1000; at <= attempts.at(-1)! + 30; at += 5) {
      const before = changes().length;
      await look(at);
      asked.push(...(changes().length > before ? [at] : []));
    }
    expect(asked).toEqual(attempts);
  }
});

it('gives up what the receiver refuses, so that the rest is delivered', async () => {
  const { world, look, changes } = scene();
  world.outcome = { ok: false, refused: true, reason: 'the receiver answered 400' };
  world.open = [LATE];
  await look(1000);
  world.outcome = { ok: true };
  world.open = [LATE, { ...LATE, rule: 'queueUnserved' }];
  await look(1001);
  expect(changes()).toEqual(['began queueLate', 'began queueUnserved']);
});

it('goes on after an end at any point: what was sent is not sent again, what was not is', async () => {
  const file = join(mkdtempSync(join(tmpdir(), 'notify-')), 'state.json');
  const first = scene(file);
  first.world.outcome = { ok: false, refused: false, reason: 'down' };
  first.world.open = [LATE];
  await first.look(1000);
  // As after SIGKILL: nothing is closed.
  const second = scene(file);
  second.world.open = [LATE];
  await second.look(1010);
  expect(second.changes()).toEqual(['began queueLate']);
  const third = scene(file);
  third.world.open = [LATE];
  await third.look(1020);
  expect(third.changes()).toEqual([]);
});

it('takes what fails while it is closed for no outage', async () => {
  const file = join(mkdtempSync(join(tmpdir(), 'notify-')), 'state.json');
  const { world, notifier, bodies } = scene(file);
  world.down = true;
  const look = notifier.look(1000);
  await notifier.close();
  await look;
  expect(bodies).toEqual([]);
  expect(readFileSync(file, 'utf8')).not.toContain('unreachable');
});

it('keeps the former file whole, and refuses one that holds something else', () => {
  const folder = mkdtempSync(join(tmpdir(), 'notify-'));
  const file = join(folder, 'state.json');
  new NotificationStore(file).save('__proto__', 'team', { told: [] });
  expect(new NotificationStore(file).load('__proto__', 'team')).toEqual({ told: [] });
  expect(readdirSync(folder)).toEqual(['state.json']);
  writeFileSync(file, '{"a":1}');
  expect(() => new NotificationStore(file)).toThrow('notifications');
  expect(() => new NotificationStore(join(folder, 'none', 'state.json'))).toThrow('ENOENT');
});
