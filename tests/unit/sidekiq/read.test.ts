import { describe, expect, test } from 'vitest';
import { ReplyError } from '../../../pkg/redis/resp';
import { metricKeys } from '../../../pkg/sidekiq/keys';
import { Minutes } from '../../../pkg/sidekiq/minutes';
import { SnapshotReader } from '../../../pkg/sidekiq/read';
import { missesTotals, PART_NAMES } from '../../../pkg/sidekiq/refusals';
import { fakeRedis, noPermission, type Answers } from '../../support/fakeRedis';
import { MINUTE, NOW } from '../../support/state';

const INFO = JSON.stringify({
  hostname: 'web-1',
  started_at: NOW - 100,
  pid: 1,
  concurrency: 5,
  version: '8.1.7',
  queues: ['default', 'never_pushed'],
});
const WORK = JSON.stringify({ queue: 'default', payload: '{"class":"A","jid":"w"}', run_at: NOW - 30 });

/** A Sidekiq with two queues, one process that runs one job, and a process that ended without a clean stop. */
const SIDEKIQ: Answers = {
  'get stat:processed': '100',
  'get stat:failed': '7',
  'get stat:processed:2026-11-25': '10',
  'get stat:failed:2026-11-25': '1',
  'zcard schedule': 8,
  'zcard retry': 3,
  'zcard dead': 4,
  'scard processes': 2,
  [`zcount schedule -inf ${NOW}`]: 5,
  [`zcount retry -inf ${NOW}`]: 6,
  [`zcount schedule -inf ${NOW - 60}`]: 3,
  [`zcount retry -inf ${NOW - 60}`]: 4,
  [`zcount dead ${NOW - 3600} ${NOW + 3600}`]: 2,
  'zrange schedule 0 19': [
    JSON.stringify({ class: 'Sidekiq::ActiveJob::Wrapper', args: [{ executions: 1 }] }),
    '{"class":"Plain"}',
  ],
  'sscan queues 0 COUNT 5000': ['0', ['low', 'default']],
  'sscan processes 0 COUNT 5000': ['0', ['web-2:1:b', 'web-1:1:a']],
  'sscan paused 0 COUNT 5000': ['0', ['low']],
  'get dear-leader': 'web-1:1:a',
  'hgetall 20261124-marks': ['2026-11-24T09:10:00Z', 'yesterday'],
  'hgetall 20261125-marks': ['2026-11-25T11:00:00Z', 'today'],
  [`hgetall ${metricKeys.minute(MINUTE)}`]: ['A|p', '3', 'A|ms', '90'],
  [`hgetall ${metricKeys.oldMinute(MINUTE)}`]: ['A|p', '1'],
  [`hgetall ${metricKeys.minute(MINUTE - 600)}`]: ['B|p', '2'],
  'llen queue:default': 2,
  'lindex queue:default -1': JSON.stringify({ class: 'A', jid: 'n', enqueued_at: NOW - 45 }),
  'llen queue:low': 1,
  'lindex queue:low -1': JSON.stringify({ class: 'B', jid: 'm', enqueued_at: NOW - 5 }),
  'hmget web-1:1:a info concurrency busy beat quiet rss rtt_us': [INFO, null, '2', String(NOW - 4), 'false', '10', '5'],
  'ttl web-1:1:a': 57,
  'hscan web-1:1:a:work 0 COUNT 2000': ['0', ['t1', WORK]],
  [`get ${metricKeys.histogram('A', MINUTE)}`]: Buffer.from('00030000', 'hex'),
  [`get ${metricKeys.oldHistogram('A', MINUTE)}`]: Buffer.from('00010002', 'hex'),
};

function reader(answers: Answers, options: Partial<ConstructorParameters<typeof SnapshotReader>[2]> = {}) {
  const redis = fakeRedis(answers);
  const minutes = new Minutes();
  const made = new SnapshotReader(redis, minutes, { clock: () => NOW, includesQueue: () => true, ...options });
  return { redis, minutes, read: () => made.read() };
}

