import { describe, expect, test } from 'vitest';
import { sampleBacklog } from '../../../pkg/sidekiq/browse/backlog';
import { readDays, readDeployMarks } from '../../../pkg/sidekiq/browse/days';
import { redisInfo } from '../../../pkg/sidekiq/browse/info';
import { readJobs, type JobsAsked } from '../../../pkg/sidekiq/browse/jobs';
import { readRecurring } from '../../../pkg/sidekiq/browse/recurring';
import { unreadable } from '../../../pkg/sidekiq/browse/storedJobs';
import { readPart } from '../../../pkg/sidekiq/parts/part';
import { fakeRedis, noPermission, type FakeRedis } from '../../support/fakeRedis';
import { NOW } from '../../support/state';
import { reply, type Literal } from '../../support/values';

const at = (text: string) => Date.parse(text) / 1000;

describe('recurring entries', () => {
  /** The run that sidekiq-cron enqueued last, and when it did. */
  const PLANNED = ['2026-11-24T10:10:00Z', String(at('2026-11-24T10:10:03Z'))];
  const now = at('2026-11-24T12:00:30Z');
  const read = (answers: Record<string, Literal | Error>, namespaces: string[] = []) =>
    readRecurring(fakeRedis(answers), { cronNamespaces: namespaces }, now);

  test('of sidekiq-cron say when they are due after their last run, where they are enabled', async () => {
    const { entries, notices } = await read({
      'smembers cron_jobs:default': ['cron_job:default:bill', 'cron_job:default:off', 'cron_job:default:gone'],
      'hgetall cron_job:default:bill': [
        ...['name', 'bill', 'klass', 'BillJob', 'cron', '10 * * * *', 'status', 'enabled', 'namespace', 'default'],
        ...['last_enqueue_time', '2026-11-24 10:10:00 +0000', 'message', '{"queue":"billing"}'],
      ],
      'zrevrange cron_job:default:bill:enqueued 0 0 WITHSCORES': PLANNED,
      'hgetall cron_job:default:off': [
        ...['name', 'off', 'klass', 'OffJob', 'cron', '10 * * * *', 'status', 'disabled'],
        ...['last_enqueue_time', '2026-11-24 10:10:00', 'message', ''],
      ],
    });
    expect(entries).toEqual([
      {
        source: 'sidekiq-cron',
        name: 'bill',
        prefix: '',
        class: 'BillJob',
        queue: 'billing',
        schedule: '10 * * * *',
        enabled: true,
        lastAt: at('2026-11-24T10:10:00Z'),
        nextAt: at('2026-11-24T11:10:00Z'),
        lateFrom: at('2026-11-24T11:10:00Z'),
        unreadable: false,
        zoneKnown: true,
      },
      expect.objectContaining({
        name: 'off',
        queue: '',
        enabled: false,
        lastAt: at('2026-11-24T10:10:00Z'),
        nextAt: null,
      }),
    ]);
    expect(notices).toEqual([]);
  });

  // `should_enqueue?` of sidekiq-cron 2.3.1 was false, and its next run 12:10: the line was "0 3 * * *" until a minute ago.
  test('whose line was changed since their last run are due by the new one, and not late by it', async () => {
    const { entries } = await read({
      'smembers cron_jobs:default': ['cron_job:default:bill'],
      'hgetall cron_job:default:bill': [
        ...['name', 'bill', 'klass', 'BillJob', 'cron', '10 * * * *', 'status', 'enabled', 'namespace', 'default'],
        ...['last_enqueue_time', '2026-11-24 03:00:02 +0000'],
      ],
      'zrevrange cron_job:default:bill:enqueued 0 0 WITHSCORES': [
        '2026-11-24T03:00:00Z',
        String(at('2026-11-24T03:00:02Z')),
      ],
    });
    // Late whatever the zone: some are half an hour off.
    expect(entries[0]).toMatchObject({ nextAt: at('2026-11-24T12:10:00Z'), lateFrom: at('2026-11-24T12:40:00Z') });
  });

  // sidekiq-cron 2.x makes up for a minute (`past_scheduled_time?`): of the runs of 11:10 and before nothing comes.
  test('that were disabled await no run of that time', async () => {
    const answers = {
      'smembers cron_jobs:default': ['cron_job:default:bill'],
      'hgetall cron_job:default:bill': [
        ...['name', 'bill', 'klass', 'BillJob', 'cron', '10 * * * * UTC', 'status', 'enabled', 'namespace', 'default'],
        ...['last_enqueue_time', '2026-11-24 09:10:00 +0000'],
      ],
      'zrevrange cron_job:default:bill:enqueued 0 0 WITHSCORES': [
        '2026-11-24T09:10:00Z',
        String(at('2026-11-24T09:10:03Z')),
      ],
    };
    const next = async (disabledUntil?: string) => {
      const until = new Map(disabledUntil === undefined ? [] : [['bill', at(disabledUntil)]]);
      const { entries } = await readRecurring(fakeRedis(answers), {}, now, until);
      return [entries[0]!.nextAt, entries[0]!.lateFrom];
    };
    expect(await next()).toEqual([at('2026-11-24T10:10:00Z'), at('2026-11-24T10:10:00Z')]);
    expect(await next('2026-11-24T11:30:00Z')).toEqual([at('2026-11-24T12:10:00Z'), at('2026-11-24T12:10:00Z')]);
    // Of before the last run it says nothing.
    expect(await next('2026-11-24T08:00:00Z')).toEqual([at('2026-11-24T10:10:00Z'), at('2026-11-24T10:10:00Z')]);
  });

  test('that never ran are due from the time on at which sidekiq-cron saved them, so that they can be late', async () => {
    const { entries } = await read({
      'smembers cron_jobs': ['cron_job:new'],
      'hgetall cron_job:new': ['name', 'new', 'cron', '10 * * * *', 'last_enqueue_time', ''],
      'zrevrange cron_job:new:enqueued 0 0 WITHSCORES': ['2026-11-24T09:10:00Z', String(at('2026-11-24T09:30:00Z'))],
    });
    expect(entries[0]).toMatchObject({ lastAt: null, nextAt: at('2026-11-24T10:10:00Z') });
  });

  test('of which nothing is known are due from now on', async () => {
    const { entries } = await read({
      'smembers cron_jobs': ['cron_job:new'],
      'hgetall cron_job:new': ['name', 'new', 'cron', '10 * * * *', 'last_enqueue_time', ''],
    });
    expect(entries[0]).toMatchObject({ lastAt: null, nextAt: at('2026-11-24T12:10:00Z') });
  });

  test('of namespaces that the operator names are there under their namespace', async () => {
    const answers = {
      'smembers cron_jobs:billing': ['cron_job:billing:b'],
      'hgetall cron_job:billing:b': ['name', 'b', 'namespace', 'billing', 'cron', '10 * * * *'],
    };
    expect((await read(answers)).entries).toEqual([]);
    expect((await read(answers, ['billing'])).entries.map(({ name }) => name)).toEqual(['billing:b']);
  });

  test('of sidekiq-scheduler are read by any name, with state, last and next time', async () => {
    const { entries, notices } = await read({
      'hgetall schedules': [
        ...['constructor', '{"every":"1m","class":"B","queue":"low"}'],
        ...['fine', '{"cron":["*/5 * * * *",{"overlap":false}],"class":"C"}'],
        ...['off', '{"every":"1m","class":"D"}', 'off2', '{"every":"1m","enabled":false}'],
        ...['once', '{"at":"2026/12/24","class":"E"}', 'broken', 'x', 'natural', '{"cron":"every day at noon"}'],
      ],
      'hgetall sidekiq-scheduler:last_times': [
        'fine',
        '2026-11-24 11:55:00 +0000',
        'constructor',
        '2026-11-24 11:58:00 +0000',
        'off',
        '2026-11-24 12:00:00 +0000',
      ],
      'hgetall sidekiq-scheduler:next_times': [
        'once',
        '2026-12-24 00:00:00 +0000',
        'constructor',
        '2030-01-01 00:00:00 +0000',
      ],
      'hgetall sidekiq-scheduler:states': ['off', '{"enabled":false}'],
    });
    const rows = entries.map((entry) => [
      entry.name,
      entry.class,
      entry.queue,
      entry.schedule,
      entry.enabled,
      entry.nextAt,
    ]);
    expect(rows).toEqual([
      // What the scheduler itself wrote after that run stands.
      ['constructor', 'B', 'low', 'every 1m', true, at('2030-01-01T00:00:00Z')],
      ['fine', 'C', '', '*/5 * * * *', true, at('2026-11-24T12:00:00Z')],
      ['off', 'D', '', 'every 1m', false, null],
      ['off2', '', '', 'every 1m', false, null],
      ['once', 'E', '', 'at 2026/12/24', true, at('2026-12-24T00:00:00Z')],
      ['broken', '', '', '', true, null],
      ['natural', '', '', 'every day at noon', true, null],
    ]);
    expect(entries[0]!.lastAt).toBe(at('2026-11-24T11:58:00Z'));
    // The gem writes its times, and enqueues nothing: there is no sidekiq-scheduler:pushed:off.
    expect(entries[2]!.lastAt).toBeNull();
    expect(entries[0]!.source).toBe('sidekiq-scheduler');
    // rufus-scheduler takes cron lines only.
    expect(entries.filter(({ unreadable }) => unreadable).map(({ name }) => name)).toEqual(['broken', 'natural']);
    expect(notices.map(({ text }) => text)).toEqual([
      'The schedule cannot be read, so that the entry does not run: broken, natural.',
    ]);
  });

  test('of sidekiq-scheduler are enabled and scheduled as its load_schedule_job and job_enabled? take them', async () => {
    const { entries } = await read({
      'hgetall schedules': [
        ...['blank', '{"every":"5m","enabled":null}', 'text', '{"every":"5m","enabled":"false"}'],
        ...['null-cron', '{"cron":null,"every":"5m"}', 'empty-cron', '{"cron":"","every":"5m"}'],
        ...[
          'both',
          '{"interval":"1h","at":"2026/12/24"}',
          'state',
          '{"every":"5m"}',
          'on',
          '{"every":"5m","enabled":false}',
        ],
        ...['far', '{"every":"1000000y"}'],
      ],
      'hgetall sidekiq-scheduler:last_times': [
        'null-cron',
        '2026-11-24 11:58:00 +0000',
        'far',
        '2026-11-24 11:58:00 +0000',
      ],
      'hgetall sidekiq-scheduler:states': ['state', '{"enabled":null}', 'on', '{"enabled":true}'],
    });
    expect(entries.map(({ name, enabled, schedule, unreadable }) => [name, enabled, schedule, unreadable])).toEqual([
      ['blank', false, 'every 5m', false],
      ['text', true, 'every 5m', false],
      ['null-cron', true, 'every 5m', false],
      ['empty-cron', true, 'every 5m', false],
      ['both', true, 'at 2026/12/24', false],
      ['state', false, 'every 5m', false],
      ['on', true, 'every 5m', false],
      ['far', true, 'every 1000000y', false],
    ]);
    expect(entries[2]!.nextAt).toBe(at('2026-11-24T12:03:00Z'));
    expect(entries.at(-1)!.nextAt).toBeNull();
  });

  test.each([
    ['enabled', ['status', 'enabled'], true],
    ['no state', [], true],
    ['an empty state', ['status', ''], false],
    ['another state', ['status', 'paused'], false],
  ])('of sidekiq-cron with %s run: as should_enqueue? takes them', async (_, status, enabled) => {
    const { entries } = await read({
      'smembers cron_jobs': ['cron_job:a'],
      'hgetall cron_job:a': ['name', 'a', 'cron', '10 * * * *', ...status],
    });
    expect(entries[0]!.enabled).toBe(enabled);
  });

  test.each([
    [
      'app_mail',
      ['active_job', '1', 'queue_name_prefix', 'app', 'queue_name_delimiter', '_', 'message', '{"queue":"mail"}'],
    ],
    [
      'app.mail',
      ['active_job', 'true', 'queue_name_prefix', 'app', 'queue_name_delimiter', '.', 'message', '{"queue":"mail"}'],
    ],
    ['app_default', ['active_job', '1', 'queue_name_prefix', 'app', 'message', '{}']],
    ['mail', ['active_job', '0', 'queue_name_prefix', 'app', 'message', '{"queue":"mail"}']],
    ['default', ['message', '{"class":"K"}']],
    ['', ['message', 'x']],
  ])('of sidekiq-cron go to the queue %o', async (queue, fields) => {
    const { entries } = await read({
      'smembers cron_jobs': ['cron_job:a'],
      'hgetall cron_job:a': ['name', 'a', 'cron', '10 * * * *', ...fields],
    });
    expect(entries[0]!.queue).toBe(queue);
  });

  test('that are refused are told, the others stand', async () => {
    const { entries, notices } = await read({
      'smembers cron_jobs:default': noPermission('smembers'),
      'hgetall schedules': ['a', '{"every":"1m","class":"B"}'],
      'hgetall sidekiq-scheduler:states': noPermission('hgetall'),
    });
    expect(entries.map(({ name }) => name)).toEqual(['a']);
    expect(notices.map(({ text }) => text.split(':')[0])).toEqual([
      'No sidekiq-cron entries',
      'No sidekiq-scheduler entries',
    ]);
  });

  test('beyond the first thousand are cut, and told', async () => {
    const keys = Array.from({ length: 1001 }, (_, index) => `cron_job:${index}`);
    const { entries, notices } = await read({
      'smembers cron_jobs': keys,
      hgetall: ['name', 'x', 'cron', '* * * * *'],
    });
    expect(entries.filter(({ source }) => source === 'sidekiq-cron')).toHaveLength(1000);
    expect(notices.map(({ text }) => text)).toContain('Only the first 1000 entries of each scheduler were read.');
  });
});

