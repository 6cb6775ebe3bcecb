import { describe, expect, test } from 'vitest';
import { ReplyError } from '../../../pkg/redis/resp';
import { LockLooks, type LocksAsked } from '../../../pkg/sidekiq/browse/locks';
import { fakeRedis, type Answers } from '../../support/fakeRedis';
import { NOW, someWork } from '../../support/state';

const ASKED: LocksAsked = {
  now: NOW,
  classes: [],
  work: [],
  queues: ['default'],
  privateQueues: [],
  isWhole: true,
  most: { digests: 100, entries: 1000, bytes: 1e6, seconds: 5 },
};

/** A digest that one job holds, as sidekiq-unique-jobs 8 writes it. */
function aDigest(name: string, jid: string, part: { info?: unknown; at?: string; ttl?: number } = {}): Answers {
  return {
    'zcard uniquejobs:digests': 1,
    'zrange uniquejobs:digests': [name],
    [`hscan ${name}:LOCKED 0 COUNT 100`]: ['0', [jid, part.at ?? String(NOW - 60)]],
    ...(part.ttl !== undefined && { [`ttl ${name}:LOCKED`]: part.ttl }),
    ...(part.info !== undefined && { [`get ${name}:INFO`]: JSON.stringify(part.info) }),
  };
}
const aJob = (jid: string, part: object = {}) => JSON.stringify({ jid, class: 'Bill', queue: 'default', ...part });

async function read(answers: Answers, asked: Partial<LocksAsked> = {}) {
  return new LockLooks().read(fakeRedis(answers), { ...ASKED, ...asked });
}

describe('a lock', () => {
  test('has class, queue and kind by its job where INFO is not written', async () => {
    const { locks } = await read({
      ...aDigest('uniquejobs:1', 'b1'),
      'llen queue:default': 1,
      'lrange queue:default': [aJob('b1', { lock: 'until_executed' })],
    });
    expect(locks).toMatchObject([
      { class: 'Bill', queue: 'default', kind: 'until_executed', place: 'waiting', since: NOW - 60, held: 1 },
    ]);
  });

  test('of sidekiq-unique-jobs 9 tells its class in the value of its holder', async () => {
    const told = { worker: 'Bill', queue: 'low', type: 'while_executing', time: NOW - 5 };
    const { locks } = await read(aDigest('uniquejobs:1:RUN', 'b1', { at: JSON.stringify(told) }));
    expect(locks).toMatchObject([{ class: 'Bill', queue: 'low', kind: 'while_executing', since: NOW - 5 }]);
  });

  test('expires when its key does', async () => {
    const { locks } = await read(aDigest('uniquejobs:1', 'b1', { ttl: 30 }));
    expect(locks[0]?.expiresAt).toBe(NOW + 30);
  });

  test('is where its job is stored, though a process has not yet written that it no longer runs', async () => {
    const { locks } = await read(
      { ...aDigest('uniquejobs:1', 'b1'), 'zcard retry': 1, 'zrange retry': [aJob('b1'), String(NOW + 60)] },
      { work: [someWork({ jid: 'b1' })] }
    );
    expect(locks[0]?.place).toBe('retry');
  });

  test.each(['no JSON', '[]', '{"worker":{"a":1},"type":7,"time":"never"}'])(
    'whose INFO is %s is read all the same',
    async (info) => {
      const { locks } = await read({
        ...aDigest('uniquejobs:1', 'b1', { at: 'soon' }),
        'get uniquejobs:1:INFO': info,
      });
      expect(locks).toMatchObject([{ digest: 'uniquejobs:1', jid: 'b1', since: null, place: 'unseen' }]);
    }
  );

  test('whose keys have another type is left out, with the reason', async () => {
    const { locks, digests, notices } = await read({
      ...aDigest('uniquejobs:1', 'b1'),
      'hscan uniquejobs:1:LOCKED 0 COUNT 100': new ReplyError('WRONGTYPE Operation against a key'),
    });
    expect(locks).toEqual([]);
    expect(digests).toBe(1);
    expect(notices.map(({ text }) => text)).toEqual([
      'No locks of sidekiq-unique-jobs: HSCAN uniquejobs:1:LOCKED failed: WRONGTYPE Operation against a key. Check what else writes this key.',
    ]);
  });

  test('of a set that may not be read is no zero', async () => {
    const { digests, notices } = await read({ 'zcard uniquejobs:digests': new ReplyError('NOPERM no permissions') });
    expect(digests).toBeNull();
    expect(notices.length).toBeGreaterThan(0);
  });
});

