import { spawn, type ChildProcess } from 'node:child_process';
import { createServer, type IncomingMessage } from 'node:http';
import { mkdtempSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { parseExposition } from '../support/exposition';
import { loadRecording, recordedApi } from '../support/recordings';
import { freePort, startRedis, type RedisServer } from '../support/redisServer';
import { startServing, type Serving } from '../support/serve';

const VERSION = '7.3.10';
const EVERY_SECOND = { OTEL_METRIC_EXPORT_INTERVAL: '1000' };
const COLLECTOR = process.env['OTELCOL_BIN'];

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
  await loadRecording(redis.client, VERSION);
});
afterAll(async () => redis.stop());

const closers: Array<() => unknown> = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) {
    await close();
  }
});

async function serving(args: string[], env: NodeJS.ProcessEnv): Promise<Serving> {
  const served = await startServing(redis.url, args, { ...EVERY_SECOND, ...env });
  closers.push(() => served.stop());
  return served;
}

interface Attribute {
  key: string;
  value: { stringValue?: string; intValue?: number };
}
interface Pushed {
  resourceMetrics: Array<{
    resource: { attributes: Attribute[] };
    scopeMetrics: Array<{
      metrics: Array<{
        name: string;
        unit: string;
        gauge?: { dataPoints: Array<{ asDouble: number; attributes: Attribute[] }> };
        sum?: { isMonotonic: boolean; aggregationTemporality: number; dataPoints: Array<{ asDouble: number }> };
        histogram?: unknown;
      }>;
    }>;
  }>;
}

/** What receives OTLP as JSON. @param answer `silent` never answers */
async function receiver(answer: number | 'silent' = 200, said = '{}') {
  const pushed: Array<{ body: Pushed; headers: IncomingMessage['headers'] }> = [];
  const state = { answer, asked: 0 };
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (part: Buffer) => (body += part.toString()));
    request.on('end', () => {
      state.asked += 1;
      if (state.answer === 'silent') {
        return;
      }
      if (state.answer === 200) {
        pushed.push({ body: JSON.parse(body) as Pushed, headers: request.headers });
      }
      response.writeHead(state.answer, { 'Content-Type': 'application/json' }).end(said);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, pushed, state };
}

