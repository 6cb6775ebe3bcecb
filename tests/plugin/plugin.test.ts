import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeFleet } from '../support/fleet';
import { dataQuery, EXECUTABLE, pluginContext, readArrow, startPlugin, type RunningPlugin } from '../support/plugin';
import { freePort, startRedis, type RedisServer } from '../support/redisServer';

interface DataResponse {
  frames: Uint8Array[];
  error: string;
  status: number;
  errorSource: string;
}

let server: RedisServer;
let plugin: RunningPlugin;

beforeAll(async () => {
  server = await startRedis();
  await writeFleet(server.client, 4, 3, 2);
  plugin = await startPlugin();
});
afterAll(async () => {
  plugin.stop();
  await server.stop();
});

async function query(queries: object[], headers: Record<string, string> = {}, context = pluginContext(server.url)) {
  const request = { pluginContext: context, headers, queries };
  return (await plugin.call<{ responses: Record<string, DataResponse> }>('pluginv2.Data', 'QueryData', request))
    .responses;
}

describe('the handshake', () => {
  test('is one line on stdout, and nothing follows', async () => {
    expect(plugin.handshake).toMatch(/^1\|2\|unix\|\/.+\.sock\|grpc$/);
    await query([dataQuery('A', { queryType: 'queues' })]);
    expect(plugin.stdout).toHaveLength(1);
  });

  test('serves gRPC health for the service plugin', async () => {
    expect(await plugin.call('grpc.health.v1.Health', 'Check', { service: 'plugin' })).toMatchObject({ status: 1 });
  });

  test('refuses a Grafana that asks for mutual TLS, with the reason in its log', async () => {
    await expect(startPlugin({ PLUGIN_CLIENT_CERT: 'x' })).rejects.toThrow(/mutual TLS/);
  });

  test('refuses another protocol version', async () => {
    await expect(startPlugin({ PLUGIN_PROTOCOL_VERSIONS: '1' })).rejects.toThrow(/protocol 1/);
  });

  test('puts its socket where Grafana says, and Shutdown ends it within a second and removes it', async () => {
    const another = await startPlugin({ PLUGIN_UNIX_SOCKET_DIR: '/tmp' });
    expect(another.socket.startsWith('/tmp/')).toBe(true);
    const exited = new Promise<number | null>((resolve) => another.child.once('exit', resolve));
    await another.call('plugin.GRPCController', 'Shutdown', {});
    expect(await exited).toBe(0);
    expect(existsSync(another.socket)).toBe(false);
  });

  test('does not outlive a Grafana that was killed', async () => {
    const script = `require('child_process').spawn(process.argv[1], [], { stdio: ['ignore', 'inherit', 'ignore'] }); setInterval(() => {}, 1000)`;
    const grafana = spawn(process.execPath, ['-e', script, EXECUTABLE], {
      env: { grafana_plugin_type: 'datasource', PLUGIN_PROTOCOL_VERSIONS: '2' },
    });
    const line = await new Promise<string>((resolve) =>
      grafana.stdout.once('data', (bytes: Buffer) => resolve(bytes.toString()))
    );
    const socket = line.split('|')[3]!;
    expect(existsSync(socket)).toBe(true);
    grafana.kill('SIGKILL');
    await expect.poll(() => existsSync(socket), { timeout: 10_000 }).toBe(false);
  });

  test('nothing can be published: permission denied', async () => {
    await expect(plugin.call('pluginv2.Stream', 'PublishStream', { path: 'queues' })).resolves.toMatchObject({
      status: 2,
    });
  });
});

