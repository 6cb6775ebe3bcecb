import { Fault } from '../faults/fault';
import { rowsOf, type Frame, type Value } from '../frames/frame';
import { tellsOfRefusal } from '../sidekiq/parts/part';
import { instantText } from '../source/instants';
import { checkHealth, type Health } from '../source/health';
import type { Source } from '../source/source';
import { runQuery } from '../queries/registry';
import { cutOf, emptyText } from '../queries/tableNotices';
import type { Graph, Line, PageData, Rows } from './model';

/** How far back the graphs of executions reach: what Sidekiq 7 and 8 keep by minute. */
const HOURS = 8;
const POINT_SECONDS = 300;
/** How far back the graphs of queues reach: what was seen since the watch began, at most. */
const WATCHED_HOURS = 2;
const WATCHED_POINT_SECONDS = 30;
const SHOWN_ROWS = 20;
const SHOWN_QUEUES = 50;
const SHOWN_FINDINGS = 50;

/**
 * All that the page shows, from one state. What cannot be read says why in its place.
 *
 * @param asOf the instant that is shown, epoch seconds; now where it is left out
 */
export async function pageData(source: Source, asOf?: number): Promise<PageData> {
  const now = asOf ?? source.now();
  // Figures of the past are those of the reading before: what is told beside them is told by its clock.
  const readAt =
    asOf === undefined
      ? now
      : await source.state(asOf).then(
          (state) => state.now,
          () => asOf
        );
  const live = asOf === undefined ? await checkHealth(source) : null;
  const isPast = live === null;
  const ask = (query: object, hours = 1, intervalSeconds = 60): Promise<Frame[]> =>
    runQuery(query, source, {
      range: { from: now - hours * 3600, to: now },
      intervalSeconds,
      alerting: false,
    });
  const rows = (query: object) => told<Rows>({ rows: [] }, async () => shownRows((await ask(query))[0]!, isPast));
  const graph = (query: object, hours: number, seconds: number) =>
    told<Graph>({ lines: [] }, async () => {
      const frames = await ask(query, hours, seconds);
      const lines = linesOf(frames);
      const problem = lines.length === 0 ? problemOf(frames, isPast) : undefined;
      return { lines, ...(problem !== undefined && { problem }) };
    });
  const executions = { queryType: 'job_metrics', show: 'series', top: 5 };
  const [keptFrom, findings, overview, queues, busy, errors, processes, throughput, failures, runTimes, sizes, waits] =
    await Promise.all([
      live && !live.ok ? keptInstant(source) : null,
      rows({ queryType: 'findings', limit: SHOWN_FINDINGS }),
      rows({ queryType: 'overview' }),
      rows({ queryType: 'queues', limit: SHOWN_QUEUES }),
      rows({ queryType: 'busy', limit: SHOWN_ROWS }),
      rows({ queryType: 'errors', limit: SHOWN_ROWS }),
      rows({ queryType: 'processes', limit: SHOWN_ROWS }),
      graph({ ...executions, sortBy: 'executions', figures: ['rate'] }, HOURS, POINT_SECONDS),
      graph({ ...executions, sortBy: 'failures', figures: ['failures'] }, HOURS, POINT_SECONDS),
      graph({ ...executions, sortBy: 'totalTime', figures: ['meanTime'] }, HOURS, POINT_SECONDS),
      graph(
        { queryType: 'history', by: 'queue', figures: ['enqueued'], limit: 8 },
        WATCHED_HOURS,
        WATCHED_POINT_SECONDS
      ),
      graph(
        { queryType: 'history', by: 'queue', figures: ['latency'], limit: 8 },
        WATCHED_HOURS,
        WATCHED_POINT_SECONDS
      ),
    ]);
  return {
    at: readAt,
    recorded: source.recorded,
    ...(live ? healthOf(live, keptFrom) : pastHealthOf(readAt, overview)),
    ...(keptFrom !== null && { keptFrom }),
    receiver: receiverText(source),
    findings,
    overview,
    queues,
    busy,
    errors,
    processes,
    throughput,
    failures,
    runTimes,
    sizes,
    waits,
  };
}

function healthOf(
  { ok, message, details }: Health,
  keptFrom: number | null
): Pick<PageData, 'ok' | 'partial' | 'health'> {
  const { notices = [] } = details as { notices?: string[] };
  const figures = keptFrom === null ? '' : ` Figures of ${instantText(keptFrom)}.`;
  return { ok, partial: ok && notices.length > 0, health: message + figures };
}

/** Of when the figures are that are shown while Sidekiq cannot be read; `null` where it can, or where there are none. */
async function keptInstant(source: Source): Promise<number | null> {
  try {
    await source.state();
    return null;
  } catch (error) {
    if (error instanceof Fault) {
      return (await source.kept(error)).last?.now ?? null;
    }
    throw error;
  }
}

/** A time of which nothing was recorded is not one in which all was well. */
function pastHealthOf(at: number, { problem }: Rows): Pick<PageData, 'ok' | 'partial' | 'health'> {
  const asOf = `As of ${instantText(at)}.`;
  return problem === undefined
    ? { ok: true, partial: false, health: asOf }
    : { ok: false, partial: true, health: `${asOf} ${problem}` };
}

function shownRows(frame: Frame, isPast: boolean): Rows {
  const rows = rowsOf(frame);
  const problem = rows.length === 0 ? problemOf([frame], isPast) : undefined;
  const [cut] = (frame.meta?.notices ?? []).flatMap((notice) => cutOf(notice) ?? []);
  return {
    rows,
    ...(problem !== undefined && { problem }),
    ...(cut !== undefined && { cut: `${cut} are shown.` }),
  };
}

/** Why frames are empty, as they say themselves: what was refused, and of the past that nothing was recorded. */
function problemOf(frames: readonly Frame[], isPast: boolean): string | undefined {
  const told = frames.flatMap(({ meta }) => meta?.notices ?? []).filter(({ severity }) => severity !== 'info');
  const refused = told.find(tellsOfRefusal);
  if (refused) {
    return emptyText(refused);
  }
  return isPast ? told[0]?.text : undefined;
}

function receiverText({ statsd }: Source): string {
  if (statsd.listening.length === 0) {
    return '';
  }
  const { lines, malformed, dropped } = statsd.counts;
  const figures = [`${lines.toLocaleString('en')} lines`, `${statsd.registry.size.toLocaleString('en')} label sets`];
  const bad = [malformed > 0 && `${malformed} malformed`, dropped > 0 && `${dropped} dropped`].filter(Boolean);
  return `DogStatsD at ${statsd.listening.join(', ')}: ${[...figures, ...bad].join(', ')}`;
}

/** A part of the page, or the reason for which it is empty. */
async function told<T extends object>(empty: T, read: () => Promise<T>): Promise<T & { problem?: string }> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof Fault) {
      return { ...empty, problem: error.message };
    }
    throw error;
  }
}

/** Lines of frames that have each a field of time and fields of numbers. */
function linesOf(frames: readonly Frame[]): Line[] {
  return frames.flatMap(({ fields }) => {
    const times = fields.find(({ kind }) => kind === 'time')?.values ?? [];
    return fields
      .filter(({ kind }) => kind === 'number')
      .map((field) => ({
        name: field.config?.displayNameFromDS ?? Object.values(field.labels ?? {}).join(' ') ?? field.name,
        at: times.map((time) => Number(time) / 1000),
        values: field.values.map(numberOrNull),
      }));
  });
}

function numberOrNull(value: Value): number | null {
  return typeof value === 'number' ? value : null;
}
