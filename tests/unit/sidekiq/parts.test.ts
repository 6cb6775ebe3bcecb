import { describe, expect, test } from 'vitest';
import { command, type Command, type ReadOnlyRedis, type Value } from '../../../pkg/redis/readOnlyRedis';
import { ReplyError } from '../../../pkg/redis/resp';
import { activeJobRetryShare } from '../../../pkg/sidekiq/parts/activeJobRetries';
import { clock } from '../../../pkg/sidekiq/parts/clock';
import { batch } from '../../../pkg/sidekiq/parts/batch';
import { counter, memberCount, scoredBetween, setSize } from '../../../pkg/sidekiq/parts/counters';
import { deployMarks } from '../../../pkg/sidekiq/parts/deployMarks';
import { histogram } from '../../../pkg/sidekiq/parts/histogram';
import { leader } from '../../../pkg/sidekiq/parts/leader';
import { pausedNames, processNames, queueNames } from '../../../pkg/sidekiq/parts/members';
import { bucketCounts } from '../../../pkg/sidekiq/parts/minute';
import { pairsOf, readPart, Trip, valueOf, type Part } from '../../../pkg/sidekiq/parts/part';
import { beatAge, heartbeatExpiry, processRecord, sumOrNull } from '../../../pkg/sidekiq/parts/process';
import { latencyOf, markedPauses, queueHead, queueSize } from '../../../pkg/sidekiq/parts/queue';
import { processWork } from '../../../pkg/sidekiq/parts/work';
import { fakeRedis, noPermission } from '../../support/fakeRedis';
import { aJob, NOW } from '../../support/state';
import { hash, reply, type Literal } from '../../support/values';

const texts = (commands: Command[]) => commands.map(({ name, args }) => [name, ...args.map(String)].join(' '));

/** What a part makes of values, and the notices it gives. */
function parse<Input, T>(part: Part<Input, T>, input: Input, ...values: Value[]) {
  const { value, notices = [] } = part.parse(values, input);
  return { value, notices: notices.map(({ text }) => text) };
}

describe('counters', () => {
  test.each([
    ['12', { count: 12, missing: false }],
    [null, { count: 0, missing: true }],
    ['12abc', { count: null, missing: false }],
    ['1e3', { count: null, missing: false }],
    ['', { count: null, missing: false }],
    ['-4', { count: null, missing: false }],
  ])('%o is read as %o', (raw, expected) => {
    expect(parse(counter, 'stat:processed', reply(raw)).value).toEqual(expected);
  });

  test('a counter that is none is told by its key', () => {
    expect(parse(counter, 'stat:failed', reply('x')).notices).toEqual(['stat:failed holds no count and was left out.']);
    expect(parse(counter, 'stat:failed', reply('1')).notices).toEqual([]);
    expect(texts(counter.commands('stat:failed'))).toEqual(['get stat:failed']);
  });

  test('sizes are numbers', () => {
    expect(parse(setSize, 'retry', 5).value).toBe(5);
    expect(parse(memberCount, 'processes', 6).value).toBe(6);
    expect(parse(scoredBetween, { key: 'dead', from: 1, to: '+inf' }, 7).value).toBe(7);
    expect(texts(setSize.commands('retry'))).toEqual(['zcard retry']);
    expect(texts(memberCount.commands('processes'))).toEqual(['scard processes']);
    expect(texts(scoredBetween.commands({ key: 'dead', from: 1, to: '+inf' }))).toEqual(['zcount dead 1 +inf']);
  });
});

describe('members of a set', () => {
  test('are names, with the place where the next page begins', () => {
    const page = reply(['17', ['b', 'a', Buffer.from([0xff])]]);
    expect(parse(queueNames, { key: 'queues', cursor: '0' }, page).value).toEqual({
      members: ['b', 'a', '\\xff'],
      cursor: '17',
    });
    expect(parse(queueNames, { key: 'queues', cursor: '0' }, null).value).toEqual({ members: [], cursor: '0' });
  });

  test('are asked for page by page', () => {
    expect(texts(processNames.commands({ key: 'processes', cursor: '9' }))).toEqual(['sscan processes 9 COUNT 5000']);
  });

  test('have names of their own in notices', () => {
    expect([queueNames, processNames, pausedNames].map(({ what }) => what)).toEqual([
      'queue names',
      'process names',
      'paused queues',
    ]);
  });
});