describe('health', () => {
  test('is OK with versions, queues and processes', async () => {
    const answer = await plugin.call<{ status: number; message: string; jsonDetails: Buffer }>(
      'pluginv2.Diagnostics',
      'CheckHealth',
      { pluginContext: pluginContext(server.url) }
    );
    expect(answer.status).toBe(1);
    expect(answer.message).toMatch(/Sidekiq 8\.1\.7 .* 4 queues · 3 processes/);
    expect(JSON.parse(answer.jsonDetails.toString())).toMatchObject({ queues: 4, processes: 3 });
  });

  test('is an error that says what to do, not a failed call', async () => {
    const context = pluginContext(`redis://127.0.0.1:${await freePort()}`, { id: 7 });
    const answer = await plugin.call<{ status: number; message: string }>('pluginv2.Diagnostics', 'CheckHealth', {
      pluginContext: context,
    });
    expect(answer.status).toBe(2);
    expect(answer.message).toMatch(/Nothing listens.*Check that Redis runs there/);
  });

  test('names a setting that is wrong', async () => {
    const context = pluginContext(server.url, { id: 8, jsonData: { reuseSeconds: 'x' } });
    const answer = await plugin.call<{ status: number; message: string }>('pluginv2.Diagnostics', 'CheckHealth', {
      pluginContext: context,
    });
    expect(answer).toMatchObject({ status: 2, message: expect.stringContaining('"reuseSeconds"') });
  });
});

describe('data', () => {
  test.each(['overview', 'queues', 'processes', 'busy'])(
    '%s comes as an Arrow file with name, refId and field metadata',
    async (queryType) => {
      const { A } = await query([dataQuery('A', { queryType })]);
      const { table, name, refId, meta } = readArrow(A!.frames[0]!);
      expect(A).toMatchObject({ status: 200, error: '' });
      expect({ name, refId }).toEqual({ name: queryType, refId: 'A' });
      expect(meta).toHaveProperty('typeVersion');
      expect(table.numRows).toBe({ overview: 1, queues: 4, processes: 3, busy: 6 }[queryType]);
      expect(JSON.parse(table.schema.fields[0]!.metadata.get('config')!)).toHaveProperty('description');
    }
  );

  test('is of the type that the query holds, where the type beside it is another, as Grafana’s form of alert rules sends it', async () => {
    const stale = { ...dataQuery('A', { queryType: 'processes' }), queryType: 'queues' };
    const untyped = { ...dataQuery('B', {}), queryType: 'busy' };
    const { A, B } = await query([stale, untyped]);
    expect([A, B].map((each) => readArrow(each!.frames[0]!).name)).toEqual(['processes', 'busy']);
  });

  test('a query that fails leaves its neighbours alone, with its own status and source', async () => {
    const responses = await query([
      dataQuery('A', { queryType: 'queues' }),
      dataQuery('B', { queryType: 'nope' }),
      { ...dataQuery('C', {}), json: Buffer.from('not json') },
    ]);
    expect(responses['A']).toMatchObject({ status: 200, error: '' });
    expect(responses['B']).toMatchObject({
      status: 400,
      errorSource: 'plugin',
      error: expect.stringContaining('no query type "nope"'),
    });
    expect(responses['C']).toMatchObject({ status: 400, error: expect.stringContaining('Query C is not JSON') });
  });

  test('Redis away is a downstream error', async () => {
    const context = pluginContext(`redis://127.0.0.1:${await freePort()}`, { id: 9 });
    const { A } = await query([dataQuery('A', { queryType: 'queues' })], {}, context);
    expect(A).toMatchObject({ status: 502, errorSource: 'downstream' });
  });

  test('without rows is a sentence for a person, and has no row for an expression, a program or an alert rule', async () => {
    const empty = { queryType: 'errors' };
    const fieldsOf = async (model: object, headers: Record<string, string> = {}) => {
      const { A } = await query([dataQuery('A', model)], headers);
      const { table } = readArrow(A!.frames[0]!);
      return { names: table.schema.fields.map(({ name }) => name), rows: table.numRows };
    };
    expect(await fieldsOf({ ...empty, reader: true })).toEqual({ names: ['message'], rows: 1 });
    const { names, rows } = await fieldsOf(empty);
    expect({ names: names.slice(0, 2), rows }).toEqual({ names: ['errorClass', 'class'], rows: 0 });
    const alert = await fieldsOf({ ...empty, figures: ['count'], reader: true }, { FromAlert: 'true' });
    expect(alert).toMatchObject({ rows: 0 });
    expect(alert.names).toContain('count');
  });

  test('an alert rule is told to choose one figure, and gets labels and one number', async () => {
    const headers = { FromAlert: 'true' };
    const { A, B } = await query(
      [dataQuery('A', { queryType: 'queues' }), dataQuery('B', { queryType: 'queues', figures: ['latency'] })],
      headers
    );
    expect(A).toMatchObject({ status: 400, error: expect.stringContaining('needs one figure') });
    const { table, meta } = readArrow(B!.frames[0]!);
    expect(meta['type']).toBe('numeric-long');
    expect(table.schema.fields.map(({ name }) => name)).toEqual(['queue', 'latency']);
  });

  test('one refresh of many panels costs Redis one snapshot', async () => {
    const context = pluginContext(server.url, { id: 11, jsonData: { reuseSeconds: 1 } });
    await query([dataQuery('A', { queryType: 'overview' })], {}, context);
    const before = Number(/total_commands_processed:(\d+)/.exec(await server.client.info('stats'))?.[1]);
    await Promise.all(
      Array.from({ length: 20 }, (_, index) => query([dataQuery(`P${index}`, { queryType: 'queues' })], {}, context))
    );
    const after = Number(/total_commands_processed:(\d+)/.exec(await server.client.info('stats'))?.[1]);
    expect(after - before).toBeLessThan(100);
  });

  test('QueryChunkedData streams the same frames, as JSON where asked', async () => {
    const call = plugin.stream('pluginv2.Data', 'QueryChunkedData', {
      pluginContext: pluginContext(server.url),
      queries: [dataQuery('A', { queryType: 'queues' })],
      format: 1,
    });
    const chunks: Array<{ refId: string; frame: Buffer }> = [];
    for await (const chunk of call) {
      chunks.push(chunk);
    }
    expect(chunks).toHaveLength(1);
    expect(JSON.parse(chunks[0]!.frame.toString())).toHaveProperty('schema.name', 'queues');
  });
});