test('a snapshot has everything, in two round trips, and in a third one the sizes of queues that are only served', async () => {
  const { redis, read } = reader(SIDEKIQ);
  const snapshot = await read();
  expect(redis.batches).toHaveLength(3);
  expect(redis.batches[2]).toEqual(['llen queue:never_pushed']);
  expect(snapshot).toMatchObject({
    at: NOW,
    totals: {
      processed: 100,
      failed: 7,
      processedToday: 10,
      failedToday: 1,
      scheduled: 8,
      retry: 3,
      dead: 4,
      processNames: 2,
      overdueScheduled: 5,
      overdueRetry: 6,
      deadLastHour: 2,
      // One of the two next ones is a retry of ActiveJob: half of eight.
      activeJobRetries: 4,
    },
    ghosts: { items: ['web-2:1:b'], whole: true },
    leader: 'web-1:1:a',
    hasSidekiq: true,
    notices: [],
  });
  expect(snapshot.queues).toEqual({
    whole: true,
    items: [
      {
        name: 'default',
        size: 2,
        latencySeconds: 45,
        paused: false,
        known: true,
        next: expect.objectContaining({ jid: 'n' }),
      },
      {
        name: 'low',
        size: 1,
        latencySeconds: 5,
        paused: true,
        known: true,
        next: expect.objectContaining({ jid: 'm' }),
      },
      { name: 'never_pushed', size: 0, latencySeconds: 0, paused: false, known: false, next: null },
    ],
  });
  expect(snapshot.processes.items).toMatchObject([{ identity: 'web-1:1:a', busy: 2, beatAgeSeconds: 3 }]);
  expect(snapshot.work).toMatchObject({ whole: true, items: [{ jid: 'w', runAt: NOW - 30 }] });
  expect(snapshot.marks.items.map(({ label }) => label)).toEqual(['yesterday', 'today']);
  expect(snapshot.minutes.items).toHaveLength(60);
  expect(snapshot.minutes.items[0]).toMatchObject({ startsAt: MINUTE });
  expect(snapshot.minutes.items[0]!.classes.get('A')).toEqual({ processed: 4, failed: 0, milliseconds: 90 });
  expect(snapshot.minutes.items[10]!.classes.get('B')).toMatchObject({ processed: 2 });
  // Both shapes of the histogram are added up; only minutes that may still change are read.
  expect(snapshot.durations).toEqual([{ startsAt: MINUTE, jobClass: 'A', counts: [4, 2, ...new Array(24).fill(0)] }]);
  expect(snapshot.cost).toMatchObject({ roundTrips: 3, commands: redis.batches.flat().length });
  expect(snapshot.refused.size).toBe(0);
  expect((await read()).cost.roundTrips).toBe(2);
});

test('jobs of a queue that is served and not in the set of queues are counted', async () => {
  // A producer that does not SADD; what is pushed is LPUSHed all the same.
  const { redis, read } = reader({ ...SIDEKIQ, 'llen queue:never_pushed': 3 });
  const served = async () => (await read()).queues.items.find(({ name }) => name === 'never_pushed');
  expect(await served()).toMatchObject({ size: 3, latencySeconds: null, known: false });
  redis.answers['lindex queue:never_pushed -1'] = JSON.stringify({ class: 'A', jid: 'x', enqueued_at: NOW - 900 });
  expect(await served()).toMatchObject({ size: 3, latencySeconds: 900, known: false, next: { jid: 'x' } });
  redis.answers['llen queue:never_pushed'] = noPermission('llen');
  expect(await served()).toMatchObject({ size: null });
});

test('a queue that was only served stays while jobs wait in it, and goes with them', async () => {
  const { redis, read } = reader({ ...SIDEKIQ, 'llen queue:never_pushed': 3 });
  const names = async () => (await read()).queues.items.map(({ name }) => name);
  await read();
  redis.answers['sscan processes 0 COUNT 5000'] = ['0', []];
  expect(await names()).toContain('never_pushed');
  expect(await names()).toContain('never_pushed');
  redis.answers['llen queue:never_pushed'] = 0;
  expect(await names()).not.toContain('never_pushed');
  expect(await names()).not.toContain('never_pushed');
});

