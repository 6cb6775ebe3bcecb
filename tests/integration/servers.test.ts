import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkHealth } from '../../pkg/source/health';
import { Installation } from '../../pkg/installation/installation';
import { QUERY_TYPES } from '../../pkg/queries/registry';
import { parseSettings } from '../../pkg/settings/settings';
import { ask, askRows, createReader, noticesOf, openAsReader } from '../support/installation';
import { loadRecording, recordedApi } from '../support/recordings';
import { startRedis, type RedisServer } from '../support/redisServer';

/** Programs of other servers and versions, separated by commas: Redis 5.0, 6.2, 8, Valkey. */
const PROGRAMS = (process.env['REDIS_SERVERS'] ?? '').split(',').filter((program) => program !== '');
const VERSION = '7.3.10';

if (PROGRAMS.length === 0) {
  process.stdout.write('The tests on other Redis versions and Valkey are skipped: REDIS_SERVERS names no programs.\n');
}

const versionOf = (program: string) =>
  /v=(\S+)/.exec(spawnSync(program, ['--version'], { encoding: 'utf8' }).stdout)?.[1] ?? '?';

describe.skipIf(PROGRAMS.length === 0).each(PROGRAMS.length === 0 ? ['none'] : PROGRAMS)('on %s', (program) => {
  const hasUsers = Number.parseInt(versionOf(program), 10) >= 6;
  let server: RedisServer;
  let installation: Installation;
  const api = recordedApi(VERSION);

  beforeAll(async () => {
    server = await startRedis([], undefined, program);
    await loadRecording(server.client, VERSION);
    if (hasUsers) {
      await createReader(server);
      installation = openAsReader(server, {}, () => api.now);
    } else {
      await server.client.config('SET', 'requirepass', 'PASSWORD');
      // A user is named, which this server does not know: the password alone is sent.
      const settings = { url: server.url, username: 'jobwatch', secrets: { password: 'PASSWORD' } };
      installation = new Installation(parseSettings({ ...settings, options: { reuseSeconds: 0 } }), {
        clock: () => api.now,
      });
    }
  });
  afterAll(async () => {
    installation.close();
    await server.stop();
  });

  test('the figures are those of Sidekiq’s own API', async () => {
    const [row] = await askRows(installation, { queryType: 'overview' });
    const { processed, failed, scheduled, retry, dead, enqueued, processes, workers } = api.stats;
    expect(row).toMatchObject({ processed, failed, scheduled, retry, dead, enqueued, processes, busy: workers });
    const queues = await askRows(installation, { queryType: 'queues' });
    for (const [name, { size }] of Object.entries(api.queues)) {
      expect(
        queues.find(({ queue }) => queue === name),
        name
      ).toMatchObject({ size });
    }
  });

  test('every query type is answered as the minimal user, and nothing is refused', async () => {
    expect(await checkHealth(installation)).toMatchObject({ ok: true });
    for (const { id } of QUERY_TYPES) {
      const options = { from: api.now - 3600, to: api.now };
      const query = { queryType: id, ...(id === 'job' && { jid: api.retry[0]!.jid }) };
      expect(noticesOf(await ask(installation, query, options)).join(), id).not.toMatch(/NOPERM|unknown command/i);
    }
  });

  test('a wrong password is told as one', async () => {
    const settings = { url: server.url, username: hasUsers ? 'jobwatch' : '', secrets: { password: 'WRONG' } };
    const wrong = new Installation(parseSettings(settings));
    expect(await checkHealth(wrong)).toMatchObject({
      ok: false,
      message: expect.stringMatching(/refused the user name or password/),
    });
    wrong.close();
  });
});
