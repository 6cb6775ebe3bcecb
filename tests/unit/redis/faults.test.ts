import { describe, expect, test } from 'vitest';
import { aclLine } from '../../../pkg/redis/acl';
import { concernsAllCommands, endsConnection, redisFault, TLS_TIMEOUT } from '../../../pkg/redis/faults';
import { ProtocolError, ReplyError, TLS_INSTEAD } from '../../../pkg/redis/resp';
import { CLOSED_AT_ONCE } from '../../../pkg/redis/wire';

/** An error as Node's sockets give it. */
function socketError(code: string, message = `connect ${code} 127.0.0.1:6379`): Error {
  return Object.assign(new Error(message), { code });
}

describe('what Redis or the network said becomes a sentence', () => {
  test.each<[Error, string, RegExp, RegExp]>([
    [
      new ReplyError('WRONGPASS invalid username-password pair'),
      'permission',
      /refused the user name or password/,
      /"User" and "Password"/,
    ],
    [
      new ReplyError('NOAUTH Authentication required.'),
      'permission',
      /asks for a password, and none is set \(NOAUTH\)/,
      /"Password"/,
    ],
    [new ReplyError('ERR invalid password'), 'permission', /refused the user name or password/, /"Password"/],
    [
      new ReplyError('ERR AUTH <password> called without any password configured'),
      'permission',
      /asks for no password/,
      /Remove "Password"/,
    ],
    [
      new ReplyError('ERR Client sent AUTH, but no password is set'),
      'permission',
      /asks for no password/,
      /Remove "Password"/,
    ],
    [
      new ReplyError("NOPERM User x has no permissions to run the 'llen' command"),
      'permission',
      /may not do this: NOPERM User x/,
      /gpx_sidekiq acl/,
    ],
    [new ReplyError('MOVED 1234 127.0.0.1:7001'), 'settings', /is a cluster \(MOVED\)/, /"Cluster"/],
    [new ReplyError('CLUSTERDOWN The cluster is down'), 'connection', /cluster .* is down/, /cluster nodes/i],
    [new ReplyError('ERR max number of clients reached'), 'connection', /accepts no further client/, /maxclients/],
    [new ReplyError('ERR DB index is out of range'), 'settings', /no such database/, /"Database"/],
    [new ReplyError('ERR invalid DB index'), 'settings', /no such database/, /"Database"/],
    [
      new ReplyError('ERR SELECT is not allowed in cluster mode'),
      'settings',
      /no such database.*cluster/,
      /"Database" to 0.*"Cluster"/,
    ],
    [
      new ReplyError('LOADING Redis is loading the dataset in memory'),
      'connection',
      /not ready yet/,
      /loaded its data/,
    ],
    [
      new ReplyError('BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.'),
      'connection',
      /is busy with a script/,
      /SCRIPT KILL/,
    ],
    [
      new ReplyError("ERR unknown command 'HSCAN', with args"),
      'permission',
      /does not know the command/,
      /rename-command/,
    ],
    [new ReplyError('MASTERDOWN Link with MASTER is down'), 'connection', /not ready yet/, /found its master/],
    [socketError('ECONNREFUSED'), 'connection', /Nothing listens at h:1/, /"URL" names its host and port/],
    [socketError('ENOTFOUND', 'getaddrinfo ENOTFOUND h'), 'connection', /cannot be resolved/, /host in "URL"/],
    [socketError('ENOENT'), 'connection', /socket h:1 does not exist/, /path in "URL"/],
    [new ProtocolError(TLS_INSTEAD), 'connection', /expects TLS/, /rediss:\/\//],
    [socketError('EPROTO', 'ssl3_get_record:wrong version number'), 'connection', /does not speak TLS/, /redis:\/\//],
    [
      socketError('DEPTH_ZERO_SELF_SIGNED_CERT', 'self-signed certificate'),
      'connection',
      /TLS connection .* failed/,
      /CA certificate/,
    ],
    [
      socketError('CERT_HAS_EXPIRED', 'certificate has expired'),
      'connection',
      /TLS connection .* failed: certificate has expired/,
      /CA certificate/,
    ],
    [new Error('Command timed out'), 'connection', /did not answer in time/, /firewalls/],
    [socketError('ETIMEDOUT'), 'connection', /did not answer in time/, /firewalls/],
    [new Error('All sentinels are unreachable.'), 'connection', /No Sentinel of h:1/, /"Sentinels"/],
    [new Error(TLS_TIMEOUT), 'connection', /TLS handshake with h:1 did not end/, /speaks TLS/],
    [new Error(CLOSED_AT_ONCE), 'connection', /closed before Redis answered/, /rediss:\/\/.*maxclients/],
    [new Error('byte 72 begins no reply'), 'connection', /What listens at \S+ is not Redis/, /"URL"/],
    [new Error('ERR This instance has cluster support disabled'), 'connection', /is no cluster/, /"Topology"/],
    [socketError('EPIPE', 'write EPIPE'), 'connection', /What listens at \S+ is not Redis/, /"URL"/],
    [socketError('ECONNRESET', 'read ECONNRESET'), 'connection', /failed: read ECONNRESET\.$/, /next reading/],
  ])('%s', (error, kind, message, remedy) => {
    const fault = redisFault(error, 'h:1');
    expect(fault.kind).toBe(kind);
    expect(fault.message).toMatch(message);
    expect(fault.remedy).toMatch(remedy);
  });
});

test.each([
  ['WRONGPASS x', true, true],
  ['NOAUTH x', true, true],
  ['MASTERDOWN x', true, true],
  ['MOVED 1 h:1', true, true],
  ['LOADING x', true, false],
  ['CLUSTERDOWN x', true, false],
  ['ERR max number of clients reached', true, false],
  ['ERR DB index is out of range', true, false],
  ['NOPERM x', false, false],
  ['WRONGTYPE x', false, false],
  ['ERR unknown command', false, false],
])('%s concerns all commands: %s, ends the connection: %s', (message, all, ends) => {
  const error = new ReplyError(message);
  expect([concernsAllCommands(error), endsConnection(error)]).toEqual([all, ends]);
});

test('the printed user may read, and nothing else', () => {
  expect(aclLine('jobwatch')).toBe(
    'ACL SETUSER jobwatch reset on >PASSWORD resetchannels ~* -@all +auth +select +get +hgetall +hmget +hscan +info ' +
      '+lindex +llen +lrange +mget +scard +smembers +sscan +time +ttl +zcard +zcount +zrange +zrevrange'
  );
  expect(aclLine('u', '~app:*', true)).toMatch(/~app:\* .*\+cluster\|slots \+readonly/);
});

test('a command that only a cluster client sends is granted with the line for a cluster', () => {
  const noperm = (command: string) =>
    redisFault(new ReplyError(`NOPERM this user has no permissions to run the '${command}' command`), 'here');
  expect(noperm('cluster|slots').remedy).toMatch(/acl --cluster/);
  expect(noperm('llen').remedy).not.toMatch(/--cluster/);
});
