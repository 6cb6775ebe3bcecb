import { Fault } from '../faults/fault';
import type { Settings } from '../settings/settings';

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

const FORMS = 'Use redis://host:6379/0, rediss://host:6380 for TLS, or unix:///path/to/redis.sock.';
const ENCODE =
  'Percent-encode special characters of the password (% is %25, / is %2F, # is %23, ? is %3F, @ is %40), or leave it out of the URL and set "password" (REDIS_PASSWORD).';

/**
 * Reads a Redis URL as Sidekiq's own client does (redis-rb/redis-client, url_config.rb): a user without a password is
 * the password, `?db=` names the database where the path does not, `+` in a password is a space. Also takes
 * `host[:port]`.
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
  const decode = (text: string): string => {
    try {
      return decodeURIComponent(text.replaceAll('+', ' '));
    } catch {
      throw wrong('holds a % that is not followed by two hexadecimal digits', ENCODE);
    }
  };
  const user = decode(url.username);
  const secret = decode(url.password);
  const [username, password] = secret === '' ? ['', user] : [user, secret];
  const scheme = url.protocol.slice(0, -1);
  if (scheme === 'unix') {
    const path = decode(`${url.host === '' ? '' : `/${url.host}`}${url.pathname}`);
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
    throw wrong(`has the scheme "${scheme}"`);
  }
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (host === '') {
    throw wrong('names no host', value.includes('@') ? ENCODE : FORMS);
  }
  const port = url.port === '' ? 6379 : Number(url.port);
  const path = url.pathname.replace(/^\//, '');
  return {
    address: `${url.hostname}:${port}`,
    where: { host, port },
    username,
    password,
    database: databaseOf(path === '' ? (url.searchParams.get('db') ?? '') : path, wrong),
    tls: scheme === 'rediss',
  };
}

function readUrl(value: string, wrong: (why: string, remedy?: string) => Fault): URL {
  const withScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(value)
    ? value
    : value.startsWith('/')
      ? `unix://${value}`
      : `redis://${value}`;
  try {
    return new URL(withScheme);
  } catch {
    throw wrong('cannot be read as a URL', value.includes('@') ? ENCODE : FORMS);
  }
}

function databaseOf(text: string, wrong: (why: string, remedy?: string) => Fault): number {
  if (text === '') {
    return 0;
  }
  if (!/^\d{1,9}$/.test(text)) {
    throw wrong(
      'names a database that is not a number',
      `Write the number after the host: redis://host:6379/0. ${ENCODE}`
    );
  }
  return Number(text);
}

/**
 * What settings say of user, password and database, with the URL's where they say nothing. A password in the settings
 * makes a lone user of the URL the user name.
 */
export function credentialsOf(settings: Settings, target: Credentials): Credentials {
  const { password } = settings.secrets;
  const [urlUser, urlPassword] =
    password && target.username === '' ? [target.password, ''] : [target.username, target.password];
  return {
    username: settings.username || urlUser,
    password: password || urlPassword,
    database: settings.options.database ?? target.database,
  };
}