test('of queues that are looked into the jobs are read that are taken next', async () => {
  const redis = fakeRedis({
    ...SIDEKIQ,
    'lrange queue:default -1 -1': [JSON.stringify({ class: 'A', jid: 'x' })],
    'lrange queue:default -9 -2': ['OK', JSON.stringify({ class: 'A', jid: 'y' })],
  });
  const made = new SnapshotReader(redis, new Minutes(), { clock: () => NOW, includesQueue: () => true });
  expect((await made.read()).nextJobs).toEqual([]);
  const queues = ['default', ...Array.from({ length: 99 }, (_, index) => `q${index}`)];
  made.lookFor({ queues, privateQueues: [], jids: new Set(), since: Infinity });
  const looked = () => redis.batches.flat().filter((text) => /^lrange .* -1 -1$/.test(text));
  const found = [...(await made.read()).nextJobs];
  expect(looked()).toHaveLength(50);
  // The others come with the next reading.
  found.push(...(await made.read()).nextJobs);
  expect(found).toEqual(['x', 'y']);
  expect(new Set(looked()).size).toBe(100);
  expect(redis.batches.flat().filter((text) => /^z(rev)?range (retry|dead)/.test(text))).toEqual([]);
});

test('jobs of a process that is gone are looked for in the sets, from the entries of their time on', async () => {
  const entry = (jid: string) => JSON.stringify({ class: 'A', jid });
  const redis = fakeRedis({
    ...SIDEKIQ,
    // super_fetch keeps what the process had taken.
    'lrange queue:sq|h:1:a|default -1 -1': [entry('kept')],
    [`zcount retry -inf (${NOW - 70}`]: 7,
    'zrange retry 7 7': [entry('other')],
    'zrange retry 8 15': [entry('failed')],
    [`zcount schedule -inf (${NOW - 70}`]: noPermission('zcount'),
    'zrevrange dead 0 0': [entry('died')],
    'zrevrange dead 1 8': ['OK'],
  });
  const made = new SnapshotReader(redis, new Minutes(), { clock: () => NOW, includesQueue: () => true });
  const jids = new Set(['failed', 'died', 'nowhere']);
  made.lookFor({ queues: [], privateQueues: ['sq|h:1:a|default'], jids, since: NOW - 70 });
  expect((await made.read()).nextJobs).toEqual(['kept', 'died', 'failed']);
});

test('jobs are looked for up to 16 MiB of what is stored, and to the end of their places where they are small', async () => {
  const entries = (count: number, bytes: number) =>
    Array.from({ length: count }, () => JSON.stringify({ class: 'A', jid: 'x', args: ['a'.repeat(bytes)] }));
  const redis = fakeRedis({
    ...SIDEKIQ,
    ...Object.fromEntries(
      ['-1 -1', '-9 -2', '-100 -10'].map((range, page) => [
        `lrange queue:small ${range}`,
        entries([1, 8, 91][page]!, 9),
      ])
    ),
    'lrange queue:large -1 -1': entries(1, 4_000_000),
    'lrange queue:large -2 -2': entries(1, 4_000_000),
    'lrange queue:large -3 -3': entries(1, 4_000_000),
  });
  const made = new SnapshotReader(redis, new Minutes(), { clock: () => NOW, includesQueue: () => true });
  await made.read();
  made.lookFor({ privateQueues: [], queues: ['small', 'large'], jids: new Set(), since: Infinity });
  const { nextJobs, cost } = await made.read();
  const looked = redis.batches.flat().filter((text) => text.startsWith('lrange'));
  expect(nextJobs).toHaveLength(100 + 3);
  expect(looked).toEqual([
    'lrange queue:small -1 -1',
    'lrange queue:large -1 -1',
    'lrange queue:small -9 -2',
    'lrange queue:large -2 -2',
    'lrange queue:small -100 -10',
    'lrange queue:large -3 -3',
  ]);
  expect(cost.roundTrips).toBe(2 + 3);
});

