import { describe, expect, test } from 'vitest';
import { connections } from '../../../pkg/queries/connections';
import { aclLine } from '../../../pkg/redis/acl';
import { rowsOfState } from '../../support/ask';
import { noPermission } from '../../support/fakeRedis';
import { aState } from '../../support/state';

/** Lines of a Redis 7.0 and of a 7.2. */
const LIST = [
  'id=146 addr=10.0.0.1:41512 laddr=127.0.0.1:6401 fd=13 name= age=109 idle=1 flags=b db=0 sub=0 psub=0 tot-mem=22315 events=r cmd=brpop user=default redir=-1 resp=3',
  'id=147 addr=10.0.0.1:41514 laddr=127.0.0.1:6401 fd=14 name= age=9 idle=4 flags=N db=0 sub=0 psub=0 tot-mem=1800 events=r cmd=lpush user=default redir=-1 resp=3',
  'id=150 addr=[::1]:5000 fd=1 name=sidekiq age=7 idle=0 flags=N db=0 cmd=get user=app lib-name=redis-rb lib-ver=5.3.0',
  '',
].join('\n');

describe('connections', () => {
  test('are counted by host, name, user and library', async () => {
    const rows = await rowsOfState(connections, aState(), { answers: { 'client list': LIST } });
    expect(rows).toEqual([
      {
        ...{ host: '10.0.0.1', name: '', user: 'default', library: '' },
        ...{ connections: 2, blocked: 1, memory: 24_115, idle: 4, age: 109, commands: 'brpop 1, lpush 1' },
      },
      {
        ...{ host: '::1', name: 'sidekiq', user: 'app', library: 'redis-rb 5.3.0' },
        ...{ connections: 1, blocked: 0, memory: null, idle: 0, age: 7, commands: 'get 1' },
      },
    ]);
    expect(Object.keys(rows[0]!)).toEqual(connections.columns.map(({ name }) => name));
  });

  test('without the right are refused with how it is given', async () => {
    const answers = { 'client list': noPermission('client|list') };
    await expect(rowsOfState(connections, aState(), { answers })).rejects.toThrow('may not use CLIENT LIST');
    await expect(rowsOfState(connections, aState(), { answers })).rejects.toMatchObject({
      remedy: expect.stringContaining('+client|list') as string,
    });
  });

  test('are no right of the smallest user unless it is asked for', () => {
    expect(aclLine('jobwatch')).not.toContain('client');
    expect(aclLine('jobwatch', '~*', false, true)).toMatch(/ \+client\|list$/);
  });
});