describe('resources', () => {
  async function get(path: string, method = 'GET', headers: Record<string, { values: string[] }> = {}) {
    const call = plugin.stream('pluginv2.Resource', 'CallResource', {
      pluginContext: pluginContext(server.url),
      path: path.split('?')[0],
      url: path,
      method,
      headers,
    });
    for await (const answer of call) {
      const {
        code,
        headers: sent,
        body,
      } = answer as { code: number; headers: Record<string, { values: string[] }>; body: Buffer };
      return { code, type: sent['Content-Type']?.values[0], body: body.toString() };
    }
    throw new Error('no answer');
  }

  test('catalog lists what can be asked', async () => {
    const { code, type, body } = await get('catalog');
    expect({ code, type }).toEqual({ code: 200, type: 'application/json' });
    const ids = (JSON.parse(body) as Array<{ id: string }>).map(({ id }) => id);
    expect(ids).toEqual(expect.arrayContaining(['overview', 'queues', 'processes', 'busy']));
  });

  test('values gives a field’s values, narrowed by filters', async () => {
    expect(JSON.parse((await get('values?queryType=queues&field=queue')).body)).toHaveLength(4);
    const filters = encodeURIComponent(
      JSON.stringify({ filters: [{ field: 'queue', operator: '=~', values: ['.*_[12]'] }] })
    );
    expect(JSON.parse((await get(`values?queryType=queues&field=queue&query=${filters}`)).body)).toEqual([
      'queue_1',
      'queue_2',
    ]);
    expect(JSON.parse((await get('values?queryType=processes&field=host')).body)).toEqual([
      'host-0',
      'host-1',
      'host-2',
    ]);
  });

  test('metrics is the Prometheus text', async () => {
    const { code, type, body } = await get('metrics');
    expect(code).toBe(200);
    expect(type).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(body).toMatch(/^sidekiq_up 1$/m);
    expect(body).toMatch(/^sidekiq_processed_jobs_total 100$/m);
  });

  test.each([
    ['nope', 'GET', 404, /There is no resource "nope"/],
    ['catalog', 'POST', 405, /POST is not allowed/],
    ['values?queryType=queues&field=size', 'GET', 400, /no text field "size"/],
    ['values?queryType=queues&field=queue&query=%7B', 'GET', 400, /"query" is not JSON/],
  ])('%s by %s answers %i', async (path, method, status, message) => {
    const { code, body } = await get(path, method);
    expect(code).toBe(status);
    expect(JSON.parse(body)).toHaveProperty('message', expect.stringMatching(message));
  });
});

