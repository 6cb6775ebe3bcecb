import { deflateSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { messagePattern } from '../../../pkg/sidekiq/fingerprint';
import {
  activeJobAttempts,
  activeJobDetails,
  applicationFrame,
  backtraceOf,
  currentAttributes,
} from '../../../pkg/sidekiq/jobDetails';

/** Written by `compress_backtrace` of Sidekiq 7.3.10. */
const COMPRESSED =
  'eJw9jMsOgjAQRX/FdMNGOxQSE/gVQ3Rahocp02ZaTPh7BY27e5Jz7k3BmgT8bEFWu0GtjS6BKcOUc9Ri2+ZatjOfHi4wk8uFOivAGOFF3AeBkZYEAwr2uF0q3RxXP95zU31r9P6fPoNN4CaUke6fvWu1ObRIMgRZCtW9ASPaMsY=';
const LINES = [
  "/usr/lib/ruby/3.1.0/net/http.rb:960:in `connect'",
  "/app/vendor/gems/faraday-2.9/lib/faraday.rb:12:in `call'",
  "/app/jobs/charge_job.rb:31:in `perform'",
];

describe('a backtrace', () => {
  test('is read as Sidekiq stores it: compressed, as a list, as lines', () => {
    expect(backtraceOf({ error_backtrace: COMPRESSED })).toEqual(LINES);
    expect(backtraceOf({ error_backtrace: LINES })).toEqual(LINES);
    expect(backtraceOf({ error_backtrace: LINES.join('\n') })).toEqual(LINES);
  });

  test.each([undefined, null, '', 'no base64 at all', 5, {}, deflateSync('"text"').toString('base64')])(
    'of %o is none',
    (stored) => {
      expect(backtraceOf({ error_backtrace: stored })).toBeNull();
    }
  );

  test('that unpacks to more than a mebibyte is not unpacked', () => {
    const bomb = deflateSync(JSON.stringify(['x'.repeat(2 * 1024 * 1024)])).toString('base64');
    expect(bomb.length).toBeLessThan(5000);
    expect(backtraceOf({ error_backtrace: bomb })).toBeNull();
  });

  test('has the first line of the application, past Ruby and gems', () => {
    expect(applicationFrame(LINES)).toBe(LINES[2]);
    expect(applicationFrame(LINES.slice(0, 2))).toBe(LINES[0]);
    expect(applicationFrame([])).toBeNull();
    expect(applicationFrame(null)).toBeNull();
  });
});

describe('current attributes', () => {
  test('of Sidekiq 6.3 to 7 are a hash, of several classes several', () => {
    const payload = { cattr: { tenant: 5, user: { _aj_globalid: 'gid://app/User/7' } }, cattr_1: { locale: 'de' } };
    expect([...currentAttributes(payload)]).toEqual([
      ['tenant', '5'],
      ['user', 'gid://app/User/7'],
      ['locale', 'de'],
    ]);
  });

  test('of Sidekiq 8 are what ActiveJob 6.1 makes of a hash: pairs, with marked symbols', () => {
    const symbol = (value: string) => ({ _aj_serialized: 'ActiveJob::Serializers::SymbolSerializer', value });
    const cattr = [
      [symbol('tenant'), 5],
      [symbol('role'), symbol('admin')],
      ['user', 'gid'],
    ];
    expect([...currentAttributes({ cattr })]).toEqual([
      ['tenant', '5'],
      ['role', 'admin'],
      ['user', 'gid'],
    ]);
    expect([...currentAttributes({ cattr: [{ tenant: 5, _aj_symbol_keys: ['tenant'] }] })]).toEqual([['tenant', '5']]);
  });

  test.each([undefined, null, 'text', 5, [5], []])('of %o are none', (cattr) => {
    expect([...currentAttributes({ cattr })]).toEqual([]);
  });
});

test('ActiveJob tells its own id, attempts, locale and time zone', () => {
  const inner = {
    job_id: 'a-1',
    executions: 3,
    exception_executions: { '[Net::ReadTimeout]': 2 },
    locale: 'de',
    timezone: 'Berlin',
    priority: null,
  };
  expect(activeJobDetails({ class: 'Sidekiq::ActiveJob::Wrapper', args: [inner] }, false)).toEqual({
    'ActiveJob id': 'a-1',
    'ActiveJob executions': '3',
    'ActiveJob executions by error': '[Net::ReadTimeout]: 2',
    Locale: 'de',
    'Time zone': 'Berlin',
    Priority: '',
  });
  expect(activeJobDetails({ class: 'Plain', args: [inner] }, false)).toBeNull();
});

test('a job of job-iteration tells where it was interrupted; a cursor that is no number may be an argument', () => {
  const inner = { job_id: 'a-1', executions: 1, times_interrupted: 2, total_time: 61.2 };
  const told = (cursor: unknown) =>
    activeJobDetails({ class: 'Sidekiq::ActiveJob::Wrapper', args: [{ ...inner, cursor_position: cursor }] }, false);
  expect(told(500)).toMatchObject({ Cursor: '500', 'Times interrupted': '2', 'Run time before (seconds)': '61.2' });
  expect(told('ada@example.com')!['Cursor']).toMatch(/^hidden/);
  expect(told(null)!['Cursor']).toBe('');
});

describe('a continuable job of ActiveJob', () => {
  // What Rails 8.1 writes: `resume_job` counts the exception itself, `resumptions` is raised when the job goes on.
  const wrapped = (inner: object) => ({
    class: 'Sidekiq::ActiveJob::Wrapper',
    args: [{ job_class: 'ImportJob', ...inner }],
  });
  const continuation = { completed: ['one'], current: ['two', 500] };
  const interrupted = (cursor: string) => `Interrupted at 'two', cursor '${cursor}' (stopping)`;

  test.each([
    ['once', { executions: 1, resumptions: 0, exception_executions: { [interrupted('500')]: 1 } }, 0],
    [
      'twice',
      { executions: 2, resumptions: 1, exception_executions: { [interrupted('1')]: 1, [interrupted('2')]: 1 } },
      0,
    ],
    ['before its first step', { executions: 1, exception_executions: { 'Interrupted not started (stopping)': 1 } }, 0],
    // What job-iteration writes: the first execution stays among them, though it was interrupted.
    [
      'of job-iteration',
      {
        continuation: undefined,
        resumptions: undefined,
        times_interrupted: 3,
        executions: 1,
        exception_executions: {},
      },
      0,
    ],
    [
      'of job-iteration, and failed',
      {
        continuation: undefined,
        resumptions: undefined,
        times_interrupted: 1,
        executions: 3,
        exception_executions: { '[Net::OpenTimeout]': 2 },
      },
      2,
    ],
    ['as nothing but resumptions tells', { executions: 2, resumptions: 2 }, 0],
  ])('that was interrupted %s has not failed', (_, inner, attempts) => {
    expect(activeJobAttempts(wrapped({ continuation, resumptions: 0, ...inner }))).toBe(attempts);
  });

  test.each([
    ['by retry_on', { executions: 3, exception_executions: { '[A::Error, B]': 2, [interrupted('x')]: 1 } }, 2],
    [
      'after it had advanced (Ruby 3.3)',
      { executions: 1, exception_executions: { '{:exception=>#<A::Error: no>}': 1 } },
      1,
    ],
    [
      'after it had advanced (Ruby 3.4)',
      { executions: 1, exception_executions: { '{exception: #<A::Error: no>}': 1 } },
      1,
    ],
  ])('that failed %s has', (_, inner, attempts) => {
    expect(activeJobAttempts(wrapped({ continuation, resumptions: 0, ...inner }))).toBe(attempts);
  });

  test('shows classes of errors, and neither cursors nor messages', () => {
    const details = activeJobDetails(
      wrapped({
        executions: 4,
        continuation,
        exception_executions: {
          [interrupted('alice@example.com')]: 1,
          [interrupted('bob@example.com')]: 2,
          '{:exception=>#<Redis::CannotConnectError: redis://:s3cret@redis:6379>}': 1,
          '[Net::ReadTimeout, Timeout::Error]': 1,
          Mueller: 1,
        },
      }),
      false
    );
    expect(details?.['ActiveJob executions by error']).toBe(
      'interrupted: 3, Redis::CannotConnectError: 1, [Net::ReadTimeout, Timeout::Error]: 1, other: 1'
    );
  });
});

describe('the pattern of a message', () => {
  test.each([
    ['invalid payload for 12345', 'invalid payload for <n>'],
    ["Couldn't find User with 'id'=17 and 'name'=x", "Couldn't find User with <text>=<n> and <text>=x"],
    ['Couldn’t find "User" with id=17', 'Couldn’t find <text> with id=<n>'],
    [
      'Connection refused - connect(2) for "10.0.0.5" port 443',
      'Connection refused - connect(<n>) for <text> port <n>',
    ],
    ['timeout of 10.1.2.3:6379 after 5.5s', 'timeout of <host> after <n>s'],
    ['no route to redis-1.internal:6379', 'no route to <host>'],
    ['GET https://api.example.com/v1/orders/9?x=1 gave 502', 'GET <url> gave <n>'],
    ['lock 8b1c2d3e-1111-2222-3333-444455556666 is held', 'lock <id> is held'],
    ['#<Foo:0x00007f8e1c2d> is frozen', '#<Foo:<address>> is frozen'],
    ['jid 4a5b6c7d8e9f0a1b2c3d4e5f is gone', 'jid <id> is gone'],
    ['mail to a.b@example.com failed', 'mail to <address> failed'],
    ['first line\nsecond 5', 'first line'],
    ['', ''],
  ])('of %o is %o', (message, pattern) => {
    expect(messagePattern(message)).toBe(pattern);
  });

  test('is the same for messages that differ in what varies alone', () => {
    const patterns = Array.from({ length: 268 }, (_, index) =>
      messagePattern(`invalid payload for ${index * 7919}: unknown field "f${index}"`)
    );
    expect(new Set(patterns).size).toBe(1);
  });

  test('takes a bounded time, however long the message', () => {
    for (const hostile of ['a.'.repeat(50_000), '"'.repeat(50_001), '1'.repeat(100_000), 'a-'.repeat(50_000)]) {
      expect(messagePattern(hostile).length).toBeLessThanOrEqual(201);
    }
  });
});
