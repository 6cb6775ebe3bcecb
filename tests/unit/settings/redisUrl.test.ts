import { describe, expect, test } from 'vitest';
import { Fault } from '../../../pkg/faults/fault';
import { credentialsOf, holdsPassword, parseRedisUrl } from '../../../pkg/settings/redisUrl';
import { parseSettings } from '../../../pkg/settings/settings';
import { faultOf } from '../../support/faults';
import fc, { runs } from '../../support/fastCheck';

/** URL, host and port or path, user, password, database, TLS: as redis-client 0.26's `URLConfig` reads them. */
const READ: Array<[string, string, string, string, number, boolean]> = [
  ['redis://localhost', 'localhost:6379', '', '', 0, false],
  ['redis://localhost:6380/3', 'localhost:6380', '', '', 3, false],
  ['rediss://h:1', 'h:1', '', '', 0, true],
  ['redis://secret@h', 'h:6379', '', 'secret', 0, false],
  ['redis://user:secret@h/2', 'h:6379', 'user', 'secret', 2, false],
  ['redis://:secret@h', 'h:6379', '', 'secret', 0, false],
  ['redis://user:@h', 'h:6379', 'user', '', 0, false],
  ['redis://h/?db=4', 'h:6379', '', '', 4, false],
  ['redis://h/2?db=4', 'h:6379', '', '', 2, false],
  ['redis://h?db=5', 'h:6379', '', '', 5, false],
  ['unix:///tmp/r.sock', '/tmp/r.sock', '', '', 0, false],
  ['unix:///tmp/r.sock?db=7', '/tmp/r.sock', '', '', 7, false],
  ['unix:///tmp/a+b%20c.sock', '/tmp/a+b%20c.sock', '', '', 0, false],
  ['unix:///tmp/redis@main.sock?db=2', '/tmp/redis@main.sock', '', '', 2, false],
  ['unix://tmp/r.sock', '/tmp/r.sock', '', '', 0, false],
  ['unix://u:p%40@/tmp/a+b.sock', '/tmp/a+b.sock', 'u', 'p@', 0, false],
  ['unix:/tmp/r.sock', '/tmp/r.sock', '', '', 0, false],
  ['redis://h/00', 'h:6379', '', '', 0, false],
  ['/tmp/r.sock', '/tmp/r.sock', '', '', 0, false],
  ['unix://u:p@/tmp/r.sock', '/tmp/r.sock', 'u', 'p', 0, false],
  ['redis://[::1]:6379/1', '::1:6379', '', '', 1, false],
  ['redis://u:a+b@h', 'h:6379', 'u', 'a b', 0, false],
  ['redis://u:a%2Bb%40@h', 'h:6379', 'u', 'a+b@', 0, false],
  ['redis://u:p:q@h', 'h:6379', 'u', 'p:q', 0, false],
  ['redis://H.Example/1', 'H.Example:6379', '', '', 1, false],
  ['redis://h:/1', 'h:6379', '', '', 1, false],
  ['redis:///3', 'localhost:6379', '', '', 3, false],
];

describe('a Redis URL', () => {
  test.each(READ)('%s', (url, where, username, password, database, tls) => {
    const target = parseRedisUrl(url);
    const found = 'path' in target.where ? target.where.path : `${target.where.host}:${target.where.port}`;
    expect([found, target.username, target.password, target.database, target.tls]).toEqual([
      where,
      username,
      password,
      database,
      tls,
    ]);
  });

  test('may be a host, with or without a port', () => {
    expect(parseRedisUrl('redis.internal').where).toEqual({ host: 'redis.internal', port: 6379 });
    expect(parseRedisUrl('redis.internal:7000').where).toEqual({ host: 'redis.internal', port: 7000 });
  });

  test.each([
    ['', /"url" is empty/],
    ['http://h', /has a scheme other than/],
    ['redis://h/abc', /names a database that is not a number/],
    ['redis://h/1/', /names a database that is not a number/],
    ['redis://h/010', /names a database that is not a number/],
    ['redis://h/-1', /names a database that is not a number/],
    ['redis://u:p%zz@h', /holds a % that is not followed by two hexadecimal digits/],
    ['redis://u:p#q@h', /cannot be read as a URL.*%23/s],
    ['redis://u:p/q@h', /cannot be read as a URL.*%2F/s],
    ['redis://[', /cannot be read as a URL/],
  ])('%j is refused with the field and a remedy', (url, message) => {
    const said = faultOf(() => parseRedisUrl(url));
    expect(`${said.message} ${said.remedy}`).toMatch(message);
  });

  test('never has its secret in a message or an address', () => {
    const secret = fc.string({ unit: fc.constantFrom(...'kX9%/#?@:+[] \\"'), minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(secret, fc.constantFrom('redis://u:', 'redis://', 'unix://u:', '', 'foo:'), (text, before) => {
        const typed = `Canary${text}Canary`;
        let said: string;
        try {
          said = parseRedisUrl(`${before}${typed}@host/1`).address;
        } catch (error) {
          said = `${(error as Fault).message} ${(error as Fault).remedy}`;
        }
        expect(said).not.toMatch(/canary/i);
      }),
      { numRuns: runs(2000) }
    );
  });
});

test('the settings go before the URL, and a password in them makes a lone user of the URL the user', () => {
  const credentials = (url: string, raw: object = {}) =>
    credentialsOf(parseSettings({ url, ...raw }), parseRedisUrl(url));
  expect(credentials('redis://u:p@h/4')).toEqual({ username: 'u', password: 'p', database: 4 });
  expect(credentials('redis://u@h', { secrets: { password: 's' } })).toEqual({
    username: 'u',
    password: 's',
    database: 0,
  });
  // The same secret in both places names no user.
  expect(credentials('redis://:s@h', { secrets: { password: 's' } })).toMatchObject({ username: '', password: 's' });
  expect(
    credentials('redis://u:p@h/4', { username: 'v', secrets: { password: 's' }, options: { database: 2 } })
  ).toEqual({ username: 'v', password: 's', database: 2 });
});

test.each([
  ['', undefined, false],
  ['redis://h:1/2', undefined, false],
  ['redis://user:secret@h', undefined, true],
  ['redis://user:secret@h', 'other', true],
  // A lone user is the password, or the user of a password that is set elsewhere.
  ['redis://secret@h', undefined, true],
  ['redis://user@h', 'other', false],
  ['redis://user:@h', undefined, false],
] as const)('%o with the password %o elsewhere holds a password: %o', (url, other, expected) => {
  expect(holdsPassword(url, other)).toBe(expected);
});

test('a URL in which a password is looked for is named by its field', () => {
  expect(() => holdsPassword('http://h', undefined, 'REDIS_URL')).toThrow('The setting "REDIS_URL" has a scheme');
});
