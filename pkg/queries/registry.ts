import { Fault } from '../faults/fault';
import type { Frame } from '../frames/frame';
import { backlog } from './backlog';
import { busy } from './busy';
import { capacity } from './capacity';
import { errors } from './errors';
import { events } from './events';
import { history } from './history';
import { jobMetrics } from './jobMetrics';
import { jobs } from './jobs';
import { lost } from './lost';
import type { QueryContext } from './context';
import { overview } from './overview';
import { processes } from './processes';
import type { QueryType } from './queryType';
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

/** Answers one stored query. */
export async function runQuery(raw: unknown, context: QueryContext): Promise<Frame[]> {
  const id = (raw as { queryType?: unknown } | null)?.queryType;
  return queryType(id).run(raw, context);
}
