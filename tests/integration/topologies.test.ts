import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { Installation } from '../../pkg/installation/installation';
import { checkHealth } from '../../pkg/source/health';
import type { Secrets } from '../../pkg/settings/model';
import { parseSettings } from '../../pkg/settings/settings';
import { writeFleet } from '../support/fleet';
import { askRows } from '../support/installation';
import { freePort, startRedis, type RedisServer } from '../support/redisServer';
import { startSentinel, type Sentinel } from '../support/sentinel';
import { startServing } from '../support/serve';

const folder = mkdtempSync(join(tmpdir(), 'jobwatch-topologies-'));
const servers: RedisServer[] = [];
const sentinels: Sentinel[] = [];
const opened: Installation[] = [];
afterAll(async () => {
  opened.forEach((installation) => installation.close());
  sentinels.forEach((sentinel) => sentinel.stop());
  await Promise.all(servers.map((server) => server.stop()));
  rmSync(folder, { recursive: true, force: true });
});

function open(url: string, options: Record<string, unknown>, secrets: Secrets = {}): Installation {
  const installation = new Installation(
    parseSettings({ url, options: { reuseSeconds: 0, samplerEnabled: false, ...options }, secrets })
  );
  opened.push(installation);
  return installation;
}

async function start(args: string[] = []): Promise<RedisServer> {
  const server = await startRedis(args);
  servers.push(server);
  return server;
}

const queues = async (installation: Installation) =>
  (await askRows(installation, { queryType: 'queues', figures: ['size'] })).length;

describe('Sentinel', () => {
  test('names the master, survives a failover, and works by Lago’s variables', async () => {
    const master = await start();
    const replica = await start(['--replicaof', '127.0.0.1', String(master.port)]);
    await writeFleet(master.client, 3, 2, 1);
    await vi.waitFor(async () => expect(await replica.client.scard('queues')).toBe(3), { timeout: 15_000 });
    const sentinel = await startSentinel(master.port);
    sentinels.push(sentinel);
    const { port } = sentinel;
    const installation = open('', { topology: 'sentinel', sentinels: `127.0.0.1:${port}` });
    expect(await queues(installation)).toBe(3);

    await master.stop();
    await sentinel.names(replica.port);
    await replica.client.sadd('queues', 'after');
    await vi.waitFor(async () => expect(await queues(installation)).toBe(4), { timeout: 5000, interval: 200 });

    const serving = await startServing('', [], {
      LAGO_REDIS_SIDEKIQ_SENTINELS: ` 127.0.0.1:${port} `,
      LAGO_REDIS_SIDEKIQ_MASTER_NAME: 'mymaster',
    });
    expect((await serving.scrape()).value('sidekiq_up')).toBe(1);
    await serving.stop();

    // The last Sentinel goes, and the server that it named lives on.
    const notice = /No Sentinel of 127\.0\.0\.1:\d+ answers\. .* a failover would not be noticed/;
    expect((await checkHealth(installation)).message).not.toMatch(notice);
    sentinel.stop();
    vi.useFakeTimers({ toFake: ['performance'] });
    await vi.waitFor(
      async () => {
        vi.advanceTimersByTime(10_000);
        expect(await checkHealth(installation)).toMatchObject({ ok: true, message: expect.stringMatching(notice) });
      },
      { timeout: 5000, interval: 100 }
    );
    vi.useRealTimers();
  });

  test('without any Sentinel says where it looked', async () => {
    const { ok, message } = await checkHealth(open('', { topology: 'sentinel', sentinels: '127.0.0.1:1' }));
    expect(ok).toBe(false);
    expect(message).toMatch(/127\.0\.0\.1:1/);
  });
});