/** A list or sorted set that answers as Redis does. */
function stored(entries: Array<[score: number | null, raw: string]>): FakeRedis {
  const redis = fakeRedis();
  const batch = redis.batch.bind(redis);
  redis.batch = async (commands) => {
    const sorted = [...entries].sort((a, b) => a[0]! - b[0]! || (a[1] < b[1] ? -1 : 1));
    for (const { name, args } of commands) {
      const [key, first, last] = args as [string, number, number];
      const text = [name, ...args.map(String)].join(' ');
      const slice = <T>(all: T[]) =>
        last === -1
          ? all.slice(first)
          : all.slice(first < 0 ? Math.max(0, all.length + first) : first, last < 0 ? all.length + last + 1 : last + 1);
      if (name === 'llen' || name === 'zcard') {
        redis.answers[text] = entries.length;
      } else if (name === 'lrange') {
        redis.answers[text] = slice(entries.map(([, raw]) => raw));
      } else if (name === 'zrange' || name === 'zrevrange') {
        const order = name === 'zrange' ? sorted : [...sorted].reverse();
        redis.answers[text] = slice(order).flatMap(([score, raw]) => [raw, String(score)]);
      } else if (name === 'zcount') {
        const bound = Number(String(first === ('-inf' as never) ? last : first).replace('(', ''));
        redis.answers[text] = sorted.filter(([score]) =>
          first === ('-inf' as never) ? score! < bound : score! > bound
        ).length;
      }
      expect(key).toBeDefined();
    }
    return batch(commands);
  };
  return redis;
}