describe('a queue', () => {
  test('has a length and a next job', () => {
    expect(texts([...queueSize.commands('low'), ...queueHead.commands('low')])).toEqual([
      'llen queue:low',
      'lindex queue:low -1',
    ]);
    expect(parse(queueSize, 'low', 3).value).toBe(3);
    const head = parse(queueHead, 'low', reply('{"class":"A","jid":"1","enqueued_at":1741944411}')).value;
    expect(head).toMatchObject({ empty: false, next: { class: 'A', jid: '1', enqueuedAt: 1741944411 } });
    expect(parse(queueHead, 'low', null).value).toMatchObject({ empty: true, next: null });
    expect(parse(queueHead, 'low', reply('OK')).value).toMatchObject({ empty: false, next: null });
  });

  test.each([
    ['an empty queue', { empty: true, next: null }, 0],
    ['a job that was enqueued', { empty: false, next: aJob({ enqueuedAt: NOW - 30, createdAt: NOW - 90 }) }, 30],
    ['a job that was only created', { empty: false, next: aJob({ createdAt: NOW - 90 }) }, 90],
    ['a job of the future', { empty: false, next: aJob({ enqueuedAt: NOW + 5 }) }, -5],
    ['a job without a time', { empty: false, next: aJob() }, null],
    ['an entry that is no job', { empty: false, next: null }, null],
  ])('%s has waited %s', (_what, head, seconds) => {
    expect(latencyOf(head, NOW)).toBe(seconds);
  });

  test('is paused by sidekiq-limit_fetch or sidekiq-queue-pause while a key exists', () => {
    expect(texts(markedPauses.commands(['a', 'b']))).toEqual([
      'mget limit_fetch:pause:a queue_pause:a limit_fetch:pause:b queue_pause:b',
    ]);
    expect(markedPauses.commands([])).toEqual([]);
    expect(parse(markedPauses, ['a', 'b'], reply([null, null, '1', null])).value).toEqual(new Set(['b']));
    expect(parse(markedPauses, ['a', 'b'], reply([null, 'true', null, null])).value).toEqual(new Set(['a']));
    expect(parse(markedPauses, []).value).toEqual(new Set());
  });
});

