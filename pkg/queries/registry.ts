import { Fault } from '../faults/fault';
import type { Frame } from '../frames/frame';
import type { Notice } from '../sidekiq/model';
import { within } from '../source/deadline';
import { warning } from '../sidekiq/parts/part';
import { NotRecorded } from '../source/notRecorded';
import type { Reads } from '../source/reads';
import { NOW_SECONDS, type Kept, type Source } from '../source/source';
import type { State } from '../watch/state';
import { backlog } from './backlog';
import { busy } from './busy';
import { capacity } from './capacity';
import { compare } from './compare';
import { connections } from './connections';
import { contexts } from './contexts';
import { errors } from './errors';
import { events } from './events';
import { durationText } from '../findings/texts';
import { findings } from './findings';
import { history } from './history';
import { job } from './job';
import { jobMetrics } from './jobMetrics';
import { jobs } from './jobs';
import { locks } from './locks';
import { memory } from './memory';
import { lost } from './lost';
import { objectives } from './objectives';
import { overview } from './overview';
import { processes } from './processes';
import { profiles } from './profiles';
import type { QueryRequest, QueryType } from './queryType';
import { onGrid, sharedAnswer } from './sharedAnswers';
import { queues } from './queues';
import { recurring } from './recurring';
import { redis } from './redis';
import { waits } from './waits';
import { whatIf } from './whatIf';

/** Every query type, in the order in which the editor offers them: by group. */
export const QUERY_TYPES: readonly QueryType[] = [
  findings,
  overview,
  queues,
  processes,
  busy,
  capacity,
  redis,
  connections,
  history,
  objectives,
  compare,
  whatIf,
  jobMetrics,
  jobs,
  job,
  backlog,
  contexts,
  memory,
  waits,
  errors,
  lost,
  locks,
  recurring,
  profiles,
  events,
];

/** @throws Fault `query` for a type that does not exist */
export function queryType(id: unknown): QueryType {
  const found = QUERY_TYPES.find((type) => type.id === id);
  if (!found) {
    throw new Fault({
      kind: 'query',
      message: id ? `There is no query type ${JSON.stringify(id)}.` : 'The query has no type.',
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
/** Longest time of a query: Grafana's own requests end after 30 s by default. */
const QUERY_SECONDS = 30;
/** The present is no answer about a time to come. */
const NOT_BEGUN = new NotRecorded('This time range has not begun.', 'Choose one that has.');
const LONGEST_INTERVAL_SECONDS = 10 * 365 * 86_400;

/**
 * Answers one stored query.
 *
 * @param signal ends the reads of a query that nobody waits for any more
 * @throws Fault `query` for what was asked, others for what Redis said
 */
export async function runQuery(
  raw: unknown,
  source: Source,
  request: QueryRequest,
  signal?: AbortSignal
): Promise<Frame[]> {
  const type = queryType((raw as { queryType?: unknown } | null)?.queryType);
  const asked = checkRequest(request);
  const late = () =>
    new Fault({
      kind: 'connection',
      message: `The query took longer than ${QUERY_SECONDS} s.`,
      remedy: 'Ask for less (a shorter range, filters), or look at what keeps Redis busy (SLOWLOG GET).',
    });
  const run = async (either: AbortSignal): Promise<Frame[]> => {
    try {
      const { state, unseen } = await stateFor(type, source, asked);
      // Of the two clocks, that of Redis and that of this host, neither may have come there: one may be far behind.
      if (!asked.alerting && asked.range.from > Math.max(state.now, Date.now() / 1000) + NOW_SECONDS) {
        if (type.nothing) {
          throw NOT_BEGUN;
        }
        const notices = [warning(NOT_BEGUN.explanation)];
        return [{ name: type.id, fields: [], meta: { notices } }];
      }
      const answer = async (request: QueryRequest) => {
        const then = type.asksThen?.(raw) ? await stateThen(source, request.range.to) : undefined;
        const whole = { ...request, signal: either, ...(then && { then }) };
        const frames = await type.run(raw, state, whole, source.reads(either, state));
        return unseen === null ? frames : noted(frames, unseen);
      };
      // An alert rule is answered about exactly the range that it names.
      const grid = asked.alerting ? null : (type.gridSeconds?.(raw, asked, state) ?? null);
      if (grid === null) {
        return await answer(asked);
      }
      const shared = onGrid(asked, grid, state.now);
      return await sharedAnswer(state, raw, shared, async () => answer(shared));
    } catch (error) {
      if (error instanceof NotRecorded && type.nothing) {
        return type.nothing(raw, error, asked, source.options);
      }
      // Settings that cannot be used are no outage.
      if (!(error instanceof Fault) || error.kind === 'query' || error.kind === 'settings') {
        throw error;
      }
      const reads = source.reads(either);
      const kept = await source.kept(error);
      return type.runFromKept ? type.runFromKept(raw, kept, asked, reads) : runFromLast(type, raw, kept, asked, reads);
    }
  };
  return within(QUERY_SECONDS, late, run, signal);
}

/**
 * An alert is about now, whatever range it is given; so is what tells of a whole range. What was noticed until a time at which
 * nothing was recorded is told as it is known by now, with the reason.
 */
async function stateFor(
  type: QueryType,
  source: Source,
  { range, alerting }: QueryRequest
): Promise<{ state: State; unseen: NotRecorded | null }> {
  if (type.ofLog && !alerting) {
    try {
      return { state: await source.state(range.to), unseen: null };
    } catch (error) {
      if (!(error instanceof NotRecorded)) {
        throw error;
      }
      return { state: await source.state(range.to, true), unseen: error };
    }
  }
  return { state: await source.state(range.to, type.ofRange || alerting), unseen: null };
}

/** `undefined` where nothing was recorded then. */
async function stateThen(source: Source, to: number): Promise<State | undefined> {
  try {
    return await source.state(to);
  } catch (error) {
    if (error instanceof NotRecorded) {
      return undefined;
    }
    throw error;
  }
}

/** The same frames, the first with a notice more. */
function noted([first, ...others]: readonly Frame[], { explanation }: NotRecorded): Frame[] {
  const notice: Notice = { severity: 'info', text: `${explanation} What is known by now is shown.` };
  const notices = [...(first?.meta?.notices ?? []), notice];
  return first ? [{ ...first, meta: { ...first.meta, notices } }, ...others] : others;
}

/**
 * The last figures with their age, so that a dashboard does not go blank with Redis. An alert rule hears of the outage
 * instead, and what needs a read of its own cannot be answered.
 */
async function runFromLast(
  type: QueryType,
  raw: unknown,
  { fault, last, now }: Kept,
  request: QueryRequest,
  reads: Reads
): Promise<Frame[]> {
  if (!last || request.alerting || fault.kind !== 'connection') {
    throw fault;
  }
  const text = `Redis cannot be read; these figures are ${durationText(now - last.now)} old. ${fault.message}`;
  try {
    return await type.run(raw, { ...last, notices: [{ severity: 'warning', text }] }, request, reads);
  } catch {
    throw fault;
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
