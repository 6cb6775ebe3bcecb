import { Fault } from '../faults/fault';
import type { Frame } from '../frames/frame';
import type { Installation } from '../installation/installation';
import { backlog } from './backlog';
import { busy } from './busy';
import { capacity } from './capacity';
import { errors } from './errors';
import { events } from './events';
import { history } from './history';
import { jobMetrics } from './jobMetrics';
import { jobs } from './jobs';
import { lost } from './lost';
import { overview } from './overview';
import { processes } from './processes';
import type { QueryRequest, QueryType } from './queryType';
import { queues } from './queues';
import { recurring } from './recurring';
import { redis } from './redis';

/** Every query type, in the order in which the editor offers them. */
export const QUERY_TYPES: readonly QueryType[] = [
  overview,
  queues,
  processes,
  busy,
  backlog,
  jobs,
  errors,
  jobMetrics,
  history,
  capacity,
  lost,
  recurring,
  events,
  redis,
];

/** @throws Fault `query` for a type that does not exist */
export function queryType(id: unknown): QueryType {
  const found = QUERY_TYPES.find((type) => type.id === id);
  if (!found) {
    throw new Fault({
      kind: 'query',
      message: `There is no query type "${String(id)}".`,
      remedy: `Use one of: ${QUERY_TYPES.map((type) => type.id).join(', ')}.`,
    });
  }
  return found;
}

/** Query types that can be watched live: those that a snapshot alone answers. */
export const LIVE_TYPES: readonly string[] = QUERY_TYPES.filter(({ live }) => live).map(({ id }) => id);

/** The years that a range may lie in; nothing of Sidekiq is older, and a later date is a mistake. */
const EARLIEST_SECONDS = 0;
const LATEST_SECONDS = Date.UTC(2200, 0, 1) / 1000;
const LONGEST_INTERVAL_SECONDS = 10 * 365 * 86_400;

/**
 * Answers one stored query.
 *
 * @param signal ends the reads of a query that nobody waits for any more
 * @throws Fault `query` for what was asked, others for what Redis said
 */
export async function runQuery(
  raw: unknown,
  installation: Installation,
  request: QueryRequest,
  signal?: AbortSignal
): Promise<Frame[]> {
  const type = queryType((raw as { queryType?: unknown } | null)?.queryType);
  const asked = checkRequest(request);
  try {
    return await type.run(raw, await installation.state(), asked, installation.reads(signal));
  } catch (error) {
    if (!type.runFromKept || !(error instanceof Fault) || error.kind === 'query' || asked.alerting) {
      throw error;
    }
    return type.runFromKept(raw, await installation.kept(error), asked, installation.reads(signal));
  }
}

/** Brings whatever a caller sends within bounds. @throws Fault `query` for a range that ends before it begins */
function checkRequest(request: QueryRequest): QueryRequest {
  const bounded = (value: number, least: number, most: number) =>
    Number.isFinite(value) ? Math.min(most, Math.max(least, value)) : least;
  const from = bounded(request.range.from, EARLIEST_SECONDS, LATEST_SECONDS);
  const to = bounded(request.range.to, EARLIEST_SECONDS, LATEST_SECONDS);
  if (to < from) {
    throw new Fault({
      kind: 'query',
      message: 'The time range ends before it begins.',
      remedy: 'Choose a range whose end is later than its beginning.',
    });
  }
  return {
    ...request,
    range: { from, to },
    intervalSeconds: bounded(request.intervalSeconds, 1, LONGEST_INTERVAL_SECONDS),
  };
}