describe('a job that is not found', () => {
  const answers = aDigest('uniquejobs:1', 'b1');
  const look = async (looks: LockLooks, now: number, more: Answers = {}) => {
    const { locks } = await looks.read(fakeRedis({ ...answers, ...more }), { ...ASKED, now });
    return [locks[0]?.place, locks[0]?.nowhereSince];
  };

  test('is nowhere when a look 20 s later does not find it either', async () => {
    const looks = new LockLooks();
    expect(await look(looks, NOW)).toEqual(['unseen', null]);
    expect(await look(looks, NOW + 19)).toEqual(['unseen', null]);
    expect(await look(looks, NOW + 20)).toEqual(['nowhere', NOW]);
    expect(await look(looks, NOW + 80)).toEqual(['nowhere', NOW]);
  });

  test('is nowhere from the time on at which it would have been written among those that run', async () => {
    const looks = new LockLooks();
    const fresh = { ...answers, ...aDigest('uniquejobs:1', 'b1', { at: String(NOW - 5) }) };
    expect(await look(looks, NOW, fresh)).toEqual(['unseen', null]);
    expect(await look(looks, NOW + 60, fresh)).toEqual(['nowhere', NOW + 15]);
    expect(await look(looks, NOW + 80, fresh)).toEqual(['nowhere', NOW + 15]);
  });

  test('is nowhere at the first look after a restart, by what was saved', async () => {
    const before = new LockLooks();
    expect(before.isEmpty).toBe(true);
    await look(before, NOW);
    await look(before, NOW + 60);
    const after = new LockLooks();
    after.restore(JSON.parse(JSON.stringify(before.save())));
    expect(after.isEmpty).toBe(false);
    expect(await look(after, NOW + 90)).toEqual(['nowhere', NOW]);
    expect(() => new LockLooks().restore([['a', 1]])).toThrow();
  });

  test('waits where super_fetch keeps what a killed process had taken', async () => {
    const looks = new LockLooks();
    const privateQueues = ['sq|gone:1:a|default', 'sq|gone:1:a|other'];
    const at = async (now: number, more: Answers) => {
      const { locks } = await looks.read(fakeRedis({ ...answers, ...more }), { ...ASKED, now, privateQueues });
      return [locks[0]?.place, locks[0]?.nowhereSince];
    };
    const taken = { 'llen queue:sq|gone:1:a|default': 1, 'lrange queue:sq|gone:1:a|default': [aJob('b1')] };
    expect(await at(NOW, taken)).toEqual(['waiting', null]);
    expect(await at(NOW + 60, taken)).toEqual(['waiting', null]);
    await at(NOW + 120, {});
    expect(await at(NOW + 180, {})).toEqual(['nowhere', NOW + 120]);
  });

  test('counts anew once it was seen, after a long pause, and where the clock was put back', async () => {
    const waits = { 'llen queue:default': 1, 'lrange queue:default': [aJob('b1')] };
    const seen = new LockLooks();
    await look(seen, NOW);
    expect(await look(seen, NOW + 30, waits)).toEqual(['waiting', null]);
    expect(await look(seen, NOW + 40)).toEqual(['unseen', null]);
    const paused = new LockLooks();
    await look(paused, NOW);
    expect(await look(paused, NOW + 600)).toEqual(['unseen', null]);
    const stepped = new LockLooks();
    await look(stepped, NOW);
    expect(await look(stepped, NOW - 3600)).toEqual(['unseen', null]);
  });

  test('is unknown where there are more stored jobs than are looked through', async () => {
    const { locks, notices } = await read(
      { ...answers, 'llen queue:default': 3, 'lrange queue:default': ['1', '2', '3'].map((jid) => aJob(jid)) },
      { most: { ...ASKED.most, entries: 2 } }
    );
    expect(locks[0]?.place).toBe('unknown');
    expect(notices.map(({ text }) => text)).toEqual([
      'It is not known where the jobs of 1 locks are: not all jobs could be looked at, or a job that runs may hold the lock.',
    ]);
  });
});

