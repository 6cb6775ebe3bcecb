import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { credentials, Metadata, type ClientReadableStream, type GrpcObject } from '@grpc/grpc-js';
import { tableFromIPC, type Table } from 'apache-arrow';
import { loadProtocol } from '../../pkg/plugin/protocol';

export const EXECUTABLE = join(__dirname, '../../dist/gpx_sidekiq_linux_amd64');

type Call = (
  request: object,
  metadata: Metadata,
  options: object,
  done: (error: Error | null, answer: never) => void
) => { cancel(): void };
type Client = Record<string, Call> & { close(): void };

/** The built executable, started and spoken to as Grafana does. */
export interface RunningPlugin {
  child: ChildProcess;
  handshake: string;
  socket: string;
  stderr: string[];
  stdout: string[];
  call<Answer>(service: string, method: string, request: object): Promise<Answer>;
  stream(service: string, method: string, request: object): ClientReadableStream<never>;
  stop(): void;
}

/** @param executable another plugin than ours */
export async function startPlugin(env: NodeJS.ProcessEnv = {}, executable = EXECUTABLE): Promise<RunningPlugin> {
  if (!existsSync(executable)) {
    throw new Error('The executable is not built; run npm run build.');
  }
  const child = spawn(executable, [], {
    env: { grafana_plugin_type: 'datasource', PLUGIN_PROTOCOL_VERSIONS: '2', PATH: process.env['PATH'], ...env },
  });
  const stderr: string[] = [];
  const stdout: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => stderr.push(line));
  const handshake = await new Promise<string>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`ended with ${code}: ${stderr.join('\n')}`)));
    createInterface({ input: child.stdout }).on('line', (line) => {
      stdout.push(line);
      resolve(line);
    });
  });
  const socket = handshake.split('|')[3]!;
  const protocol = loadProtocol();
  const clients = new Map<string, Client>();
  const client = (service: string): Client => {
    const known = clients.get(service);
    if (known) {
      return known;
    }
    const Service = service.split('.').reduce<unknown>((scope, part) => (scope as GrpcObject)[part], protocol) as new (
      ...args: unknown[]
    ) => Client;
    const made = new Service(`unix:${socket}`, credentials.createInsecure(), { 'grpc.max_receive_message_length': -1 });
    clients.set(service, made);
    return made;
  };
  return {
    child,
    handshake,
    socket,
    stderr,
    stdout,
    call: (service, method, request) =>
      new Promise((resolve, reject) => {
        const made = client(service);
        made[method]!.call(made, request, new Metadata(), {}, (error, answer) =>
          error ? reject(error) : resolve(answer)
        );
      }),
    stream: (service, method, request) => {
      const made = client(service);
      return (made[method] as unknown as (request: object) => ClientReadableStream<never>).call(made, request);
    },
    stop() {
      clients.forEach((each) => each.close());
      child.kill('SIGKILL');
    },
  };
}

/** A request's context as Grafana sends it. */
export function pluginContext(
  url: string,
  more: { id?: number; lastUpdatedMS?: number; jsonData?: object; secrets?: Record<string, string>; user?: string } = {}
) {
  return {
    orgId: 1,
    pluginId: 'jobwatch-sidekiq-datasource',
    dataSourceInstanceSettings: {
      id: more.id ?? 1,
      uid: `uid-${more.id ?? 1}`,
      name: 'Sidekiq',
      url,
      user: more.user ?? '',
      jsonData: Buffer.from(JSON.stringify(more.jsonData ?? { reuseSeconds: 0 })),
      decryptedSecureJsonData: more.secrets ?? {},
      lastUpdatedMS: more.lastUpdatedMS ?? 1,
    },
  };
}

export function dataQuery(refId: string, model: object) {
  const now = Date.now();
  return {
    refId,
    maxDataPoints: 100,
    intervalMS: 1000,
    timeRange: { fromEpochMS: now - 3_600_000, toEpochMS: now },
    json: Buffer.from(JSON.stringify({ refId, ...model })),
    queryType: (model as { queryType?: string }).queryType ?? '',
  };
}

/** Reads a frame as Grafana would. */
export function readArrow(frame: Uint8Array): {
  table: Table;
  name: string;
  refId: string;
  meta: Record<string, unknown>;
} {
  const table = tableFromIPC(frame);
  const { metadata } = table.schema;
  return {
    table,
    name: metadata.get('name') ?? '',
    refId: metadata.get('refId') ?? '',
    meta: JSON.parse(metadata.get('meta') ?? '{}') as Record<string, unknown>,
  };
}

/** What the plugin answers to one query. */
export interface QueryAnswer {
  status: number;
  error: string;
  frames: Buffer[];
}

/** Asks queries as Grafana does. @returns the answers by refId */
export async function queryData(
  plugin: Pick<RunningPlugin, 'call'>,
  context: ReturnType<typeof pluginContext>,
  queries: object[],
  headers: Record<string, string> = {}
): Promise<Record<string, QueryAnswer>> {
  const request = { pluginContext: context, headers, queries };
  return (await plugin.call<{ responses: Record<string, QueryAnswer> }>('pluginv2.Data', 'QueryData', request))
    .responses;
}