describe('a process', () => {
  const record = (info: object | string | null, fields: Record<string, string | null> = {}) => {
    const values = ['info', 'concurrency', 'busy', 'beat', 'quiet', 'rss', 'rtt_us'].map((name) =>
      name === 'info'
        ? typeof info === 'object' && info !== null
          ? JSON.stringify(info)
          : info
        : (fields[name] ?? null)
    );
    return parse(processRecord, 'web-1:7:abc', reply(values));
  };

  test('with more threads than any machine has tells none, and says so', () => {
    const { value, notices } = record({}, { concurrency: '100001', busy: '4294967296' });
    expect(value).toMatchObject({ concurrency: null, busy: null });
    expect(notices).toEqual([
      'The process web-1:7:abc has an implausible "concurrency"; it was left out.',
      'The process web-1:7:abc has an implausible "busy"; it was left out.',
    ]);
  });

  test('of Sidekiq 8 has its threads in a field and its capsules in order', () => {
    const { value, notices } = record(
      {
        hostname: 'web-1',
        started_at: NOW - 100,
        pid: 7,
        tag: 'shop',
        labels: ['a', 'b'],
        version: '8.1.7',
        embedded: true,
        queues: ['9', 'default', '1'],
        capsules: {
          default: { concurrency: 5, mode: 'strict', weights: { nine: 0, default: 0, one: 0 } },
          one: { concurrency: 1, mode: 'weighted', weights: { solo: 2 } },
        },
      },
      { concurrency: '6', busy: '2', beat: String(NOW - 3), quiet: 'true', rss: '1000', rtt_us: '2500' }
    );
    expect(value).toEqual({
      identity: 'web-1:7:abc',
      host: 'web-1',
      pid: 7,
      tag: 'shop',
      labels: ['a', 'b'],
      version: '8.1.7',
      startedAt: NOW - 100,
      quiet: true,
      embedded: true,
      beatAt: NOW - 3,
      busy: 2,
      concurrency: 6,
      rssBytes: 1_024_000,
      rttSeconds: 0.0025,
      queues: ['9', 'default', '1'],
      capsules: [
        {
          name: 'default',
          concurrency: 5,
          mode: 'strict',
          weights: new Map([
            ['nine', 0],
            ['default', 0],
            ['one', 0],
          ]),
        },
        { name: 'one', concurrency: 1, mode: 'weighted', weights: new Map([['solo', 2]]) },
      ],
    });
    expect(notices).toEqual([]);
  });

  test('serves queues in the order in which a capsule lists them, also those named by numbers', () => {
    // As Sidekiq writes it; JavaScript would put 1 and 9 first, and the list of all queues has another order.
    const info =
      '{"queues":["1","default","9"],"capsules":{"fast":{"concurrency":2,"mode":"strict","weights":{"9":0,"default":0,"1":0}}}}';
    const [, parsed] = [0, processRecord.parse([reply([info, ...new Array<null>(6).fill(null)])], 'web-1:7:abc')];
    const { capsules } = parsed.value as unknown as { capsules: Array<{ weights: Map<string, number> }> };
    expect([...capsules[0]!.weights.keys()]).toEqual(['9', 'default', '1']);
    const older = '{"queues":["mail","low","9"],"weights":[{"mail":2,"low":1},{"9":0,"mail":0}]}';
    const before = processRecord.parse([reply([older, ...new Array<null>(6).fill(null)])], 'web-1:7:abc').value;
    expect(
      (before as unknown as typeof parsed.value & { capsules: Array<{ weights: Map<string, number> }> }).capsules.map(
        ({ weights }) => [...weights.keys()]
      )
    ).toEqual([
      ['mail', 'low'],
      ['9', 'mail'],
    ]);
  });

  test('of Sidekiq 7 has weights per capsule, of 6.5 only its queues', () => {
    const seven = record({ concurrency: 6, queues: ['a', 'b', 'c'], weights: [{ a: 3, b: 1 }, { c: 0 }] }).value;
    expect(seven).toMatchObject({
      concurrency: 6,
      // Which threads belong to which capsule is written since 8.0.9.
      capsules: [
        {
          name: 'capsule 1',
          concurrency: null,
          mode: 'weighted',
          weights: new Map([
            ['a', 3],
            ['b', 1],
          ]),
        },
        { name: 'capsule 2', concurrency: null, mode: 'strict', weights: new Map([['c', 0]]) },
      ],
    });
    expect(record({ concurrency: 4, queues: ['a'], weights: { a: 1 } }).value).toMatchObject({
      capsules: [{ name: 'default', concurrency: 4, mode: 'random', weights: new Map([['a', 1]]) }],
    });
    expect(record({ concurrency: 4, queues: ['a', 'b'] }).value).toMatchObject({
      version: '',
      queues: ['a', 'b'],
      quiet: false,
      embedded: false,
      tag: '',
      labels: [],
      // 6.5 does not say in which order it serves its queues.
      capsules: [{ concurrency: 4, mode: null }],
    });
  });

  test('without a number of threads has the sum of its capsules', () => {
    const capsules = { a: { concurrency: 2, weights: { x: 1 } }, b: { concurrency: 3, weights: { y: 0 } } };
    const { value } = record({ capsules });
    expect(value).toMatchObject({ concurrency: 5, queues: ['x', 'y'] });
    expect(value).toMatchObject({ capsules: [{ mode: 'random' }, { mode: 'strict' }] });
    expect(record({ capsules: { a: { weights: {} } } }).value).toMatchObject({ concurrency: null });
    expect(record({ queues: ['a'] }).value).toMatchObject({ concurrency: null, capsules: [{ concurrency: null }] });
  });

  test('takes its host from its identity where it does not say one', () => {
    expect(record({}).value).toMatchObject({ host: 'web-1', pid: null, startedAt: null });
    expect(record({ queues: ['default', null, ''] }).value).toMatchObject({ queues: ['default'] });
  });

  test.each([
    ['busy', { busy: '-3' }, {}],
    ['busy', { busy: '1e3' }, {}],
    ['beat', { beat: '99999999999999999' }, {}],
    ['rss', { rss: '-1' }, {}],
    ['rtt_us', { rtt_us: '1.5' }, {}],
    ['concurrency', {}, { concurrency: -5 }],
    ['started_at', {}, { started_at: 99999999999999999 }],
  ])('with an implausible %s does not pass it on, and says so', (name, fields: Record<string, string>, info) => {
    const { value, notices } = record({ concurrency: 1, ...info }, fields);
    const shown = {
      busy: 'busy',
      beat: 'beatAt',
      rss: 'rssBytes',
      rtt_us: 'rttSeconds',
      concurrency: 'concurrency',
      started_at: 'startedAt',
    }[name]!;
    expect((value as unknown as Record<string, unknown>)[shown]).toBeNull();
    expect(notices).toEqual([`The process web-1:7:abc has an implausible "${name}"; it was left out.`]);
  });

  test('fields that are absent or empty are unknown without a notice', () => {
    const { value, notices } = record({}, { busy: '', beat: '', rss: '', rtt_us: '' });
    expect(value).toMatchObject({ busy: null, beatAt: null, rssBytes: null, rttSeconds: null });
    expect(notices).toEqual([]);
  });

  test('whose hash has expired is a ghost; one that is no JSON object is unreadable', () => {
    expect(record(null).value).toBe('ghost');
    expect(record('[]')).toEqual({
      value: 'unreadable',
      notices: ['The process record web-1:7:abc was left out: its field info is not a JSON object.'],
    });
  });

  test('capsules and weights of other types are passed over', () => {
    const odd = {
      concurrency: 2,
      queues: ['d'],
      capsules: { default: null, x: 'y', z: { weights: null, concurrency: '3' } },
    };
    expect(record(odd).value).toMatchObject({ capsules: [{ name: 'z', concurrency: 3, weights: new Map() }] });
    expect(
      record({ concurrency: 2, queues: ['d'], capsules: [1], weights: [null, [1], { d: '2', e: -1 }] }).value
    ).toMatchObject({
      capsules: [
        {
          weights: new Map([
            ['d', 2],
            ['e', 0],
          ]),
        },
      ],
    });
  });

  test('is asked for by its fields and the time its hash has left', () => {
    expect(texts([...processRecord.commands('h:1:x'), ...heartbeatExpiry.commands('h:1:x')])).toEqual([
      'hmget h:1:x info concurrency busy beat quiet rss rtt_us',
      'ttl h:1:x',
    ]);
    expect(parse(heartbeatExpiry, 'h:1:x', 58).value).toBe(58);
    expect(parse(heartbeatExpiry, 'h:1:x', -1).value).toBeNull();
  });

  test.each([
    [58, NOW - 30, 2],
    [60, null, 0],
    [0, null, 60],
    // Not Sidekiq's expiry: by the process's own clock.
    [3600, NOW - 30, 30],
    [null, NOW - 30, 30],
    [null, NOW + 30, 0],
    [null, null, null],
  ])('with %o s left and a beat at %o was heard of %o s ago', (left, beatAt, age) => {
    expect(beatAge(left, beatAt, NOW)).toBe(age);
  });

  test('a sum of parts is unknown where one of them is', () => {
    expect(sumOrNull([])).toBe(0);
    expect(sumOrNull([1, null, 2])).toBeNull();
  });
});