test('minutes that are final are read once, those that may change each time', async () => {
  const { redis, read } = reader(SIDEKIQ);
  await read();
  await read();
  const minutesRead = redis.batches[3]!.filter((text) => text.startsWith('hgetall j|'));
  // The current minute and the three that ended less than three minutes ago, in two shapes.
  expect(minutesRead).toEqual(
    [0, 60, 120, 180].flatMap((ago) => [
      `hgetall ${metricKeys.minute(MINUTE - ago)}`,
      `hgetall ${metricKeys.oldMinute(MINUTE - ago)}`,
    ])
  );
});

test('a minute that was refused is no empty one, and is read again when rights are mended', async () => {
  const key = `hgetall ${metricKeys.minute(MINUTE - 600)}`;
  const { redis, read } = reader({ ...SIDEKIQ, [key]: new ReplyError('NOPERM no permissions to access a key') });
  const before = await read();
  expect(before.minutes.whole).toBe(false);
  expect(before.minutes.items).toHaveLength(59);
  expect(before.refused.get('job metrics')).toBe(1);
  redis.answers[key] = ['B|p', '2'];
  const after = await read();
  expect(after.minutes.whole).toBe(true);
  expect(after.minutes.items[10]!.classes.get('B')).toMatchObject({ processed: 2 });
});

test('durations are read again only for a class that ran, and for a while after', async () => {
  let now = NOW;
  const { redis, read } = reader(SIDEKIQ, { clock: () => now });
  // Of the first reading the last round trip is that of queues that are only served.
  const asked = () =>
    redis.batches[redis.batches.length === 3 ? 1 : redis.batches.length - 1]!.filter((text) => text.includes('A-25-12'))
      .length;
  await read();
  expect(asked()).toBe(2);
  now += 20;
  await read();
  expect(asked()).toBe(2);
  now += 1;
  const quiet = await read();
  expect(asked()).toBe(0);
  expect(quiet.durations).toHaveLength(1);
  redis.answers[`hgetall ${metricKeys.minute(MINUTE)}`] = ['A|p', '9', 'A|ms', '90'];
  await read();
  expect(asked()).toBe(2);
});

test('durations that were refused keep what was known and are read again', async () => {
  const { redis, read } = reader(SIDEKIQ);
  const key = `get ${metricKeys.histogram('A', MINUTE)}`;
  const first = await read();
  redis.answers[key] = noPermission('get');
  redis.answers[`hgetall ${metricKeys.minute(MINUTE)}`] = ['A|p', '9'];
  const refused = await read();
  expect(refused.durations).toEqual(first.durations);
  expect(refused.refused.get('job durations')).toBe(1);
  redis.answers[key] = Buffer.from('0009', 'hex');
  expect((await read()).durations[0]!.counts.slice(0, 2)).toEqual([10, 2]);
});

test('the hash of the old name is not asked for once a process is known to be new', async () => {
  const { redis, read } = reader(SIDEKIQ);
  await read();
  expect(redis.batches[1]).toContain('hscan web-1:1:a:workers 0 COUNT 2000');
  await read();
  expect(redis.batches[4]).toContain('hscan web-1:1:a:work 0 COUNT 2000');
  expect(redis.batches[4]).not.toContain('hscan web-1:1:a:workers 0 COUNT 2000');
});

test('queues that the operator leaves out are neither read nor shown, nor their work', async () => {
  const { redis, read } = reader(SIDEKIQ, { includesQueue: (name) => name === 'low' });
  const snapshot = await read();
  expect(snapshot.queues.items.map(({ name }) => name)).toEqual(['low']);
  expect(snapshot.work.items).toEqual([]);
  expect(redis.batches.flat()).not.toContain('llen queue:default');
});

