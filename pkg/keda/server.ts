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
import type { Source } from '../source/source';
import { stateWithin, tooLate, within } from '../source/deadline';
import { log } from '../log';
import { parseEndpoint } from '../settings/endpoint';
import { EXTERNAL_SCALER } from './protocol';
import { checkNamed, isActive, needsDue, scaleOf, targetOf } from './scaler';
import { parseScaledObject, type ScaledObject } from '../settings/scaledObject';
import { Hold, type Scale } from '../watch/hold';

/** Seconds that KEDA waits for less: its own timeout is three. */
const ANSWER_SECONDS = 2.5;
/** How often a stream looks whether its workers are needed. */
const STREAM_MS = 5000;
const METRIC = 'sidekiq';
/** Metadata of a trigger take some hundred bytes. */
const LARGEST_REQUEST = 64 * 1024;
const LONGEST_NAME = 253;
const MOST_STREAMS = 1000;
/** Calls in flight have so long to end when the server closes. */
const CLOSE_MS = 3000;

interface Ref {
  name: string;
  namespace: string;
  scalerMetadata: Record<string, string>;
}

const NOBODY: Ref = { name: '', namespace: '', scalerMetadata: {} };

export interface KedaOptions {
  /** `host:port`. */
  listen: string;
  source: Source;
  tls?: { cert: string; key: string };
}

/**
 * Serves KEDA's external scaler. Whatever is not known is a gRPC error, never a number, so that KEDA leaves the replicas
 * as they are.
 *
 * @returns a function that ends it
 * @throws Fault `settings` when the address is malformed or taken
 */
export async function startKeda({ listen, source, tls }: KedaOptions): Promise<() => Promise<void>> {
  const { host, port } = parseEndpoint('kedaListen', listen);
  const hold = new Hold();
  const look = async (ref: Ref) => {
    const asked = parse(ref);
    checkNamed(asked, source.options);
    const late = {
      span: `${ANSWER_SECONDS} seconds`,
      remedy: 'Check whether Redis is blocked by a slow command (SLOWLOG GET).',
    };
    const state = await stateWithin(ANSWER_SECONDS, source, late);
    const due = needsDue(state)
      ? await within(
          ANSWER_SECONDS,
          () => tooLate(source, late),
          (signal) => source.reads(signal).dueQueues(state.now)
        )
      : undefined;
    return { state, asked, due };
  };
  const held = (ref: Ref, { state, asked, due }: Awaited<ReturnType<typeof look>>): Scale => {
    const key = JSON.stringify([ref.namespace, ref.name, asked]);
    return hold.keep(key, scaleOf(state, asked, due), asked.holdSeconds, performance.now() / 1000);
  };
  const active = async (ref: Ref): Promise<boolean> => {
    const looked = await look(ref);
    try {
      return held(ref, looked).active;
    } catch (error) {
      // That there is something to do may be known where it is not known how much.
      if (isActive(error, looked.state, looked.asked)) {
        return true;
      }
      throw error;
    }
  };
  const server = new Server({ 'grpc.max_receive_message_length': LARGEST_REQUEST });
  const streams = new Set<() => void>();
  server.addService(serviceOf(servicesOf([EXTERNAL_SCALER]), 'externalscaler.ExternalScaler'), {
    IsActive: unary(async (ref: Ref) => ({ result: await active(ref) })),
    // KEDA drops a trigger whose target it does not hear, so it is told whatever the state of Redis.
    GetMetricSpec: unary(async (ref: Ref) => {
      const target = targetOf(parse(ref), source.options);
      return { metricSpecs: [{ metricName: METRIC, targetSize: Math.ceil(target), targetSizeFloat: target }] };
    }),
    GetMetrics: unary(async ({ scaledObjectRef }: { scaledObjectRef: Ref | null }) => {
      const ref = scaledObjectRef ?? NOBODY;
      const { value } = held(ref, await look(ref));
      return { metricValues: [{ metricName: METRIC, metricValue: Math.ceil(value), metricValueFloat: value }] };
    }),
    StreamIsActive: (call: ServerWritableStream<Ref, { result: boolean }>) => {
      if (streams.size >= MOST_STREAMS) {
        call.destroy(
          Object.assign(new Error(), { code: status.RESOURCE_EXHAUSTED, details: 'Too many streams are open.' })
        );
        return;
      }
      const end = streamActive(call, active);
      streams.add(end);
      call.on('close', () => streams.delete(end));
      call.on('cancelled', () => streams.delete(end));
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
      // A connection that says nothing is no session yet: neither way of shutting down ends it, and nobody waits for it.
      const force = setTimeout(() => {
        server.forceShutdown();
        resolve();
      }, CLOSE_MS);
      server.tryShutdown(() => {
        clearTimeout(force);
        resolve();
      });
    });
}

/** Names in Kubernetes have 253 characters at most. */
function parse({ name, namespace, scalerMetadata }: Ref): ScaledObject {
  if (name.length > LONGEST_NAME || namespace.length > LONGEST_NAME) {
    throw new Fault({
      kind: 'query',
      message: 'The name or namespace of the ScaledObject is longer than Kubernetes allows.',
      remedy: `Use ${LONGEST_NAME} characters at most.`,
    });
  }
  return parseScaledObject(scalerMetadata);
}

/** Tells whether the workers are needed, at once and whenever that changes. A figure that is not known tells nothing. */
function streamActive(call: ServerWritableStream<Ref, { result: boolean }>, active: (ref: Ref) => Promise<boolean>) {
  let told: boolean | undefined;
  const look = async () => {
    try {
      const result = await active(call.request);
      if (result !== told) {
        told = result;
        call.write({ result });
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