describe('running jobs', () => {
  const work = (...pairs: string[]) => parse(processWork, { identity: 'p:1:x', shape: 'new' }, reply(['0', pairs]));

  test('are read from either form of payload', () => {
    const job = { class: 'A', jid: 'j', queue: 'own', enqueued_at: NOW - 60 };
    const { value, notices } = work(
      't1',
      JSON.stringify({ queue: 'default', payload: JSON.stringify(job), run_at: NOW - 30 }),
      't2',
      JSON.stringify({ payload: job, run_at: NOW - 20 })
    );
    expect(value).toEqual({
      items: [
        {
          process: 'p:1:x',
          thread: 't1',
          queue: 'default',
          class: 'A',
          metricsClass: 'A',
          jid: 'j',
          runAt: NOW - 30,
          enqueuedAt: NOW - 60,
        },
        expect.objectContaining({ thread: 't2', queue: 'own', runAt: NOW - 20 }),
      ],
      whole: true,
    });
    expect(notices).toEqual([]);
  });

  test('without a plausible start are there, with an unknown one', () => {
    const { value } = work(
      't',
      '{"queue":"q","payload":"{}","run_at":null}',
      'u',
      '{"queue":"q","payload":"{}","run_at":5}'
    );
    expect(value.items.map(({ runAt }) => runAt)).toEqual([null, null]);
  });

  test('that are not what Sidekiq writes are left out and counted', () => {
    const { value, notices } = work('t', '{"queue":', 'u', '{"queue":"q","payload":"[]"}');
    expect(value).toEqual({ items: [], whole: true });
    expect(notices).toEqual(['2 work records of p:1:x are not what Sidekiq writes and were left out.']);
  });

  test('beyond the cap make the list incomplete, and are told', () => {
    const { value, notices } = parse(processWork, { identity: 'p', shape: 'new' }, reply(['3', []]));
    expect(value.whole).toBe(false);
    expect(notices).toEqual(['p has more than 2000 jobs in progress; the rest was left out.']);
    expect(parse(processWork, { identity: 'p', shape: 'new' }, null).value.whole).toBe(true);
  });

  test('lie under the key of either generation', () => {
    expect(texts(processWork.commands({ identity: 'p', shape: 'new' }))).toEqual(['hscan p:work 0 COUNT 2000']);
    expect(texts(processWork.commands({ identity: 'p', shape: 'old' }))).toEqual(['hscan p:workers 0 COUNT 2000']);
  });
});

