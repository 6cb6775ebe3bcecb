import { Fault, httpStatus, isDownstream } from '../faults/fault';
import { toArrow } from '../frames/arrow';
import type { Frame } from '../frames/frame';
import { toJson } from '../frames/json';
import { withFormLabels } from '../settings/formLabels';
import type { Source } from '../source/source';
import { withOptionLabels } from '../queries/formLabels';
import { QUERY_TYPES, runQuery } from '../queries/registry';
import type { Instances } from './instances';
import { log } from '../log';
import type { DataQuery, DataResponse, QueryDataRequest } from './messages';
import { queriesTotal } from './selfMetrics';

/** Header that Grafana's alerting adds to its queries (ngalert, models/constants.go). */
const ALERT_HEADER = 'fromalert';
const FORMAT_JSON = 1;
/** Queries of one request answered at a time: enough to share a reading, few enough for memory. */
const AT_ONCE = 8;

/** Answers every query of a request by its refId; what goes wrong with one stays its own. */
export async function queryData(
  instances: Instances,
  request: QueryDataRequest,
  signal: AbortSignal
): Promise<Record<string, DataResponse>> {
  const answers = new Map<string, DataResponse>();
  const queries = [...request.queries];
  const work = async (): Promise<void> => {
    for (let query = queries.shift(); query; query = queries.shift()) {
      answers.set(query.refId, await answer(instances, request, query, signal));
      // Others get their turn between two queries of one request.
      await new Promise(setImmediate);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return Object.fromEntries(request.queries.map(({ refId }) => [refId, answers.get(refId)!]));
}

async function answer(
  instances: Instances,
  request: QueryDataRequest,
  query: DataQuery,
  signal: AbortSignal
): Promise<DataResponse> {
  try {
    const frames = await instances.use(request.pluginContext, (source) => run(source, request, query, signal));
    const encoded = frames.map((frame) => encode(frame, query.refId, request.format));
    queriesTotal.inc({ type: knownType(query), outcome: 'ok' });
    return { frames: encoded, status: 200, format: request.format };
  } catch (error) {
    const refused = refuse(error, query.refId, typeOf(query));
    queriesTotal.inc({ type: knownType(query), outcome: String(refused.status) });
    return refused;
  }
}

/** The type within the query, else that beside it. */
function typeOf(query: DataQuery): string {
  try {
    return String((parseModel(query) as { queryType: unknown }).queryType);
  } catch {
    return query.queryType;
  }
}

/** Only known names become label values. */
function knownType({ queryType }: DataQuery): string {
  return QUERY_TYPES.some(({ id }) => id === queryType) ? queryType : 'unknown';
}

async function run(source: Source, request: QueryDataRequest, query: DataQuery, signal: AbortSignal): Promise<Frame[]> {
  const model = parseModel(query);
  const now = Date.now();
  const { fromEpochMS, toEpochMS } = query.timeRange ?? { fromEpochMS: now - 3_600_000, toEpochMS: now };
  const stored = request.pluginContext?.dataSourceInstanceSettings;
  const alerting = Object.entries(request.headers).some(
    ([name, value]) => name.toLowerCase() === ALERT_HEADER && value === 'true'
  );
  return runQuery(
    model,
    source,
    {
      range: { from: fromEpochMS / 1000, to: toEpochMS / 1000 },
      intervalSeconds: query.intervalMS / 1000,
      alerting,
      // The frontend says so of what it draws; an expression or a program that asks the same gets no row of words.
      reader: !alerting && (model as { reader?: unknown }).reader === true,
      ...(stored && { dataSource: { uid: stored.uid, name: stored.name } }),
    },
    signal
  );
}

function parseModel(query: DataQuery): unknown {
  try {
    const model = JSON.parse(query.json.toString('utf8')) as Record<string, unknown>;
    // Grafana's form of alert rules sends the type of the query beside it as it was before the last change.
    return { ...model, queryType: model['queryType'] || query.queryType };
  } catch (error) {
    throw new Fault({
      kind: 'query',
      message: `Query ${query.refId} is not JSON.`,
      remedy: 'Open it in the query editor and save it again.',
      cause: error,
    });
  }
}

/** The last bytes of a frame, for viewers who ask the same of the same state. */
const encodedFrames = new WeakMap<Frame, { refId: string; format: number; bytes: Uint8Array }>();

function encode(frame: Frame, refId: string, format: number): Uint8Array {
  const known = encodedFrames.get(frame);
  if (known?.refId === refId && known.format === format) {
    return known.bytes;
  }
  const named = explained({ ...frame, refId });
  const bytes = format === FORMAT_JSON ? Buffer.from(JSON.stringify(toJson(named))) : toArrow(named);
  encodedFrames.set(frame, { refId, format, bytes });
  return bytes;
}

/** A frame whose notices, and whose only row where that is a sentence, name settings as the form does. */
function explained(frame: Frame): Frame {
  const { meta } = frame;
  const sentence =
    frame.fields.length === 1 && frame.fields[0]!.kind === 'string' && frame.fields[0]!.values.length === 1;
  return {
    ...frame,
    ...(sentence && {
      fields: frame.fields.map((field) => ({
        ...field,
        values: field.values.map((value) => (typeof value === 'string' ? withFormLabels(value) : value)),
      })),
    }),
    ...(meta?.notices && {
      meta: { ...meta, notices: meta.notices.map((each) => ({ ...each, text: withFormLabels(each.text) })) },
    }),
  };
}

/** What a failed query answers: a fault's own words, or a neutral sentence with the details in the log. */
export function refuse(error: unknown, refId: string, queryType = ''): DataResponse {
  if (error instanceof Fault) {
    return {
      error: withOptionLabels(withFormLabels(error.explanation), queryType),
      status: httpStatus(error),
      errorSource: isDownstream(error) ? 'downstream' : 'plugin',
    };
  }
  if ((error as Error)?.name === 'AbortError') {
    return { error: 'The query was cancelled.', status: 499, errorSource: 'downstream' };
  }
  log('error', 'query failed unexpectedly', { refId, error: String((error as Error)?.stack ?? error) });
  return {
    error: 'The query failed inside the plugin; Grafana’s log has the details.',
    status: 500,
    errorSource: 'plugin',
  };
}
