import {
  Server,
  ServerCredentials,
  status,
  type sendUnaryData,
  type ServerUnaryCall,
  type ServerWritableStream,
} from '@grpc/grpc-js';
import { Fault } from '../faults/fault';
import { serviceOf, servicesOf } from '../grpc/services';
import type { Installation } from '../installation/installation';
import { stateWithin } from '../installation/deadline';
import { log } from '../log';
import { parseEndpoint } from '../settings/endpoint';
import { EXTERNAL_SCALER } from './protocol';
import { parseScaledObject } from './scaledObject';
import { Hold, scaleOf, type Scale } from './scaler';

/** Seconds that KEDA waits for less: its own timeout is three. */
const ANSWER_SECONDS = 2.5;
/** How often a stream looks whether its workers are needed. */
const STREAM_MS = 5000;
const METRIC = 'sidekiq';

interface Ref {
  name: string;
  namespace: string;
  scalerMetadata: Record<string, string>;
}

export interface KedaOptions {
  /** `host:port`. */
  listen: string;
  installation: Installation;
  tls?: { cert: string; key: string };
}

/**
 * Serves KEDA's external scaler. Whatever is not known is a gRPC error, never a number, so that KEDA leaves the replicas
 * as they are.
 *
 * @returns a function that ends it
 * @throws Fault `settings` when the address is malformed or taken
 */
export async function startKeda({ listen, installation, tls }: KedaOptions): Promise<() => Promise<void>> {
  const { host, port } = parseEndpoint('kedaListen', listen);
  const hold = new Hold();
  const scale = async ({ name, namespace, scalerMetadata }: Ref): Promise<Scale> => {
    const asked = parseScaledObject(scalerMetadata);
    const state = await stateWithin(ANSWER_SECONDS, installation, {
      span: `${ANSWER_SECONDS} seconds`,
      remedy: 'Check whether Redis is blocked by a slow command (SLOWLOG GET).',
    });
    const key = JSON.stringify([namespace, name, asked]);
    return hold.keep(key, scaleOf(state, asked), asked.holdSeconds, state.now);
  };
  const server = new Server();
  const streams = new Set<() => void>();
  server.addService(serviceOf(servicesOf([EXTERNAL_SCALER]), 'externalscaler.ExternalScaler'), {
    IsActive: unary(async (ref: Ref) => ({ result: (await scale(ref)).active })),
    GetMetricSpec: unary(async (ref: Ref) => {
      const { target } = await scale(ref);
      return { metricSpecs: [{ metricName: METRIC, targetSize: Math.ceil(target), targetSizeFloat: target }] };
    }),
    GetMetrics: unary(async ({ scaledObjectRef }: { scaledObjectRef: Ref }) => {
      const { value } = await scale(scaledObjectRef);
      return { metricValues: [{ metricName: METRIC, metricValue: Math.ceil(value), metricValueFloat: value }] };
    }),
    StreamIsActive: (call: ServerWritableStream<Ref, { result: boolean }>) => {
      const end = streamActive(call, scale);
      streams.add(end);
      call.on('close', () => streams.delete(end));
    },
  });
  await new Promise<void>((resolve, reject) => {
    const credentials = tls
      ? ServerCredentials.createSsl(null, [{ cert_chain: Buffer.from(tls.cert), private_key: Buffer.from(tls.key) }])
      : ServerCredentials.createInsecure();
    const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
    server.bindAsync(address, credentials, (error) => (error ? reject(cannotListen(listen, error)) : resolve()));
  });
  return () =>
    new Promise((resolve) => {
      streams.forEach((end) => end());
      server.tryShutdown(() => resolve());
    });
}

/** Tells whether the workers are needed, at once and whenever that changes. A figure that is not known tells nothing. */
function streamActive(call: ServerWritableStream<Ref, { result: boolean }>, scale: (ref: Ref) => Promise<Scale>) {
  let told: boolean | undefined;
  const look = async () => {
    try {
      const { active } = await scale(call.request);
      if (active !== told) {
        told = active;
        call.write({ result: active });
      }
    } catch (error) {
      if (!(error instanceof Fault) || error.kind === 'query') {
        clearInterval(timer);
        call.destroy(Object.assign(new Error(String((error as Error).message)), grpcError(error)));
      }
    }
  };
  const timer = setInterval(() => void look(), STREAM_MS);
  call.on('cancelled', () => clearInterval(timer));
  call.on('close', () => clearInterval(timer));
  void look();
  return () => {
    clearInterval(timer);
    call.end();
  };
}

function unary<Request, Answer>(answer: (request: Request) => Promise<Answer>) {
  return (call: ServerUnaryCall<Request, Answer>, done: sendUnaryData<Answer>) => {
    answer(call.request).then(
      (found) => done(null, found),
      (error: unknown) => done(grpcError(error))
    );
  };
}

function grpcError(error: unknown): { code: number; details: string } {
  if (error instanceof Fault) {
    return {
      code: error.kind === 'query' ? status.INVALID_ARGUMENT : status.UNAVAILABLE,
      details: error.explanation,
    };
  }
  log('error', 'the scaler failed unexpectedly', { error: String((error as Error)?.stack ?? error) });
  return { code: status.INTERNAL, details: 'The scaler failed; the log of gpx_sidekiq has the details.' };
}

function cannotListen(address: string, error: Error): Fault {
  return new Fault({
    kind: 'settings',
    message: `Cannot listen at ${address}: ${/EADDRINUSE/.test(error.message) ? 'the port is taken' : error.message}.`,
    remedy: 'Choose another address, or stop what listens there.',
    cause: error,
  });
}
