import { spawnSync } from 'node:child_process';
import { Cluster } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { rowsOf } from '../../pkg/frames/frame';
import { checkHealth } from '../../pkg/source/health';
import { Installation } from '../../pkg/installation/installation';
import { QUERY_TYPES } from '../../pkg/queries/registry';
import { parseSettings } from '../../pkg/settings/settings';
import { ask, askRows, createReader, openAsReader, READER } from '../support/installation';
import { loadRecording, recordedApi } from '../support/recordings';
import { freePort, startRedis, type RedisServer } from '../support/redisServer';

const VERSION = '7.3.10';

describe('a cluster of three nodes over which the keys are spread', () => {
  const api = recordedApi(VERSION);
  const nodes: RedisServer[] = [];
  let alone: RedisServer;
  let single: Installation;
  let spread: Installation;

  beforeAll(async () => {
    for (let node = 0; node < 3; node += 1) {
      const bus = ['--cluster-port', String(await freePort())];
      nodes.push(await startRedis(['--cluster-enabled', 'yes', '--cluster-node-timeout', '1000', ...bus]));
    }
    const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
    redisCli('--cluster', 'create', ...addresses, '--cluster-yes');
    const writer = new Cluster(nodes.map(({ port }) => ({ host: '127.0.0.1', port })));
    await vi.waitFor(async () => expect(await writer.cluster('INFO')).toMatch(/cluster_state:ok/), 15_000);
    // The age of a heartbeat follows from when its process expires: on both at the same instant.
    const asOfMs = Date.now();
    await loadRecording(writer, VERSION, asOfMs);
    writer.disconnect();
    await Promise.all(nodes.map((node) => createReader(node, true)));

    alone = await startRedis();
    await loadRecording(alone.client, VERSION, asOfMs);
    await createReader(alone);
    single = openAsReader(alone, { contextFields: 'region' }, () => api.now);
    spread = openCluster();
  }, 60_000);
  afterAll(async () => {
    single.close();
    spread.close();
    await Promise.all([alone, ...nodes].map((server) => server.stop()));
  });

  function openCluster(commandTimeoutSeconds?: number): Installation {
    const clusterNodes = `127.0.0.1:${nodes[0]!.port}`;
    const options = { topology: 'cluster', contextFields: 'region', clusterNodes, reuseSeconds: 0 };
    return new Installation(
      parseSettings({
        url: '',
        username: READER,
        options: { ...options, ...(commandTimeoutSeconds && { commandTimeoutSeconds }) },
        secrets: { password: 'PASSWORD' },
      }),
      { clock: () => api.now }
    );
  }

  function redisCli(...args: string[]): void {
    const { status, stdout } = spawnSync('redis-cli', args, { encoding: 'utf8' });
    expect(status, stdout).toBe(0);
  }

  test('no node holds all queues', async () => {
    const sizes = await Promise.all(nodes.map(({ client }) => client.dbsize()));
    expect(Math.min(...sizes)).toBeGreaterThan(0);
  });

  test('the figures are those of Sidekiq’s own API', async () => {
    const [row] = await askRows(spread, { queryType: 'overview' });
    const { processed, failed, scheduled, retry, dead, enqueued, processes, workers } = api.stats;
    expect(row).toMatchObject({ processed, failed, scheduled, retry, dead, enqueued, processes, busy: workers });
  });

  // INFO and CLIENT LIST are of one node.
  test.each(QUERY_TYPES.map(({ id }) => id).filter((id) => id !== 'redis' && id !== 'connections'))(
    '%s gives the rows that one server gives',
    async (id) => {
      const query = { queryType: id, ...(id === 'job' && { jid: api.retry[0]!.jid }) };
      const options = { from: api.now - 3600, to: api.now };
      // Redis gives the fields of a hash in no order, and rows of equal rank stand as they came.
      const rows = async (installation: Installation) =>
        (await ask(installation, query, options)).map((frame) =>
          rowsOf(frame)
            .map((row) => JSON.stringify(row))
            .sort()
        );
      const [ofSpread, ofSingle] = await Promise.all([rows(spread), rows(single)]);
      expect(ofSpread).toEqual(ofSingle);
    }
  );

  test('slots that move to another node are followed', async () => {
    const idOf = async (node: RedisServer) => String(await node.client.cluster('MYID'));
    const [from, to] = await Promise.all([idOf(nodes[0]!), idOf(nodes[1]!)]);
    const before = await askRows(spread, { queryType: 'queues' });
    const reshard = ['--cluster', 'reshard', `127.0.0.1:${nodes[0]!.port}`, '--cluster-slots', '5461', '--cluster-yes'];
    redisCli(...reshard, '--cluster-from', from, '--cluster-to', to);
    expect(await nodes[0]!.client.dbsize()).toBe(0);
    expect(await askRows(spread, { queryType: 'queues' })).toEqual(before);
  });

  test('a node that is down is an outage, and never a part of the figures', async () => {
    await nodes[2]!.stop();
    // At first its port refuses; once the other nodes have noticed, they say CLUSTERDOWN.
    const sentence = new RegExp(`The node 127\\.0\\.0\\.1:${nodes[2]!.port} of the cluster .* is down|CLUSTERDOWN`);
    expect(await checkHealth(spread)).toMatchObject({ ok: false, message: expect.stringMatching(sentence) });
    await expect(ask(spread, { queryType: 'queues' })).rejects.toThrow(sentence);
    const hasty = openCluster(0.3);
    await expect(ask(hasty, { queryType: 'queues' })).rejects.toThrow(sentence);
    hasty.close();
  });
});