describe('a bucket of the job metrics', () => {
  const minute = { startsAt: Date.UTC(2025, 2, 14, 9, 5) / 1000, resolution: 60 as const };

  test('adds up both shapes of its key', () => {
    const { value } = parse(
      bucketCounts,
      minute,
      hash({ 'A|p': 5, 'A|f': 1, 'A|ms': 40, 'B|p': 2 }),
      hash({ 'A|p': 3, 'A|ms': 10, 'C|f': 1 })
    );
    expect(value.startsAt).toBe(minute.startsAt);
    expect(value.classes).toEqual(
      new Map([
        ['A', { processed: 8, failed: 1, milliseconds: 50 }],
        ['B', { processed: 2, failed: 0, milliseconds: 0 }],
        ['C', { processed: 0, failed: 1, milliseconds: 0 }],
      ])
    );
    expect(value.shapes.get('A')).toEqual(['new', 'old']);
    expect(value.shapes.get('B')).toEqual(['new']);
    expect(value.shapes.get('C')).toEqual(['old']);
    expect(value.shapes.get('D')).toBeUndefined();
  });

  test('is asked for in both shapes, ten minutes in one', () => {
    expect(texts(bucketCounts.commands(minute))).toEqual(['hgetall j|250314|9:05', 'hgetall j|20250314|9:5']);
    expect(texts(bucketCounts.commands({ ...minute, resolution: 600 }))).toEqual(['hgetall j|250314|9:0']);
  });

  test('leaves a class out whole whose value is no count, and says so; its neighbours stand', () => {
    const { value, notices } = parse(
      bucketCounts,
      minute,
      hash([
        ['A|p', 'abc'],
        ['A|ms', 10],
        ['B|p', '1.5'],
        ['C|p', 5],
        ['C|f', 2],
        ['|p', 3],
        ['D', 5],
        ['E|F|p', 3],
        ['G|constructor', 1],
      ]),
      hash({})
    );
    expect([...value.classes]).toEqual([
      ['C', { processed: 5, failed: 2, milliseconds: 0 }],
      ['E|F', { processed: 3, failed: 0, milliseconds: 0 }],
    ]);
    expect(notices).toEqual(['Job metrics of A, B hold values that are no counts and were left out.']);
  });

  test('has classes by any name, in the order of Redis', () => {
    const names = ['__proto__', '10', 'constructor', '2', 'toString'];
    const { value } = parse(
      bucketCounts,
      minute,
      hash(names.map((name): [string, number] => [`${name}|p`, 1])),
      hash({})
    );
    expect([...value.classes.keys()]).toEqual(names);
  });

  test('that is empty has no classes', () => {
    expect(parse(bucketCounts, minute, reply([]), reply([])).value.classes.size).toBe(0);
  });
});

test('durations are big-endian counters of 16 bit, and missing bytes are 0', () => {
  const input = { jobClass: 'A', startsAt: Date.UTC(2025, 2, 14, 9, 5) / 1000, shape: 'new' as const };
  const { value } = parse(histogram, input, Buffer.from('00000003000101000f', 'hex'));
  expect(value.slice(0, 5)).toEqual([0, 3, 1, 256, 0]);
  expect(value).toHaveLength(26);
  expect(parse(histogram, input, Buffer.alloc(60, 1)).value).toEqual(new Array(26).fill(257));
  expect(parse(histogram, input, null).value).toEqual(new Array(26).fill(0));
  expect(texts(histogram.commands(input))).toEqual(['get h|A-14-9:5']);
  expect(texts(histogram.commands({ ...input, shape: 'old' }))).toEqual(['get A-14-09:5']);
});