describe('a cluster endpoint', () => {
  async function startCluster(args: string[] = []): Promise<RedisServer> {
    // The bus is at port + 10000 by default, which may be too high.
    const server = await start(['--cluster-enabled', 'yes', '--cluster-port', String(await freePort()), ...args]);
    spawnSync('redis-cli', ['-p', String(server.port), 'cluster', 'addslotsrange', '0', '16383']);
    await vi.waitFor(async () => expect(await server.client.cluster('INFO')).toMatch(/cluster_state:ok/), {
      timeout: 10_000,
    });
    await server.client.sadd('queues', 'default');
    await server.client.lpush('queue:default', '{"class":"A","jid":"1","enqueued_at":1}');
    return server;
  }

  test('is read', async () => {
    const { port } = await startCluster(['--cluster-announce-ip', '127.0.0.1']);
    const installation = open('', { topology: 'cluster', clusterNodes: `127.0.0.1:${port}` });
    const rows = await askRows(installation, { queryType: 'queues', figures: ['size'] });
    expect(rows).toEqual([{ queue: 'default', size: 1 }]);
  });

  test('that names no reachable node is an error in time', async () => {
    const { port } = await startCluster();
    const options = { topology: 'cluster', clusterNodes: `127.0.0.1:${port}`, commandTimeoutSeconds: 1 };
    expect(await checkHealth(open('', options))).toMatchObject({ ok: false });
  });
});

describe('TLS', () => {
  const pem = (name: string) => join(folder, `${name}.pem`);
  const openssl = (...args: string[]) => expect(spawnSync('openssl', args, { stdio: 'ignore' }).status).toBe(0);

  async function startTls(): Promise<number> {
    const newKey = ['-newkey', 'rsa:2048', '-nodes'];
    openssl(
      'req',
      '-x509',
      ...newKey,
      '-days',
      '2',
      '-subj',
      '/CN=Jobwatch test CA',
      '-keyout',
      pem('ca-key'),
      '-out',
      pem('ca')
    );
    for (const name of ['server', 'client']) {
      writeFileSync(join(folder, 'san.cnf'), 'subjectAltName=DNS:redis.test,IP:127.0.0.1');
      openssl('req', ...newKey, '-subj', `/CN=${name}`, '-keyout', pem(`${name}-key`), '-out', pem(`${name}-request`));
      openssl(
        'x509',
        '-req',
        '-in',
        pem(`${name}-request`),
        '-CA',
        pem('ca'),
        '-CAkey',
        pem('ca-key'),
        '-CAcreateserial',
        '-days',
        '2',
        '-extfile',
        join(folder, 'san.cnf'),
        '-out',
        pem(name)
      );
    }
    const port = await freePort();
    const server = await start([
      '--tls-port',
      String(port),
      '--tls-cert-file',
      pem('server'),
      '--tls-key-file',
      pem('server-key'),
      '--tls-ca-cert-file',
      pem('ca'),
      '--tls-auth-clients',
      'yes',
    ]);
    await server.client.sadd('queues', 'default');
    return port;
  }

  test('with the CA and a client certificate it reads, without them it says what is wrong', async () => {
    const port = await startTls();
    const read = (name: string) => readFileSync(pem(name), 'utf8');
    const client = { tlsClientCert: read('client'), tlsClientKey: read('client-key') };
    const url = `rediss://127.0.0.1:${port}/0`;
    expect(await queues(open(url, {}, { ...client, tlsCaCert: read('ca') }))).toBe(1);
    expect(await queues(open(url, { tlsSkipVerify: true }, client))).toBe(1);

    const unknownCa = await checkHealth(open(url, {}, client));
    expect(unknownCa).toMatchObject({ ok: false, message: expect.stringMatching(/certificate/i) });
    const wrongName = await checkHealth(
      open(url, { tlsServerName: 'other.test' }, { ...client, tlsCaCert: read('ca') })
    );
    expect(wrongName).toMatchObject({ ok: false, message: expect.stringMatching(/certificate|name/i) });
    const plain = await checkHealth(open(`redis://127.0.0.1:${port}/0`, {}));
    expect(plain.ok).toBe(false);
  });
});

describe('a replica', () => {
  // Found by a review: a replica whose first synchronisation goes on was read as a Sidekiq without jobs.
  test('that has not got its data yet is an error, and holds no zeros', async () => {
    const replica = await start(['--replicaof', '127.0.0.1 1']);
    const installation = open(replica.url, {});
    await expect(installation.state()).rejects.toMatchObject({
      kind: 'connection',
      message: expect.stringContaining('has not been synchronised with its master yet'),
    });
    // A master that is empty holds no Sidekiq.
    await replica.client.call('REPLICAOF', 'NO', 'ONE');
    expect((await installation.state()).snapshot.hasSidekiq).toBe(false);
  });
});
