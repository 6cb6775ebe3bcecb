import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { credentials, type GrpcObject, type ServiceError } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { servicesOf } from '../../pkg/grpc/services';
import { EXTERNAL_SCALER } from '../../pkg/keda/protocol';
import { metricKeys } from '../../pkg/sidekiq/keys';
import { writeFleet } from '../support/fleet';
import { freePort, startRedis, type RedisServer } from '../support/redisServer';
import { startServing, type Serving } from '../support/serve';

/** KEDA's external scaler at the built executable: 3 queues of one job, 2 processes of 10 threads, one of each busy. */

/**
 * A program around KEDA's own `externalscaler` package: `ADDRESS scaler METADATA` makes its scaler, asks for metrics and
 * activity, and prints `{"result": {"metrics": […]}}`; see docs/autoscaling.md.
 */
const client = process.env['KEDA_CLIENT_BIN'];
if (!client) {
  process.stdout.write('The test with KEDA’s own client is skipped: KEDA_CLIENT_BIN names no program.\n');
}

let redis: RedisServer;
let serving: Serving;
let address: string;

beforeAll(async () => {
  redis = await startRedis();
  await writeFleet(redis.client, 3, 2, 1);
  // 120 executions of 5 s in the last minutes: one thread in ten minutes.
  const minute = metricKeys.minute(Date.now() / 1000 - 120);
  await redis.client.hset(minute, { 'PlainJob|p': 120, 'PlainJob|ms': 600_000 });
  address = `127.0.0.1:${await freePort()}`;
  serving = await startServing(redis.url, ['--keda-listen', address, '--reuse-seconds', '0']);
});
afterAll(async () => {
  await serving.stop();
  await redis.stop();
});

type Metadata = Record<string, string>;
const QUEUE: Metadata = { queues: 'queue_0,queue_1,queue_2', threadsPerReplica: '2', holdSeconds: '0' };

function scaler() {
  const { ExternalScaler } = servicesOf([EXTERNAL_SCALER])['externalscaler'] as GrpcObject as unknown as {
    ExternalScaler: new (...args: unknown[]) => Record<string, (...args: unknown[]) => never> & { close(): void };
  };
  return new ExternalScaler(address, credentials.createInsecure());
}

function call<Answer>(method: string, scalerMetadata: Metadata): Promise<Answer> {
  const made = scaler();
  const ref = { name: 'workers', namespace: 'default', scalerMetadata };
  return new Promise<Answer>((resolve, reject) => {
    made[method]!(
      method === 'GetMetrics' ? { scaledObjectRef: ref, metricName: 'sidekiq' } : ref,
      (error: ServiceError | null, answer: Answer) => (error ? reject(error) : resolve(answer))
    );
  }).finally(() => made.close());
}

interface Heard {
  name: string;
  targetFloat: number;
  values: Array<{ float: number }> | null;
  active: boolean;
  code: string;
}

function askByKeda(at: string, metadata: Metadata): Heard[] {
  const { stdout } = spawnSync(client!, [at, 'scaler', JSON.stringify(metadata)], { encoding: 'utf8' });
  const { result } = JSON.parse(stdout) as { result: { metrics: Heard[] | null } | null };
  return result?.metrics ?? [];
}

interface Values {
  metricValues: Array<{ metricValueFloat: number; metricValue: number }>;
}

test('tells threads that are needed, the target, and that there is work', async () => {
  expect(await call('IsActive', QUEUE)).toEqual({ result: true });
  expect(await call('GetMetricSpec', QUEUE)).toEqual({
    metricSpecs: [{ metricName: 'sidekiq', targetSize: 2, targetSizeFloat: 2 }],
  });
  // 2 threads are busy, more than the one of the last ten minutes; 3 jobs of 5 s within 300 s need no further one but part of it.
  const { metricValues } = await call<Values>('GetMetrics', QUEUE);
  expect(metricValues).toEqual([{ metricName: 'sidekiq', metricValue: 3, metricValueFloat: 3 }]);
});

test('tells what is wrong with a trigger', async () => {
  await expect(call('IsActive', {})).rejects.toMatchObject({
    code: 3,
    details: expect.stringMatching(/names no queues.*Give either "workerType" or "queues"/),
  });
});

test('goes to zero and back', async () => {
  const empty = { ...QUEUE, queues: 'queue_9' };
  expect(await call('IsActive', empty)).toEqual({ result: false });
  expect((await call<Values>('GetMetrics', empty)).metricValues[0]!.metricValueFloat).toBe(0);
  await redis.client.sadd('queues', 'queue_9');
  await redis.client.lpush('queue:queue_9', '{"class":"PlainJob","jid":"n","enqueued_at":1790000000}');
  expect(await call('IsActive', empty)).toEqual({ result: true });
  // No thread serves it: the first replica learns how long its jobs take.
  expect((await call<Values>('GetMetrics', empty)).metricValues[0]!.metricValueFloat).toBe(1);
});

test('pushes whether workers are needed, at once', async () => {
  const made = scaler();
  const stream = made['StreamIsActive']!({ name: 'w', namespace: 'd', scalerMetadata: QUEUE }) as unknown as {
    on(event: string, heard: (value: { result: boolean }) => void): void;
    cancel(): void;
  };
  stream.on('error', () => undefined);
  const heard = await new Promise<{ result: boolean }>((resolve) => stream.on('data', resolve));
  expect(heard).toEqual({ result: true });
  stream.cancel();
  made.close();
});

describe.skipIf(!client)('by KEDA’s own Go client', () => {
  test('is heard as it is meant', () => {
    const heard = askByKeda(address, QUEUE);
    expect(heard).toMatchObject([
      { name: expect.stringMatching(/^s0-sidekiq$/), targetFloat: 2, values: [{ float: 3 }], active: true, code: 'OK' },
    ]);
  });

  test('hears an error, and no number, for what is not known', () => {
    for (const metadata of [{}, { workerType: 'none' }]) {
      const [metric] = askByKeda(address, metadata);
      expect(metric?.values ?? []).toEqual([]);
      expect(metric?.active ?? false).toBe(false);
    }
  });
});

test('is an error while Redis is away, and never a number', async () => {
  const other = await startRedis();
  await writeFleet(other.client, 1, 1);
  const at = `127.0.0.1:${await freePort()}`;
  const watch = await startServing(other.url, ['--keda-listen', at, '--reuse-seconds', '0']);
  const before = address;
  address = at;
  const queue = { queues: 'queue_0', metric: 'latency' };
  expect(await call('IsActive', queue)).toEqual({ result: true });
  await other.stop();
  await vi.waitFor(() =>
    expect(call('GetMetrics', queue)).rejects.toMatchObject({
      code: 14,
      details: expect.stringMatching(/Nothing listens/),
    })
  );
  await expect(call('IsActive', queue)).rejects.toMatchObject({ code: 14 });
  address = before;
  expect(await watch.stop()).toBe(0);
});

test('listens beyond this host only where the administrator says so', async () => {
  await expect(startServing(redis.url, ['--keda-listen', `0.0.0.0:${await freePort()}`])).rejects.toThrow(
    /kedaListen.*without a token/
  );
});

test('a connection that never says anything keeps the executable from ending no longer than seconds', async () => {
  const at = await freePort();
  const watch = await startServing(redis.url, ['--keda-listen', `127.0.0.1:${at}`]);
  const silent = connect(at, '127.0.0.1');
  silent.on('error', () => undefined);
  await once(silent, 'connect');
  const began = performance.now();
  expect(await watch.stop()).toBe(0);
  expect(performance.now() - began).toBeLessThan(8000);
  silent.destroy();
});