test('the clock of Redis is seconds and microseconds, or unknown', () => {
  expect(texts(clock.commands())).toEqual(['time']);
  expect(parse(clock, undefined, reply(['1741944411', '250000'])).value).toBe(1741944411.25);
  expect(parse(clock, undefined, reply(['x', '1'])).value).toBeNull();
  expect(parse(clock, undefined, reply([])).value).toBeNull();
});

test('the leader is a name, or nobody', () => {
  expect(texts(leader.commands())).toEqual(['get dear-leader']);
  expect(parse(leader, undefined, reply('h:1:x')).value).toBe('h:1:x');
  expect(parse(leader, undefined, null).value).toBe('');
});

test('deploy marks are instants with a label; what is no instant is passed over', () => {
  const day = Date.UTC(2025, 2, 14, 12) / 1000;
  expect(texts(deployMarks.commands(day))).toEqual(['hgetall 20250314-marks']);
  expect(parse(deployMarks, day, hash({ '2025-03-14T09:10:00Z': 'a1b2', someday: 'x' })).value).toEqual([
    { at: Date.UTC(2025, 2, 14, 9, 10) / 1000, label: 'a1b2' },
  ]);
});

// Of four jobs one has been executed by ActiveJob before: a quarter.
test('the share of ActiveJob retries is taken from the next scheduled jobs', () => {
  const wrapped = (executions: unknown) =>
    JSON.stringify({ class: 'Sidekiq::ActiveJob::Wrapper', wrapped: 'A', args: [{ executions }] });
  expect(texts(activeJobRetryShare.commands())).toEqual(['zrange schedule 0 19']);
  const jobs = reply([wrapped(2), wrapped(0), '{"class":"Plain","args":[{"executions":3}]}', 'garbage']);
  expect(parse(activeJobRetryShare, undefined, jobs).value).toBe(0.25);
  expect(parse(activeJobRetryShare, undefined, reply([wrapped('x'), wrapped(null)])).value).toBe(0);
  expect(parse(activeJobRetryShare, undefined, reply([])).value).toBe(0);
});

