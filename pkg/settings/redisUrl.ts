import { Fault } from '../faults/fault';
import type { Settings } from './settings';

/** Who connects, and to which database. Empty texts where nothing is given. */
export interface Credentials {
  username: string;
  password: string;
  database: number;
}

/** Where a URL leads to. */
export interface Target extends Credentials {
  /** For messages: no part of the URL in which a secret may stand. */
  address: string;
  where: { host: string; port: number } | { path: string };
  tls: boolean;
}

/** What a URL says that is not there. */
export const NOBODY: Credentials & Pick<Target, 'tls'> = { username: '', password: '', database: 0, tls: false };
const LOCALHOST = 'localhost';
/** `URL` reads no user without a host. */
const NO_HOST = 'none';
const FORMS = 'Use redis://host:6379/0, rediss://host:6380 for TLS, or unix:///path/to/redis.sock.';
const ENCODE =
  'Percent-encode special characters of the password (% is %25, / is %2F, # is %23, ? is %3F, @ is %40), or leave it out of the URL and set "password" (REDIS_PASSWORD).';

/**
 * Reads a Redis URL as Sidekiq's own client does (redis-rb/redis-client, url_config.rb): a user without a password is
 * the password, `?db=` names the database where the path does not, `+` in a password is a space, no host is localhost.
 * A user name is decoded, as redis-rb before 5 does. Also takes `host[:port]`.
 *
 * @throws Fault `settings`; its message repeats nothing in which a secret may stand
 */
export function parseRedisUrl(value: string, field = 'url'): Target {
  const wrong = (why: string, remedy = FORMS) =>
    new Fault({ kind: 'settings', message: `The setting "${field}" ${why}.`, remedy });
  if (value === '') {
    throw wrong('is empty');
  }
  const url = readUrl(value, wrong);
  const scheme = url.protocol.slice(0, -1);
  // Without anything before it a path has no user either.
  const isPathAlone = scheme === 'unix' && url.host === '' && url.username === '' && url.password === '';
  if (`${isPathAlone ? '' : url.pathname}${url.search}${url.hash}`.includes('@')) {
    // A password with / ? or # in it: what stands for the host is its beginning.
    throw wrong('cannot be read as a URL', ENCODE);
  }
  const decode = (text: string): string => {
    try {
      return decodeURIComponent(text.replaceAll('+', ' '));
    } catch {
      throw wrong('holds a % that is not followed by two hexadecimal digits, or bytes that are not UTF-8', ENCODE);
    }
  };
  const user = decode(url.username);
  const secret = decode(url.password);
  const endsInColon = /^[a-z]+:\/\/[^/?#@]*:@/i.test(value);
  const [username, password] = secret === '' && !endsInColon ? ['', user] : [user, secret];
  if (scheme === 'unix') {
    // As it is written: redis-client decodes no path.
    const written = /^(?:unix:)?(?:\/\/[^/?#]*@|\/\/(?!\/))?([^?#]*)/i.exec(value)![1]!;
    const path = `/${written.replace(/^\/+/, '')}`;
    return {
      address: `unix://${path}`,
      where: { path },
      username,
      password,
      database: databaseOf(url.searchParams.get('db') ?? '', wrong),
      tls: false,
    };
  }
  if (scheme !== 'redis' && scheme !== 'rediss') {
    throw wrong('has a scheme other than redis, rediss and unix');
  }
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (host === '' && value.includes('@')) {
    throw wrong('names no host', ENCODE);
  }
  const port = url.port === '' ? 6379 : Number(url.port);
  const path = url.pathname.replace(/^\//, '');
  return {
    address: `${url.hostname || LOCALHOST}:${port}`,
    where: { host: host || LOCALHOST, port },
    username,
    password,
    database: databaseOf(path === '' ? (url.searchParams.get('db') ?? '') : path, wrong),
    tls: scheme === 'rediss',
  };
}

function readUrl(given: string, wrong: (why: string, remedy?: string) => Fault): URL {
  // A path may stand without slashes before it, as redis-client reads it.
  const value = given.replace(/^unix:\/(?!\/)/i, 'unix:///');
  const withScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(value)
    ? value
    : value.startsWith('/')
      ? `unix://${value}`
      : `redis://${value}`;
  try {
    return new URL(withScheme.replace(/^(unix:\/\/[^/?#]*@)\//i, `$1${NO_HOST}/`));
  } catch {
    throw wrong('cannot be read as a URL', value.includes('@') ? ENCODE : FORMS);
  }
}

function databaseOf(text: string, wrong: (why: string, remedy?: string) => Fault): number {
  if (text === '') {
    return 0;
  }
  // With a leading zero, redis-client reads an octal number and redis-rb a decimal one.
  if (!/^(0+|[1-9]\d{0,8})$/.test(text)) {
    throw wrong(
      'names a database that is not a number',
      `Write the number after the host: redis://host:6379/0. ${ENCODE}`
    );
  }
  return Number(text);
}

/**
 * Whether a URL, which others can read, holds a password. A lone user of it is the password where no other is set.
 *
 * @throws Fault `settings` for a URL that cannot be read
 */
export function holdsPassword(url: string, otherPassword: string | undefined, field?: string): boolean {
  const { username, password } = url === '' ? NOBODY : parseRedisUrl(url, field);
  return password !== '' && !(username === '' && otherPassword);
}

/**
 * What settings say of user, password and database, with the URL's where they say nothing. A password in the settings
 * makes a lone user of the URL the user name.
 */
export function credentialsOf(settings: Settings, target: Credentials): Credentials {
  const { password } = settings.secrets;
  // `redis://:secret@host` beside the same secret in REDIS_PASSWORD names no user.
  const named = password && target.username === '' && target.password !== password ? target.password : '';
  const [urlUser, urlPassword] = password && target.username === '' ? [named, ''] : [target.username, target.password];
  return {
    username: settings.username || urlUser,
    password: password || urlPassword,
    database: settings.options.database ?? target.database,
  };
}
