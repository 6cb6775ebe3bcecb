import {
  Server,
  ServerCredentials,
  status as GrpcStatus,
  type sendUnaryData,
  type ServerUnaryCall,
  type ServerWritableStream,
} from '@grpc/grpc-js';
import { Fault } from '../faults/fault';
import { checkHealth } from '../source/health';
import { queryData } from './data';
import { Instances } from './instances';
import { withFormLabels } from '../settings/formLabels';
import { log } from '../log';
import type {
  CallResourceRequest,
  CallResourceResponse,
  QueryDataRequest,
  StreamRequest,
  WithContext,
} from './messages';
import { loadProtocol } from './protocol';
import { serviceOf } from '../grpc/services';
import { callResource } from './resources';
import { selfMetrics } from './selfMetrics';
import { firstFrame, parseChannel, runStream } from './streams';

const HEALTH_OK = 1;
const HEALTH_ERROR = 2;
const SUBSCRIBED = 0;
const NOT_FOUND = 1;
const SERVING = 1;

/** A plugin's gRPC server and the installations it keeps open. */
export interface PluginServer {
  server: Server;
  instances: Instances;
}

/**
 * Makes the server that Grafana talks to. Message sizes are unlimited, as Grafana has them.
 *
 * @param onShutdown called once go-plugin's Shutdown was answered
 */
export function createServer(onShutdown: () => void): PluginServer {
  const server = new Server({ 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 });
  const instances = new Instances();
  const protocol = loadProtocol();

  server.addService(serviceOf(protocol, 'pluginv2.Diagnostics'), {
    CheckHealth: unary<WithContext>(async ({ pluginContext }) => health(instances, pluginContext)),
    CollectMetrics: unary<WithContext>(async () => ({
      metrics: { prometheus: Buffer.from(await selfMetrics(instances)) },
    })),
  });
  server.addService(serviceOf(protocol, 'pluginv2.Data'), {
    QueryData: unary<QueryDataRequest>(async (request, signal) => ({
      responses: await queryData(instances, request, signal),
    })),
    QueryChunkedData: streaming<QueryDataRequest, object>(async (request, send, signal) => {
      const responses = await queryData(instances, request, signal);
      for (const [refId, { frames = [], ...rest }] of Object.entries(responses)) {
        if (frames.length === 0) {
          await send({ refId, ...rest });
        }
        for (const [index, frame] of frames.entries()) {
          await send({ refId, frameId: String(index), frame, ...rest });
        }
      }
    }),
  });
  server.addService(serviceOf(protocol, 'pluginv2.Resource'), {
    CallResource: streaming<CallResourceRequest, CallResourceResponse>(async (request, send) =>
      send(await callResource(instances, request))
    ),
  });
  server.addService(serviceOf(protocol, 'pluginv2.Stream'), {
    SubscribeStream: unary<StreamRequest>(async (request) => {
      const watched = parseChannel(request);
      return watched
        ? { status: SUBSCRIBED, data: await firstFrame(instances, request, watched) }
        : { status: NOT_FOUND };
    }),
    RunStream: streaming<StreamRequest, { data: Buffer }>(async (request, send, signal) => {
      const watched = parseChannel(request);
      if (watched) {
        await runStream(instances, request, watched, (data) => send({ data }), signal);
      }
    }),
    // Nothing may be published: channels are read-only.
    PublishStream: unary(async () => ({ status: 2 })),
  });
  server.addService(serviceOf(protocol, 'grpc.health.v1.Health'), {
    Check: unary(async () => ({ status: SERVING })),
    Watch: (call: ServerWritableStream<unknown, object>) => call.write({ status: SERVING }),
  });
  server.addService(serviceOf(protocol, 'plugin.GRPCController'), {
    Shutdown: (_call: unknown, callback: sendUnaryData<object>) => {
      callback(null, {});
      setImmediate(onShutdown);
    },
  });
  return { server, instances };
}

/** Binds to a socket path or to a port of this host; resolves with the bound port, 0 for sockets. */
export function listen(server: Server, address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, port) =>
      error ? reject(error) : resolve(port)
    );
  });
}

async function health(instances: Instances, context: WithContext['pluginContext']) {
  try {
    return await instances.use(context, async (installation, listeners) => {
      const [{ ok, message, details }] = await Promise.all([checkHealth(installation), listeners.tried]);
      const { problems } = listeners;
      return {
        status: ok && problems.length === 0 ? HEALTH_OK : HEALTH_ERROR,
        message: [...problems, message].join(' '),
        jsonDetails: Buffer.from(JSON.stringify({ ...details, listenerProblems: problems })),
      };
    });
  } catch (error) {
    if (error instanceof Fault) {
      return {
        status: HEALTH_ERROR,
        message: withFormLabels(error.explanation),
        jsonDetails: Buffer.from(JSON.stringify({ kind: error.kind })),
      };
    }
    throw error;
  }
}

function unary<Request>(handle: (request: Request, signal: AbortSignal) => Promise<object>) {
  return (call: ServerUnaryCall<Request, object>, callback: sendUnaryData<object>) => {
    const cancel = new AbortController();
    call.on('cancelled', () => cancel.abort());
    handle(call.request, cancel.signal).then(
      (answer) => callback(null, answer),
      (error: unknown) => callback(failure(error))
    );
  };
}

function streaming<Request, Message extends object>(
  handle: (request: Request, send: (message: Message) => Promise<void>, signal: AbortSignal) => Promise<void>
) {
  return (call: ServerWritableStream<Request, Message>) => {
    const cancel = new AbortController();
    call.on('cancelled', () => cancel.abort());
    const send = (message: Message): Promise<void> => {
      if (call.write(message)) {
        return Promise.resolve();
      }
      return new Promise((resolve) => {
        call.once('drain', resolve);
        cancel.signal.addEventListener('abort', () => resolve(), { once: true });
      });
    };
    handle(call.request, send, cancel.signal).then(
      () => call.end(),
      (error: unknown) => call.emit('error', failure(error))
    );
  };
}

function failure(error: unknown) {
  if (error instanceof Fault) {
    return { code: GrpcStatus.INVALID_ARGUMENT, details: withFormLabels(error.explanation) };
  }
  log('error', 'call failed unexpectedly', { error: String((error as Error)?.stack ?? error) });
  return { code: GrpcStatus.INTERNAL, details: 'The plugin failed; its log has the details.' };
}