describe('stored jobs', () => {
  const job = (jid: string, more: object = {}) => JSON.stringify({ class: 'A', jid, ...more });
  const ask = (redis: FakeRedis, part: Partial<JobsAsked>) =>
    readJobs(redis, { source: 'scheduled', queue: '', limit: 100, keeps: () => true, ...part });

  async function allPages(redis: FakeRedis, part: Partial<JobsAsked>): Promise<string[][]> {
    const pages: string[][] = [];
    for (let cursor: string | undefined; pages.length < 100;) {
      const page = await ask(redis, { ...part, ...(cursor !== undefined && { cursor }) });
      pages.push(page.jobs.map(({ jid }) => jid));
      cursor = page.cursor;
      if (cursor === undefined) {
        break;
      }
    }
    return pages;
  }

  test('of one score come on pages that follow each other, each once', async () => {
    const redis = stored(Array.from({ length: 1200 }, (_, index) => [NOW, job(`s${index}`)]));
    const pages = await allPages(redis, { limit: 100 });
    expect(pages).toHaveLength(12);
    expect(new Set(pages.flat()).size).toBe(1200);
  });

  test.each([
    ['without a job id', (index: number) => JSON.stringify({ class: 'A', args: [index] })],
    ['that were pushed again with one job id', (index: number) => job('same', { args: [index] })],
  ])('%s come each once too', async (_, raw) => {
    const redis = stored(Array.from({ length: 1200 }, (_each, index) => [NOW, raw(index)]));
    let found = 0;
    let pages = 0;
    for (let cursor: string | undefined; pages < 20; pages += 1) {
      const page = await ask(redis, { limit: 100, ...(cursor !== undefined && { cursor }) });
      found += page.jobs.length;
      cursor = page.cursor;
      if (cursor === undefined) {
        break;
      }
    }
    expect(found).toBe(1200);
  });

  test('behind more unreadable entries than are looked at once are reached by the cursor', async () => {
    const broken: Array<[number, string]> = Array.from({ length: 5200 }, (_, index) => [
      NOW + index,
      `no JSON ${index}`,
    ]);
    const redis = stored([...broken, [NOW + 9000, job('last')]]);
    const first = await ask(redis, {});
    expect(first).toMatchObject({ jobs: [], broken: 5000 });
    const second = await ask(redis, { cursor: first.cursor! });
    expect(second).toMatchObject({ jobs: [{ jid: 'last' }], moved: false });
  });

  test('go on at the same entry though more have come before it than a page holds', async () => {
    const entries: Array<[number, string]> = Array.from({ length: 300 }, (_, index) => [NOW - index, job(`d${index}`)]);
    const redis = stored(entries);
    const first = await ask(redis, { source: 'dead', limit: 100 });
    entries.push(
      ...Array.from({ length: 1200 }, (_, index): [number, string] => [NOW + 1 + index, job(`new${index}`)])
    );
    const second = await ask(redis, { source: 'dead', limit: 100, cursor: first.cursor! });
    expect(second.moved).toBe(false);
    expect(second.jobs[0]!.jid).toBe('d100');
  });

  test('of one score go on where the entry of the cursor was, though it is gone', async () => {
    const entries: Array<[number, string]> = Array.from({ length: 1200 }, (_, index) => [NOW, job(`s${1000 + index}`)]);
    const redis = stored(entries);
    const first = await ask(redis, { limit: 700 });
    entries.splice(699, 1);
    const second = await ask(redis, { limit: 700, cursor: first.cursor! });
    expect(second.moved).toBe(true);
    expect(second.jobs.map(({ jid }) => jid)).toEqual(Array.from({ length: 500 }, (_, index) => `s${1700 + index}`));
  });

  test('with a score that Redis prints with an exponent have a cursor that is read', async () => {
    const redis = stored([
      [1e-7, job('a')],
      [2e-7, job('b')],
    ]);
    const first = await ask(redis, { limit: 1 });
    expect((await ask(redis, { limit: 1, cursor: first.cursor! })).jobs[0]!.jid).toBe('b');
  });

  test('of a queue come from the next one on, at any depth', async () => {
    // The next job is the last of the list.
    const redis = stored(Array.from({ length: 7000 }, (_, index) => [null, job(`q${6999 - index}`)]));
    const pages = await allPages(redis, { source: 'queue', queue: 'q', limit: 1000 });
    expect(pages.flat()).toEqual(Array.from({ length: 7000 }, (_, index) => `q${index}`));
  });

  test('that are dead come newest first', async () => {
    const redis = stored([
      [NOW - 30, job('old')],
      [NOW - 10, job('new')],
    ]);
    const page = await ask(redis, { source: 'dead' });
    expect(page.jobs.map(({ jid, scoreAt }) => [jid, scoreAt])).toEqual([
      ['new', NOW - 10],
      ['old', NOW - 30],
    ]);
    expect(redis.batches.flat()).toEqual(['zcard dead', 'zrevrange dead 0 7 WITHSCORES']);
  });

  test.each([
    ['scheduled', 'zrange schedule'],
    ['retry', 'zrange retry'],
    ['dead', 'zrevrange dead'],
    ['queue', 'lrange queue:low'],
  ] as const)('of %s are read by %s', async (source, text) => {
    const redis = stored([]);
    expect(await ask(redis, { source, queue: 'low' })).toEqual({
      jobs: [],
      looked: 0,
      total: 0,
      broken: 0,
      implausible: 0,
      oversized: 0,
      moved: false,
    });
    expect(redis.batches.flat().some((each) => each.startsWith(text))).toBe(true);
  });

  test('that left before the cursor do not shift the next page', async () => {
    const entries: Array<[number, string]> = Array.from({ length: 30 }, (_, index) => [NOW + index, job(`s${index}`)]);
    const redis = stored(entries);
    const first = await ask(redis, { limit: 10 });
    entries.splice(0, 5);
    const second = await ask(redis, { limit: 10, cursor: first.cursor! });
    expect(second.jobs[0]!.jid).toBe('s10');
    expect(second.moved).toBe(false);
  });

  test('go on at the same score where the entry of the cursor is gone, and say so', async () => {
    const entries: Array<[number, string]> = Array.from({ length: 30 }, (_, index) => [NOW + index, job(`s${index}`)]);
    for (const [source, expected] of [
      ['scheduled', 's10'],
      ['dead', 's19'],
    ] as const) {
      const kept = [...entries];
      const redis = stored(kept);
      const first = await ask(redis, { source, limit: 10 });
      kept.splice(source === 'dead' ? 20 : 9, 1);
      const second = await ask(redis, { source, limit: 10, cursor: first.cursor! });
      expect(second.jobs[0]!.jid).toBe(expected);
      expect(second.moved).toBe(true);
    }
  });

  test('of a queue begin anew where the entry of the cursor has left', async () => {
    const redis = stored([
      [null, job('b')],
      [null, job('a')],
    ]);
    const page = await ask(redis, { source: 'queue', queue: 'q', cursor: '5||0123456789abcdef' });
    expect(page.jobs.map(({ jid }) => jid)).toEqual(['a', 'b']);
    expect(page.moved).toBe(true);
  });

  test('that are found by a filter are kept, what was looked at is counted', async () => {
    const redis = stored(Array.from({ length: 900 }, (_, index) => [NOW + index, job(`s${index}`)]));
    const page = await ask(redis, { limit: 1, keeps: ({ jid }) => jid === 's700' });
    expect(page).toMatchObject({
      looked: 701,
      total: 900,
      cursor: expect.stringMatching(new RegExp(`^0\\|${NOW + 700}\\|`)),
    });
  });

  test('are looked at 5,000 at a time, with a cursor to go on', async () => {
    const redis = stored(Array.from({ length: 5600 }, (_, index) => [NOW + index, job(`s${index}`)]));
    const page = await ask(redis, { keeps: () => false });
    expect(page).toMatchObject({
      looked: 5000,
      jobs: [],
      cursor: expect.stringMatching(new RegExp(`^0\\|${NOW + 4999}\\|`)),
    });
    expect((await ask(redis, { keeps: () => false, cursor: page.cursor! })).looked).toBe(600);
  });

  test('are looked at until 16 MiB, however few', async () => {
    const redis = stored(
      Array.from({ length: 600 }, (_, index) => [NOW + index, job(`s${index}`, { x: 'x'.repeat(40_000) })])
    );
    // Pages of 4 MiB: no entry beyond the one that fills the sixteen.
    const { looked } = await ask(redis, { keeps: () => false });
    expect(looked * 40_000).toBeGreaterThanOrEqual(16 * 1024 * 1024);
    expect(looked * 40_000).toBeLessThan(21 * 1024 * 1024);
  });

  test('that are no JSON, or have no plausible score, are counted', async () => {
    const redis = stored([
      [NOW, 'OK'],
      [21161548820, job('far')],
      [NOW * 1000, job('ms')],
      [NOW, job('fine')],
    ]);
    const page = await ask(redis, {});
    expect(page).toMatchObject({ broken: 1, implausible: 2, looked: 4 });
    expect(page.jobs.map(({ jid, scoreAt }) => [jid, scoreAt])).toEqual([
      ['fine', NOW],
      ['far', null],
      ['ms', null],
    ]);
  });

  test('carry their place, payload and size', async () => {
    const raw = job('ü');
    const [found] = (await ask(stored([[NOW, raw]]), {})).jobs;
    expect(found).toMatchObject({
      source: 'scheduled',
      raw,
      bytes: Buffer.byteLength(raw),
      payload: { class: 'A', jid: 'ü' },
    });
  });

  test.each(['x', '', '5|abc|j', '-1|5|j', '5', '99999999999999999|1|a'])(
    'a cursor %o that nobody gave is refused',
    async (cursor) => {
      const work = ask(stored([]), { cursor });
      if (cursor === '') {
        await expect(work).resolves.toMatchObject({ looked: 0 });
      } else {
        await expect(work).rejects.toThrow(/^The cursor ".*" cannot be read\.$/);
      }
    }
  );

  test('that may not be read are a fault', async () => {
    const redis = fakeRedis({ zcard: noPermission('zcard') });
    await expect(ask(redis, {})).rejects.toMatchObject({ kind: 'permission' });
  });
});