describe('a look that is not whole', () => {
  const answers = aDigest('uniquejobs:1', 'b1');
  const placeAt = async (looks: LockLooks, now: number, more: Answers = {}, asked: Partial<LocksAsked> = {}) => {
    const { locks } = await looks.read(fakeRedis({ ...answers, ...more }), { ...ASKED, now, ...asked });
    return [locks[0]?.place, locks[0]?.nowhereSince];
  };

  test('calls no job nowhere where queues or running jobs may not be read', async () => {
    const looks = new LockLooks();
    for (const seconds of [0, 60, 120]) {
      expect(await placeAt(looks, NOW + seconds, {}, { isWhole: false })).toEqual(['unknown', null]);
    }
  });

  test('is whole though a job has left since the number was read', async () => {
    const left = { 'zcard retry': 3, 'zrange retry': [aJob('1'), String(NOW), aJob('2'), String(NOW)] };
    const looks = new LockLooks();
    expect(await placeAt(looks, NOW, left)).toEqual(['unseen', null]);
    expect(await placeAt(looks, NOW + 60, left)).toEqual(['nowhere', NOW]);
  });

  test('takes nothing back that others have seen', async () => {
    const looks = new LockLooks();
    await placeAt(looks, NOW);
    expect(await placeAt(looks, NOW + 30, {}, { isWhole: false })).toEqual(['unknown', null]);
    expect(await placeAt(looks, NOW + 60)).toEqual(['nowhere', NOW]);
    // One that was begun earlier and ends later.
    expect(await placeAt(looks, NOW + 59.9)).toEqual(['nowhere', NOW]);
    expect(await placeAt(looks, NOW + 61)).toEqual(['nowhere', NOW]);
  });

  test('asks no further place once its bounds are reached', async () => {
    const redis = fakeRedis({
      ...answers,
      'zcard schedule': 10,
      'zrange schedule': Array.from({ length: 10 }, (_, index) => [aJob(`${index}`), String(NOW)]).flat(),
    });
    const queues = Array.from({ length: 3000 }, (_, index) => `q${index}`);
    await new LockLooks().read(redis, { ...ASKED, queues, most: { ...ASKED.most, entries: 5 } });
    expect(redis.batches.length).toBeLessThan(8);
  });
});

describe('many holders', () => {
  const holders = (count: number) =>
    Array.from({ length: count }, (_, index) => [`j${index}`, String(NOW - 60)]).flat();

  test.each([
    ['77', 100],
    ['0', 600],
  ])('of one lock are read in part, and their number is not told (cursor %s, %i fields)', async (cursor, count) => {
    const { locks } = await read({
      'zcard uniquejobs:digests': 1,
      'zrange uniquejobs:digests': ['uniquejobs:1'],
      'hscan uniquejobs:1:LOCKED 0 COUNT 100': [cursor, holders(count)],
    });
    expect(locks).toHaveLength(100);
    expect(locks[0]?.held).toBeNull();
  });

  test('of all locks are told within a number', async () => {
    const names = Array.from({ length: 100 }, (_, index) => `uniquejobs:${index}`);
    const { locks, notices } = await read({
      'zcard uniquejobs:digests': 100,
      'zrange uniquejobs:digests': names,
      hscan: ['0', holders(100)],
    });
    expect(locks).toHaveLength(2000);
    expect(notices[0]?.text).toBe('The first 2000 of 10000 holders of locks are told.');
  });

  test('of a throttle are those that are not given up for lost, counted by Redis', async () => {
    const live = Array.from({ length: 50 }, (_, index) => [`live${index}`, String(NOW + 900)]).flat();
    const lost = Array.from({ length: 50 }, (_, index) => [`lost${index}`, String(NOW - 1)]).flat();
    const { locks } = await read(
      {
        'zcard throttled:Crawl:concurrency.v2': 170,
        [`zcount throttled:Crawl:concurrency.v2 ${NOW} +inf`]: 50,
        'zrevrange throttled:Crawl:concurrency.v2 0 99 WITHSCORES': [...live, ...lost],
      },
      { classes: ['Crawl'] }
    );
    expect(locks).toHaveLength(50);
    expect(locks[0]).toMatchObject({ jid: 'live0', held: 50, expiresAt: NOW + 900 });
  });

  test('of a throttle have its kind, whatever lock of another gem the job names', async () => {
    const payload = JSON.stringify({ class: 'Crawl', jid: 'live0', queue: 'default', lock: 'until_executed' });
    const { locks } = await read(
      {
        'zcard throttled:Crawl:concurrency.v2': 1,
        [`zcount throttled:Crawl:concurrency.v2 ${NOW} +inf`]: 1,
        'zrevrange throttled:Crawl:concurrency.v2 0 99 WITHSCORES': ['live0', String(NOW + 900)],
        'zcard retry': 1,
        'zrange retry': [payload, String(NOW + 60)],
      },
      { classes: ['Crawl'] }
    );
    expect(locks[0]).toMatchObject({ place: 'retry', kind: 'concurrency' });
  });
});

