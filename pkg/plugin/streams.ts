import { Fault } from '../faults/fault';
import type { Frame } from '../frames/frame';
import { toJson } from '../frames/json';
import type { Source } from '../source/source';
import { LIVE_TYPES, runQuery } from '../queries/registry';
import { withFormLabels } from '../settings/formLabels';
import { parsePayload } from '../sidekiq/payload';
import type { Instances } from './instances';
import type { StreamRequest } from './messages';

const SHORTEST_INTERVAL_MS = 1000;
const LONGEST_INTERVAL_MS = 3_600_000;

/** The query of a channel: its data as the watcher sent it, with the type that the path names. */
interface Watched {
  model: Record<string, unknown>;
  intervalMs: number;
}

/** A channel is `<type>` or `<type>/<any id of the query>`. @returns the channel's query, or `undefined` where no such channel exists */
export function parseChannel(request: StreamRequest): Watched | undefined {
  const [type = ''] = request.path.split('/');
  if (!LIVE_TYPES.includes(type)) {
    return undefined;
  }
  const sent = parseData(request.data);
  const asked = Number(sent['intervalMs']);
  return {
    model: { ...sent, queryType: type },
    intervalMs: Number.isFinite(asked)
      ? Math.min(LONGEST_INTERVAL_MS, Math.max(SHORTEST_INTERVAL_MS, asked))
      : SHORTEST_INTERVAL_MS,
  };
}

function parseData(data: Buffer): Record<string, unknown> {
  if (data.length === 0) {
    return {};
  }
  const sent = parsePayload(data);
  if (sent === null) {
    throw new Fault({
      kind: 'query',
      message: 'The data of the subscription is not a JSON object.',
      remedy: 'Send the query model as JSON, or nothing.',
    });
  }
  return sent;
}

/** The first frame of a channel, sent with the subscription's answer. */
export async function firstFrame(instances: Instances, request: StreamRequest, watched: Watched): Promise<Buffer> {
  const frame = await instances.use(request.pluginContext, (source) => readFrame(source, watched));
  return Buffer.from(JSON.stringify(toJson(frame)));
}

/**
 * Pushes a frame per interval until the last watcher is gone (`signal`), or the settings of the data source change:
 * Grafana then asks for the stream anew. Frames after the first carry
 * their data alone while the schema stays. A failed reading becomes a frame with an error notice.
 *
 * @param send resolves when the packet was taken, which is the back-pressure
 */
export async function runStream(
  instances: Instances,
  request: StreamRequest,
  watched: Watched,
  send: (packet: Buffer) => Promise<void>,
  signal: AbortSignal
): Promise<void> {
  await instances.use(request.pluginContext, async (source, _listeners, retired) => {
    let schema = '';
    const ended = AbortSignal.any([signal, retired]);
    while (!ended.aborted) {
      const frame = await readFrame(source, watched);
      const whole = toJson(frame) as { schema: object };
      const shape = JSON.stringify(whole.schema);
      await send(Buffer.from(JSON.stringify(shape === schema ? toJson(frame, 'data') : whole)));
      schema = shape;
      await pause(watched.intervalMs, ended);
    }
  });
}

async function readFrame(source: Source, { model }: Watched): Promise<Frame> {
  const now = Date.now();
  try {
    const [frame] = await runQuery(model, source, {
      range: { from: now / 1000 - 3600, to: now / 1000 },
      intervalSeconds: 1,
      alerting: false,
    });
    return withTime(frame!, now);
  } catch (error) {
    if (!(error instanceof Fault)) {
      throw error;
    }
    return {
      name: String(model['queryType']),
      fields: [],
      meta: { notices: [{ severity: 'error', text: withFormLabels(error.explanation) }] },
    };
  }
}

/** Watchers plot a stream against the time of its frames. */
function withTime(frame: Frame, now: number): Frame {
  const length = frame.fields[0]?.values.length ?? 0;
  const time = {
    name: 'time',
    kind: 'time' as const,
    values: new Array<number>(length).fill(now),
    config: { displayName: 'Time' },
  };
  return { ...frame, fields: [time, ...frame.fields] };
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener('abort', done);
  });
}