describe('streams', () => {
  test('a channel is subscribed with its first frame and pushes others, data alone while the schema stays', async () => {
    const request = {
      pluginContext: pluginContext(server.url),
      path: 'queues/x',
      data: Buffer.from(JSON.stringify({ figures: ['size'], intervalMs: 1000 })),
    };
    const subscribed = await plugin.call<{ status: number; data: Buffer }>(
      'pluginv2.Stream',
      'SubscribeStream',
      request
    );
    expect(subscribed.status).toBe(0);
    expect(JSON.parse(subscribed.data.toString())).toHaveProperty('schema.fields.0.name', 'time');
    const call = plugin.stream('pluginv2.Stream', 'RunStream', request);
    call.on('error', () => undefined);
    const packets: Array<Record<string, unknown>> = [];
    for await (const packet of call) {
      packets.push(JSON.parse((packet as { data: Buffer }).data.toString()) as Record<string, unknown>);
      if (packets.length === 2) {
        break;
      }
    }
    call.cancel();
    expect(packets[0]).toHaveProperty('schema');
    expect(packets[1]).not.toHaveProperty('schema');
    expect(packets[1]).toHaveProperty('data.values.2');
  });

  test('an unknown channel is not found', async () => {
    expect(
      await plugin.call('pluginv2.Stream', 'SubscribeStream', {
        pluginContext: pluginContext(server.url),
        path: 'nope',
      })
    ).toMatchObject({ status: 1 });
  });
});

describe('instances', () => {
  test('a changed data source is opened new and the old connection closed', async () => {
    const url = `${server.url.slice(0, -2)}/0`;
    const count = async () =>
      String(await server.client.client('LIST'))
        .split('\n')
        .filter((line) => /cmd=/.test(line)).length;
    await query([dataQuery('A', { queryType: 'overview' })], {}, pluginContext(url, { id: 20, lastUpdatedMS: 1 }));
    const before = await count();
    await query([dataQuery('A', { queryType: 'overview' })], {}, pluginContext(url, { id: 20, lastUpdatedMS: 2 }));
    await expect.poll(count).toBe(before);
  });

  test('the plugin’s own figures count them', async () => {
    const { metrics } = await plugin.call<{ metrics: { prometheus: Buffer } }>(
      'pluginv2.Diagnostics',
      'CollectMetrics',
      {}
    );
    const text = metrics.prometheus.toString();
    expect(text).toMatch(/jobwatch_plugin_instances [1-9]/);
    expect(text).toMatch(/jobwatch_plugin_queries_total\{type="queues",outcome="ok"\} \d+/);
  });
});

test('log lines are hclog JSON, and secrets are in none', async () => {
  const context = pluginContext('redis://127.0.0.1:1', { id: 30, user: 'u', secrets: { password: 'TOPSECRET' } });
  await query([dataQuery('A', { queryType: 'overview' })], {}, context);
  for (const line of plugin.stderr) {
    expect(JSON.parse(line)).toHaveProperty('@level');
  }
  expect(plugin.stderr.join()).not.toContain('TOPSECRET');
});

test('a password in the URL, which every viewer can read, is refused with the place where it belongs', async () => {
  const secret = 'CanaryInTheUrl';
  for (const url of [`redis://u:${secret}@127.0.0.1:1`, `redis://${secret}@127.0.0.1:1`]) {
    const answer = await plugin.call<{ status: number; message: string }>('pluginv2.Diagnostics', 'CheckHealth', {
      pluginContext: pluginContext(url, { id: 77, lastUpdatedMS: url.length }),
    });
    expect(answer.status).toBe(2);
    expect(answer.message).toMatch(/"url" holds a password.*secureJsonData\.password/);
    expect(answer.message).not.toContain(secret);
  }
});