describe('a look at both ends of a queue', () => {
  const job = (name: string) => JSON.stringify({ class: name, enqueued_at: NOW - 5 });

  test('sees a short queue whole, each job once', async () => {
    const redis = fakeRedis({
      'lrange queue:q -100 -1': [job('B'), job('A')],
      'lrange queue:q 0 99': [job('B'), job('A')],
      'llen queue:q': 2,
    });
    const { samples, notices } = await sampleBacklog(redis, ['q']);
    expect(samples).toMatchObject([{ queue: 'q', size: 2, broken: 0 }]);
    const bytes = Buffer.byteLength(job('B'));
    expect(samples[0]!.classes).toEqual(
      ['B', 'A'].map((name) => ({ class: name, metricsClass: name, jobs: 1, oldestAt: NOW - 5, bytes }))
    );
    expect(notices).toEqual([]);
    expect(redis.batches).toHaveLength(1);
  });

  test('sees no job twice where the ends of a longer one overlap', async () => {
    const jobs = Array.from({ length: 150 }, (_, index) => job(`J${index}`));
    const { samples } = await sampleBacklog(
      fakeRedis({
        'lrange queue:q -100 -1': jobs.slice(-100),
        'lrange queue:q 0 99': jobs.slice(0, 100),
        'llen queue:q': 150,
      }),
      ['q']
    );
    expect(samples[0]!.classes.map((each) => each.jobs)).toEqual(new Array(150).fill(1));
  });

  test('counts what is no job, and leaves out with a notice what is refused', async () => {
    const redis = fakeRedis({
      'lrange queue:a -100 -1': ['OK', job('A')],
      'llen queue:a': 2,
      'llen queue:b': noPermission('llen'),
    });
    const { samples, notices } = await sampleBacklog(redis, ['a', 'b']);
    expect(samples).toMatchObject([{ queue: 'a', broken: 1 }]);
    expect(notices[0]!.text).toMatch(/^No waiting jobs: /);
  });
});