test('a key that lives for longer than any plausible time has no instant at which it expires', async () => {
  const { locks } = await read(aDigest('uniquejobs:1', 'b1', { ttl: 1e13 }));
  expect(locks[0]?.expiresAt).toBeNull();
});

describe('many locks', () => {
  test('are read from the oldest on, within the number that is asked for', async () => {
    const names = Array.from({ length: 5000 }, (_, index) => `uniquejobs:${index}`);
    const redis = fakeRedis({ 'zcard uniquejobs:digests': 5000, 'zrange uniquejobs:digests': names });
    const { locks, notices } = await new LockLooks().read(redis, ASKED);
    expect(locks.map(({ digest }) => digest)).toEqual(names.slice(0, 100));
    expect(notices[0]?.text).toBe('The 100 oldest of 5000 locks of sidekiq-unique-jobs were read.');
    // The sets, the keys of 100 digests.
    expect(redis.batches).toHaveLength(2);
  });
});

describe('a lock of activejob-uniqueness', () => {
  // By String#underscore of ActiveSupport 6.1.
  test.each([
    ['ClockJob', 'clock_job'],
    ['Bills::RefreshJob', 'bills/refresh_job'],
    ['HTTPServerJob', 'http_server_job'],
    ['V2::APISyncJob', 'v2/api_sync_job'],
    ['SSLError::Retry2Job', 'ssl_error/retry2_job'],
  ])('of %s is found under %s', async (name, key) => {
    const { locks } = await read({ [`ttl activejob_uniqueness:${key}:no_arguments`]: 50 }, { classes: [name] });
    expect(locks).toMatchObject([{ gem: 'activejob-uniqueness', class: name, expiresAt: NOW + 50 }]);
  });

  test('is not that of a job with arguments', async () => {
    const job = (args: unknown[]) =>
      aJob('a1', {
        class: 'Sidekiq::ActiveJob::Wrapper',
        wrapped: 'ClockJob',
        args: [{ job_class: 'ClockJob', arguments: args }],
      });
    const answers = { 'ttl activejob_uniqueness:clock_job:no_arguments': 50, 'llen queue:default': 1 };
    const place = async (args: unknown[]) =>
      (await read({ ...answers, 'lrange queue:default': [job(args)] }, { classes: ['ClockJob'] })).locks[0]?.place;
    expect(await place([1])).toBe('unseen');
    expect(await place([])).toBe('waiting');
    // Of the arguments of a running job nothing is known.
    const work = [someWork({ jid: 'a2', metricsClass: 'ClockJob' })];
    const { locks } = await read(answers, { classes: ['ClockJob'], work });
    expect(locks).toMatchObject([{ place: 'unknown', jid: '' }]);
    // Nor is it known whose lock it is where another one waits: while_executing gives it to the one that runs.
    const both = await read({ ...answers, 'lrange queue:default': [job([])] }, { classes: ['ClockJob'], work });
    expect(both.locks).toMatchObject([{ place: 'unknown', jid: '' }]);
  });
});