test('a set that is larger than a page is read whole', async () => {
  const { redis, read } = reader({
    ...SIDEKIQ,
    'sscan queues 0 COUNT 5000': ['8', ['low', 'default']],
    'sscan queues 8 COUNT 5000': ['9', ['low', 'third']],
    'sscan queues 9 COUNT 5000': ['0', ['fourth']],
  });
  const snapshot = await read();
  expect(snapshot.queues.items.map(({ name }) => name)).toEqual(['default', 'fourth', 'low', 'never_pushed', 'third']);
  expect(snapshot.queues.whole).toBe(true);
  expect(snapshot.cost.roundTrips).toBe(5);
  expect(redis.batches).toHaveLength(5);
});

test('a set that does not end is cut, told, and not taken for the whole', async () => {
  const { read } = reader({
    ...SIDEKIQ,
    'sscan queues 0 COUNT 5000': ['1', ['low']],
    'sscan queues 1 COUNT 5000': ['1', []],
  });
  const snapshot = await read();
  expect(snapshot.queues.whole).toBe(false);
  expect(snapshot.notices.map(({ text }) => text)).toEqual([
    'The set queues has more members than Jobwatch reads; 1 were read.',
  ]);
});

test('a queue is paused by any of the tools that pause', async () => {
  const paused = async (answers: Answers) =>
    (await reader({ ...SIDEKIQ, 'sscan paused 0 COUNT 5000': ['0', []], ...answers }).read()).queues.items
      .filter((queue) => queue.paused)
      .map(({ name }) => name);
  expect(await paused({})).toEqual([]);
  expect(await paused({ 'sscan sidekiq-pauzer 0 COUNT 5000': ['0', ['low']] })).toEqual(['low']);
  expect(await paused({ 'sscan throttled:X:paused_queues 0 COUNT 5000': ['0', ['default']] })).toEqual(['default']);
  const marks = 'mget limit_fetch:pause:low queue_pause:low limit_fetch:pause:default queue_pause:default';
  expect(await paused({ [marks]: [null, null, '1', null] })).toEqual(['default']);
  expect(await paused({ [marks]: [null, 'true', null, null] })).toEqual(['low']);
});

test('without a clock of the tests the instant is that of Redis', async () => {
  const redis = fakeRedis({ ...SIDEKIQ, time: [String(NOW), '500000'] });
  const made = new SnapshotReader(redis, new Minutes(), { includesQueue: () => true });
  expect((await made.read()).at).toBe(NOW + 0.5);
  // Days and minutes are counted by that clock too: the reading begins anew, and the next one knows it.
  expect(redis.batches).toHaveLength(4);
  expect(redis.batches[1]).toContain('get stat:processed:2026-11-25');
  await made.read();
  expect(redis.batches).toHaveLength(6);
});

test('an empty database holds no Sidekiq', async () => {
  const snapshot = await reader({ 'get stat:processed': null }).read();
  expect(snapshot.hasSidekiq).toBe(false);
  expect((await reader({ 'get stat:processed': '0' }).read()).hasSidekiq).toBe(true);
  expect((await reader({ 'sscan queues 0 COUNT 5000': ['0', ['q']] }).read()).hasSidekiq).toBe(true);
  expect((await reader({ 'sscan processes 0 COUNT 5000': ['0', ['p:1:x']] }).read()).hasSidekiq).toBe(true);
  // An application that was never served, whose first job is to run later.
  for (const set of ['schedule', 'retry', 'dead']) {
    expect((await reader({ [`zcard ${set}`]: 1 }).read()).hasSidekiq, set).toBe(true);
  }
});