const AS_JSON = { OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' };

function metricOf({ resourceMetrics }: Pushed, name: string) {
  return resourceMetrics[0]!.scopeMetrics.flatMap(({ metrics }) => metrics).find((metric) => metric.name === name);
}

describe('serve with an OTLP endpoint', () => {
  test('pushes the figures of Sidekiq’s API with the resource and headers of OpenTelemetry’s variables', async () => {
    const { url, pushed } = await receiver();
    await serving([], {
      ...AS_JSON,
      OTEL_EXPORTER_OTLP_ENDPOINT: url,
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20abc',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=staging',
      OTEL_SERVICE_NAME: 'jobs',
    });
    await vi.waitUntil(() => pushed.length > 0, { timeout: 10_000, interval: 50 });
    const [{ body, headers }] = pushed as [(typeof pushed)[number]];
    const { stats } = recordedApi(VERSION);
    expect(metricOf(body, 'sidekiq_processed_jobs_total')?.sum).toMatchObject({
      isMonotonic: true,
      aggregationTemporality: 2,
      dataPoints: [{ asDouble: stats.processed }],
    });
    expect(metricOf(body, 'sidekiq_retry_jobs')?.gauge?.dataPoints).toMatchObject([{ asDouble: stats.retry }]);
    expect(metricOf(body, 'sidekiq_queue_latency_seconds')?.unit).toBe('s');
    expect(headers.authorization).toBe('Bearer abc');
    const resource = Object.fromEntries(
      body.resourceMetrics[0]!.resource.attributes.map(({ key, value }) => [
        key,
        value.stringValue ?? Number(value.intValue),
      ])
    );
    expect(resource).toMatchObject({
      'service.name': 'jobs',
      'deployment.environment.name': 'staging',
      'server.address': '127.0.0.1',
      'server.port': redis.port,
    });
  });

  test('pushes each target as a resource of its own', async () => {
    const { url, pushed } = await receiver();
    const file = join(mkdtempSync(join(tmpdir(), 'otlp-')), 'config.yaml');
    writeFileSync(file, `targets:\n  second:\n    url: ${redis.url}\n`);
    await serving(['--config', file, '--otlp-endpoint', url], AS_JSON);
    const instances = () =>
      new Set(
        pushed.map(
          ({ body }) =>
            body.resourceMetrics[0]!.resource.attributes.find(({ key }) => key === 'service.instance.id')?.value
              .stringValue
        )
      );
    await vi.waitUntil(() => instances().has('second') && instances().size === 2, { timeout: 10_000, interval: 50 });
  });

  test('pushes that Redis cannot be read, and nothing else of it', async () => {
    const own = await startRedis();
    await loadRecording(own.client, VERSION);
    const { url, pushed } = await receiver();
    const served = await startServing(own.url, ['--otlp-endpoint', url], { ...EVERY_SECOND, ...AS_JSON });
    closers.push(() => served.stop());
    await vi.waitUntil(() => pushed.length > 0, { timeout: 10_000, interval: 50 });
    await own.stop();
    const up = () => metricOf(pushed.at(-1)!.body, 'sidekiq_up')?.gauge?.dataPoints[0]?.asDouble;
    await vi.waitUntil(() => up() === 0, { timeout: 15_000, interval: 50 });
    expect(metricOf(pushed.at(-1)!.body, 'sidekiq_processed_jobs_total')).toBeUndefined();
  });

  test('tells once that a collector refuses, and once that it takes metrics again; scrapes go on', async () => {
    const { url, pushed, state } = await receiver(400);
    const { log, scrape } = await serving(['--otlp-endpoint', url], AS_JSON);
    const told = (message: string) => log.filter((line) => line['@message'] === message).length;
    await vi.waitUntil(() => told('metrics could not be pushed') > 0, { timeout: 10_000, interval: 50 });
    await scrape();
    state.answer = 200;
    await vi.waitUntil(() => pushed.length > 1, { timeout: 10_000, interval: 50 });
    expect([told('metrics could not be pushed'), told('metrics are pushed again')]).toEqual([1, 1]);
  });

  test('tells once what a collector says of the points that it takes only in part', async () => {
    const said = '{"partialSuccess":{"rejectedDataPoints":"3","errorMessage":"too old"}}';
    const { url, pushed } = await receiver(200, said);
    const { log } = await serving(['--otlp-endpoint', url], AS_JSON);
    await vi.waitUntil(() => pushed.length > 3, { timeout: 15_000, interval: 50 });
    expect(log.filter((line) => line['@level'] !== 'info')).toMatchObject([
      { '@message': 'OpenTelemetry', message: expect.stringMatching(/Partial Success.*3.*too old/) },
    ]);
  });

  test('answers scrapes and stops while a collector says nothing', async () => {
    const { url, state } = await receiver('silent');
    const { scrape, stop, log } = await serving(['--otlp-endpoint', url], AS_JSON);
    await vi.waitUntil(() => state.asked > 2, { timeout: 10_000, interval: 50 });
    expect((await scrape()).value('sidekiq_up')).toBe(1);
    expect(await stop()).toBe(0);
    expect(log.filter((line) => line['@level'] !== 'info')).toMatchObject([
      { '@message': 'metrics could not be pushed' },
    ]);
  });

  test('refuses an address that is none', async () => {
    await expect(startServing(redis.url, ['--otlp-endpoint', 'collector'])).rejects.toThrow(/otlpEndpoint/);
  });
});

describe.skipIf(!COLLECTOR)('a real OpenTelemetry collector', () => {
  test.each(['http', 'grpc'] as const)('exposes by %s the samples that /metrics has', async (protocol) => {
    const [http, grpc, exposed] = [await freePort(), await freePort(), await freePort()];
    const config = join(mkdtempSync(join(tmpdir(), 'otelcol-')), 'config.yaml');
    writeFileSync(
      config,
      `receivers: { otlp: { protocols: { http: { endpoint: '127.0.0.1:${http}' }, grpc: { endpoint: '127.0.0.1:${grpc}' } } } }
exporters: { prometheus: { endpoint: '127.0.0.1:${exposed}' } }
service: { telemetry: { metrics: { level: none } }, pipelines: { metrics: { receivers: [otlp], exporters: [prometheus] } } }
`
    );
    const collector: ChildProcess = spawn(COLLECTOR!, ['--config', config], { stdio: 'ignore' });
    closers.push(() => collector.kill('SIGKILL'));
    const endpoint = protocol === 'http' ? `http://127.0.0.1:${http}` : `grpc://127.0.0.1:${grpc}`;
    const { scrape } = await serving(['--otlp-endpoint', endpoint], {});
    const read = async () => parseExposition(await (await fetch(`http://127.0.0.1:${exposed}/metrics`)).text());
    await vi.waitUntil(
      async () => (await read().catch(() => null))?.samples.some(({ name }) => name === 'sidekiq_up'),
      { timeout: 20_000, interval: 200 }
    );
    const ours = (await scrape()).samples.filter(({ name }) => name.startsWith('sidekiq_'));
    // The collector adds labels of the resource and of the scope.
    const keyOf = ({ name, labels }: (typeof ours)[number]) => {
      const own = Object.entries(labels).filter(([label]) => !/^(?:job|instance|otel_scope_\w+)$/.test(label));
      return JSON.stringify([name, own.sort()]);
    };
    const theirs = async () => new Map((await read()).samples.map((sample) => [keyOf(sample), sample.value]));
    // The next push has what the scrape has.
    await expect
      .poll(async () => {
        const known = await theirs();
        return ours.map(keyOf).filter((key) => !known.has(key));
      })
      .toEqual([]);
    const byKey = await theirs();
    const still = ours.filter(({ name }) =>
      /^sidekiq_(?:processed_jobs_total|retry_jobs|queue_enqueued_jobs|workers)$/.test(name)
    );
    still.forEach((sample) => expect(byKey.get(keyOf(sample)), keyOf(sample)).toBe(sample.value));
  });
});