describe('days', () => {
  const now = at('2026-11-25T12:00:00Z');

  test('have Sidekiq’s counters; a missing day is 0, one that is no count unknown', async () => {
    const redis = fakeRedis({
      'get stat:processed:2026-11-24': '20',
      'get stat:failed:2026-11-24': '2',
      'get stat:processed:2026-11-25': 'x',
      'get stat:failed:2026-11-25': noPermission('get'),
    });
    const { days, notices } = await readDays(redis, { from: at('2026-11-23T23:00:00Z'), to: at('2027-01-01') }, now);
    expect(days).toEqual([
      { startsAt: at('2026-11-23'), processed: 0, failed: 0 },
      { startsAt: at('2026-11-24'), processed: 20, failed: 2 },
      { startsAt: at('2026-11-25'), processed: null, failed: null },
    ]);
    expect(notices).toHaveLength(2);
  });

  test('go back five years, deploy marks ninety days, whatever is asked', async () => {
    const redis = fakeRedis();
    const { days } = await readDays(redis, { from: 0, to: now }, now);
    expect(days).toHaveLength(5 * 365);
    await readDeployMarks(redis, { from: 0, to: now }, now);
    expect(redis.batches[1]).toHaveLength(91);
    expect(redis.batches[1]!.at(-1)).toBe('hgetall 20261125-marks');
  });

  test('before what is kept are none', async () => {
    expect((await readDays(fakeRedis(), { from: 0, to: 86_400 }, now)).days).toEqual([]);
  });

  test('have their deploy marks in order', async () => {
    const redis = fakeRedis({
      'hgetall 20261124-marks': ['2026-11-24T10:00:00Z', 'b', '2026-11-24T09:00:00Z', 'a'],
      'hgetall 20261125-marks': noPermission('hgetall'),
    });
    const { marks, notices } = await readDeployMarks(redis, { from: at('2026-11-24'), to: now }, now);
    expect(marks.map(({ label }) => label)).toEqual(['a', 'b']);
    expect(notices[0]!.text).toMatch(/^No deploy marks: /);
  });
});

test('INFO is read line by line', async () => {
  const info =
    '# Server\r\nredis_version:7.0.15\r\nexecutable:/usr/bin/redis:server\r\n\r\n# Memory\r\nused_memory:5\r\n';
  const { value } = await readPart(fakeRedis({ info: info as Literal }), redisInfo, undefined);
  expect([...value]).toEqual([
    ['redis_version', '7.0.15'],
    ['executable', '/usr/bin/redis:server'],
    ['used_memory', '5'],
  ]);
  expect(redisInfo.parse([reply(null)], undefined).value.size).toBe(0);
});

test('unreadable entries are told by their number', () => {
  expect(unreadable(0)).toEqual([]);
  expect(unreadable(1)).toEqual([
    { severity: 'warning', text: '1 entry is not what Sidekiq writes and was left out.' },
  ]);
  expect(unreadable(2)).toEqual([
    { severity: 'warning', text: '2 entries are not what Sidekiq writes and were left out.' },
  ]);
});