describe('a refusal is never a zero:', () => {
  const refuse = (command: string) => reader({ ...only(command), [command]: noPermission(command) }).read();
  /** Without the answers of a command, so that its refusal is what is found. */
  const only = (command: string): Answers =>
    Object.fromEntries(Object.entries(SIDEKIQ).filter(([text]) => !text.startsWith(`${command} `)));

  test('LLEN', async () => {
    const snapshot = await refuse('llen');
    expect(snapshot.queues.items.filter(({ known }) => known).map(({ size }) => size)).toEqual([null, null]);
    expect(snapshot.queues.items[0]!.latencySeconds).toBe(45);
    expect(missesTotals(snapshot)).toBe(true);
  });

  test('LINDEX', async () => {
    const snapshot = await refuse('lindex');
    expect(snapshot.queues.items[0]).toMatchObject({ size: 2, latencySeconds: null, next: null });
    expect(missesTotals(snapshot)).toBe(false);
  });

  test('HMGET', async () => {
    const snapshot = await refuse('hmget');
    expect(snapshot.processes).toEqual({ items: [], whole: false });
    expect(snapshot.ghosts.whole).toBe(false);
    expect(missesTotals(snapshot)).toBe(true);
  });

  test('TTL', async () => {
    const snapshot = await refuse('ttl');
    // By the process's own clock.
    expect(snapshot.processes).toMatchObject({ whole: true, items: [{ beatAgeSeconds: 4 }] });
  });

  test('HSCAN', async () => {
    const snapshot = await refuse('hscan');
    expect(snapshot.work).toEqual({ items: [], whole: false });
    expect(snapshot.processes.whole).toBe(true);
  });

  test('SSCAN', async () => {
    const snapshot = await refuse('sscan');
    expect(snapshot.queues).toEqual({ items: [], whole: false });
    expect(snapshot.processes.whole).toBe(false);
    expect(snapshot.work.whole).toBe(false);
    expect(snapshot.hasSidekiq).toBe(true);
    expect(missesTotals(snapshot)).toBe(true);
  });

  test('SSCAN of the queues alone: served queues are there, with their sizes', async () => {
    const snapshot = await reader({ ...SIDEKIQ, 'sscan queues 0 COUNT 5000': noPermission('sscan') }).read();
    expect(snapshot.queues).toMatchObject({
      whole: false,
      items: [
        { name: 'default', size: 2, latencySeconds: null },
        { name: 'never_pushed', size: 0, latencySeconds: 0 },
      ],
    });
  });

  test('SSCAN of the queues and LLEN: the sizes of served queues are unknown', async () => {
    const answers = {
      ...SIDEKIQ,
      'sscan queues 0 COUNT 5000': noPermission('sscan'),
      'llen queue:default': noPermission('llen'),
      llen: noPermission('llen'),
    };
    const { queues, notices } = await reader(answers).read();
    expect(queues.items.map(({ size, latencySeconds }) => [size, latencySeconds])).toEqual([
      [null, null],
      [null, null],
    ]);
    expect(notices.filter(({ text }) => text.startsWith('No queue sizes'))).toHaveLength(1);
  });

  test('SSCAN of what is paused', async () => {
    const snapshot = await reader({ ...SIDEKIQ, 'sscan sidekiq-pauzer 0 COUNT 5000': noPermission('sscan') }).read();
    expect(snapshot.queues.items.map(({ paused }) => paused)).toEqual([null, true, null]);
    expect(missesTotals(snapshot)).toBe(false);
  });

  test('MGET', async () => {
    const snapshot = await refuse('mget');
    expect(snapshot.queues.items.map(({ paused }) => paused)).toEqual([null, true, null]);
  });

  test('GET', async () => {
    const snapshot = await refuse('get');
    expect(snapshot.totals).toMatchObject({ processed: null, failed: null, processedToday: null, failedToday: null });
    expect(snapshot.leader).toBeNull();
    expect(snapshot.totals.retry).toBe(3);
  });

  test('HGETALL', async () => {
    const snapshot = await refuse('hgetall');
    expect(snapshot.minutes).toEqual({ items: [], whole: false });
    expect(snapshot.marks).toEqual({ items: [], whole: false });
    expect(snapshot.durations).toEqual([]);
  });

  test('ZCARD, ZCOUNT, ZRANGE, SCARD', async () => {
    expect((await refuse('zcard')).totals).toMatchObject({
      scheduled: null,
      retry: null,
      dead: null,
      activeJobRetries: null,
    });
    expect((await refuse('zcount')).totals).toMatchObject({
      overdueScheduled: null,
      overdueRetry: null,
      deadLastHour: null,
    });
    expect((await refuse('zrange')).totals).toMatchObject({ scheduled: 8, activeJobRetries: null });
    expect((await refuse('scard')).totals.processNames).toBeNull();
  });

  test('an empty database that may not be read is not told to hold no Sidekiq', async () => {
    expect((await reader({ get: noPermission('get') }).read()).hasSidekiq).toBeNull();
    expect((await reader({ sscan: noPermission('sscan') }).read()).hasSidekiq).toBeNull();
  });

  test('everything: that is a fault', async () => {
    const answers: Answers = {};
    for (const name of ['get', 'zcard', 'scard', 'zcount', 'zrange', 'sscan', 'smembers', 'hgetall', 'time']) {
      answers[name] = noPermission(name);
    }
    await expect(reader(answers).read()).rejects.toMatchObject({ kind: 'permission' });
  });
});