describe('a trip', () => {
  test('asks for all parts at once and gives each its own values', async () => {
    const redis = fakeRedis({ 'zcard retry': 3, 'zcard dead': 4 });
    const trip = new Trip();
    const [retry, pauses, dead] = [trip.ask(setSize, 'retry'), trip.ask(markedPauses, []), trip.ask(setSize, 'dead')];
    const brought = await trip.go(redis);
    expect(redis.batches).toEqual([['zcard retry', 'zcard dead']]);
    expect([retry, dead].map((ticket) => valueOf(brought.read(ticket)))).toEqual([3, 4]);
    expect(valueOf(brought.read(pauses))).toEqual(new Set());
    expect(brought.cost).toEqual({ roundTrips: 1, commands: 2, bytesIn: 10, milliseconds: 1 });
    expect(brought.refused.size).toBe(0);
  });

  test('tells a refusal from a zero, with part, command and remedy, once for the same sentence', async () => {
    const redis = fakeRedis({ zcard: noPermission('zcard'), 'get a': '1' });
    const trip = new Trip();
    const [retry, dead, one] = [trip.ask(setSize, 'retry'), trip.ask(setSize, 'dead'), trip.ask(counter, 'a')];
    const brought = await trip.go(redis);
    expect(brought.read(retry)).toMatchObject({ ok: false });
    expect(valueOf(brought.read(dead))).toBeNull();
    expect(brought.read(one)).toMatchObject({ ok: true, value: { count: 1 } });
    expect(brought.refused).toEqual(new Map([['set sizes', 2]]));
    expect(brought.notices.map(({ severity, text }) => [severity, text])).toEqual([
      ['warning', expect.stringMatching(/^No set sizes: .*NOPERM.*'zcard'.*gpx_sidekiq acl/)],
    ]);
  });

  test('names the key of a wrong type', async () => {
    const wrongType = new ReplyError('WRONGTYPE Operation against a key holding the wrong kind of value');
    const trip = new Trip();
    trip.ask(queueSize, 'low');
    trip.ask(queueSize, 'high');
    const brought = await trip.go(fakeRedis({ 'llen queue:low': wrongType }));
    expect(brought.notices[0]!.text).toBe(
      'No queue sizes: LLEN queue:low failed: WRONGTYPE Operation against a key holding the wrong kind of value. Check what else writes this key.'
    );
  });

  test('fails where everything was refused', async () => {
    const trip = new Trip();
    trip.ask(setSize, 'retry');
    trip.ask(counter, 'a');
    const redis = fakeRedis({ zcard: noPermission('zcard'), get: noPermission('get') });
    await expect(trip.go(redis)).rejects.toMatchObject({ name: 'Fault', kind: 'permission' });
  });

  test('without anything to ask does not go to Redis', async () => {
    const redis = fakeRedis();
    const brought = await new Trip().go(redis);
    expect(redis.batches).toEqual([]);
    expect(brought.cost.roundTrips).toBe(0);
  });

  test('reads a part that is asked for apart before the reply of the next is there, in the same round trip', async () => {
    const events: string[] = [];
    const noted: Part<string, string> = {
      what: 'notes',
      commands: (key) => [command('get', key)],
      parse: (_, key) => {
        events.push(`read ${key}`);
        return { value: key };
      },
    };
    const redis = fakeRedis();
    let answered = Promise.resolve();
    const oneByOne: ReadOnlyRedis = {
      ...redis,
      batch(commands) {
        const before = answered;
        const reply = before.then(() => {
          events.push(`reply ${String(commands[0]!.args[0])}`);
          return redis.batch(commands);
        });
        // Time for whoever waits for this reply, as between two packets.
        answered = reply.then(() => new Promise((resolve) => setImmediate(resolve)));
        return reply;
      },
    };
    const trip = new Trip();
    const tickets = ['a', 'b', 'c'].map((key) => trip.askApart(noted, key));
    const brought = await trip.go(oneByOne);
    expect(events).toEqual(['reply a', 'read a', 'reply b', 'read b', 'reply c', 'read c']);
    expect(tickets.map((ticket) => valueOf(brought.read(ticket)))).toEqual(['a', 'b', 'c']);
    // Each counts the bytes since all were sent.
    expect(brought.cost).toEqual({ roundTrips: 1, commands: 3, bytesIn: 10, milliseconds: 1 });
  });

  test('of more commands than one pipeline holds takes several', async () => {
    const redis = fakeRedis();
    const trip = new Trip();
    const tickets = Array.from({ length: 20_001 }, (_, index) => trip.ask(setSize, `k${index}`));
    redis.answers[`zcard k20000`] = 9;
    const brought = await trip.go(redis);
    expect(redis.batches.map(({ length }) => length)).toEqual([20_000, 1]);
    expect(valueOf(brought.read(tickets[20_000]!))).toBe(9);
    expect(brought.cost).toEqual({ roundTrips: 2, commands: 20_001, bytesIn: 20, milliseconds: 2 });
  });
});

test('a part alone is read, or its refusal thrown', async () => {
  expect(await readPart(fakeRedis({ 'zcard retry': 3 }), setSize, 'retry')).toEqual({ value: 3 });
  await expect(readPart(fakeRedis({ zcard: noPermission('zcard') }), setSize, 'retry')).rejects.toMatchObject({
    kind: 'permission',
  });
  expect(await readPart(fakeRedis(), markedPauses, [])).toEqual({ value: new Set() });
});

test('pairs of a flat list, an odd one is passed over', () => {
  expect(pairsOf(reply(['a', 1, 'b']))).toEqual([[Buffer.from('a'), 1]]);
  expect(pairsOf(null)).toEqual([]);
});

describe('a batch of sidekiq-batch', () => {
  const read = (values: Literal[], failed: Literal = 0) => batch.parse([reply(values), reply(failed)], 'b').value;

  test('has its figures as the gem writes them', () => {
    // HMGET and SCARD of a batch of five jobs of which one failed, by sidekiq-batch on Sidekiq 7.3.10.
    expect(read(['5', '1', '1795876186.6428282', null, null, '0'], 1)).toEqual({
      total: 5,
      pending: 1,
      failed: 1,
      children: 0,
      parent: '',
      createdAt: 1_795_876_186.642_828_2,
      complete: false,
    });
  });

  test('is none where no key of it is there', () => {
    expect(read([null, null, null, null, null, null])).toBeNull();
  });
});