test('a process whose record is unreadable makes the totals of processes unknown, its neighbours stand', async () => {
  const { read } = reader({
    ...SIDEKIQ,
    'hmget web-2:1:b info concurrency busy beat quiet rss rtt_us': ['[]', null, null, null, null, null, null],
  });
  const snapshot = await read();
  expect(snapshot.processes).toMatchObject({ whole: false, items: [{ identity: 'web-1:1:a' }] });
  expect(snapshot.ghosts).toEqual({ items: [], whole: false });
});

test('work comes in the order of its start, that of unknown start last', async () => {
  const entry = (jid: string, runAt: number | null) =>
    JSON.stringify({ queue: 'default', payload: `{"jid":"${jid}"}`, run_at: runAt });
  const { read } = reader({
    ...SIDEKIQ,
    'hscan web-1:1:a:work 0 COUNT 2000': [
      '0',
      ['1', entry('u', null), '2', entry('b', NOW - 5), '3', entry('a', NOW - 9)],
    ],
  });
  expect((await read()).work.items.map(({ jid }) => jid)).toEqual(['a', 'b', 'u']);
});

test('every part has a name of its own kind', () => {
  expect(PART_NAMES).toEqual([
    'totals',
    'set sizes',
    'process names',
    'queue names',
    'queue sizes',
    'processes',
    'queue latencies',
    'running jobs',
    'heartbeat ages',
    'paused queues',
    'job metrics',
    'job durations',
    'due and recent jobs',
    'scheduled jobs',
    'leader',
    'deploy marks',
    'Redis time',
    'next jobs of queues',
    'jobs of sets',
  ]);
});

test('a database that is emptied between the two round trips makes one torn snapshot: unknown, and nobody is lost', async () => {
  const { redis, read } = reader({ ...SIDEKIQ });
  await read();
  const batch = redis.batch.bind(redis);
  let trip = 0;
  redis.batch = async (commands, signal) => {
    trip += 1;
    if (trip === 2) {
      redis.answers = {};
    }
    return batch(commands, signal);
  };
  const snapshot = await read();
  expect(snapshot.notices.map(({ text }) => text).join()).toMatch(/was emptied while it was read/);
  expect([snapshot.processes.whole, snapshot.ghosts.whole, snapshot.work.whole]).toEqual([false, false, false]);
});

test.each([
  [NOW - 4 + 600, '+600'],
  [NOW - 4 - 600, '−600'],
])('a host whose clock differs is named: a beat of %o', async (beat, shown) => {
  const { read } = reader({
    ...SIDEKIQ,
    // 57 of 60 seconds are left, so Redis heard it 3 seconds ago.
    'hmget web-1:1:a info concurrency busy beat quiet rss rtt_us': [
      INFO,
      null,
      '2',
      String(beat + 1),
      'false',
      '10',
      '5',
    ],
  });
  const notices = (await read()).notices.map(({ text }) => text).join();
  expect(notices).toContain(`clocks of some hosts differ from that of Redis: web-1 (${shown} s)`);
});

test('a clock that is right, or a beat a little late, is no news', async () => {
  expect((await reader(SIDEKIQ).read()).notices).toEqual([]);
});
