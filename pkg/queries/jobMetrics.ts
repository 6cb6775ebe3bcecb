import { z } from 'zod';
import { Fault } from '../faults/fault';
import type { Frame } from '../frames/frame';
import type { Reads } from '../source/reads';
import { NOW_SECONDS } from '../source/source';
import type { State } from '../watch/state';
import { groupBy } from '../sidekiq/groupBy';
import {
  knownSeconds,
  quantile,
  QUANTILES,
  sumCounts,
  sumDurations,
  timedOf,
  type TimedCounts,
} from '../sidekiq/jobMetrics';
import type { Notice } from '../sidekiq/model';
import { count, key, plain, rate, seconds, share } from './columns';
import { MAILERS } from '../sidekiq/payload';
import { checkFigures } from './figures';
import { compileFilters } from './filter';
import type { Filter } from './filterModel';
import { grouped, JOB_METRICS_BY, tellingSaturation } from './jobMetricsGroups';
import { JOB_METRICS_ORIGINS, readExecutions } from './jobMetricsOrigin';
import { ended, heatmapFrame, seriesFrames, type ClassRow, type Ranked } from './jobMetricsOverTime';
import { classesOfQueue, classOverTime, failedOfClass } from './links';
import { baseQuerySchema, parseQuery } from './model';
import type { QueryRequest, QueryType } from './queryType';
import { tableQuery, type Column } from './table';

const schema = baseQuerySchema.extend({
  by: z
    .enum(JOB_METRICS_BY)
    .default('class')
    .describe(
      'What a row or a series is. Sidekiq counts by class: by queue and worker type, classes that run from several queues are divided by the threads that they keep busy in each.'
    ),
  origin: z
    .enum(JOB_METRICS_ORIGINS)
    .default('auto')
    .describe(
      'Sidekiq’s own metrics in Redis, what Sidekiq Pro sends by DogStatsD, or that where it arrives and Redis otherwise.'
    ),
  show: z.enum(['table', 'series', 'heatmap']).default('table').describe('Form of the answer.'),
  sortBy: z
    .enum(['totalTime', 'executions', 'rate', 'failures', 'failureRate', 'meanTime'])
    .default('totalTime')
    .describe('Figure by which classes are ranked.'),
  top: z.number().int().min(1).max(1000).default(20).describe('Number of classes, the first by the rank.'),
});

/** A job metrics query as it is saved. */
export type JobMetricsQuery = z.input<typeof schema>;
type Query = z.output<typeof schema>;

/** Columns that need durations beside the counts. */
const NEED_DURATIONS: ReadonlySet<string> = new Set([...QUANTILES.keys(), 'p99Lower', 'p99Upper']);

const meanSeconds = (counts: TimedCounts): number | null =>
  timedOf(counts) > 0 ? counts.milliseconds / 1000 / timedOf(counts) : null;

const busyThreads = ({ ended: { milliseconds, seconds: lasted } }: ClassRow): number | null =>
  lasted > 0 ? milliseconds / 1000 / lasted : null;

/** A year by twelve. */
export const HOURS_A_MONTH = 730;

const COLUMNS: Array<Column<ClassRow>> = [
  key('class', 'Class', 'Job class; ActiveJob unwrapped, mailers under their delivery job.', (row) => row.class, {
    links: (request) => [...classOverTime(request), ...failedOfClass(request)],
  }),
  key(
    'workerType',
    'Worker type',
    'Worker type of the queue, by the map in the settings or derived from the processes; "other: " and the queue where it has none.',
    (row) => row.workerType
  ),
  key('queue', 'Queue', 'Name of the queue, if rows are queues.', (row) => row.queue, { links: classesOfQueue }),
  // Of divided classes a part of an execution is none.
  count(
    'executions',
    'Executions',
    'Executions, failures included; each slice of an interrupted iterable job counts as one, as Sidekiq counts.',
    (row) => Math.round(row.processed)
  ),
  count('failures', 'Failures', 'Executions that raised.', (row) => Math.round(row.failed)),
  share(
    'failureRate',
    'Failure rate',
    'Failed share of the executions.',
    (row) => (row.processed === 0 ? null : row.failed / row.processed),
    { config: { min: 0, max: 1 } }
  ),
  rate(
    'rate',
    'Rate',
    'Executions per second, over the minutes that have ended.',
    ({ ended: { processed, seconds } }) => (seconds > 0 ? processed / seconds : null)
  ),
  seconds('totalTime', 'Total time', 'Time spent in successful executions.', (row) => row.milliseconds / 1000),
  plain('threads', 'Threads', 'Threads that the successful executions keep busy, on average.', busyThreads, {
    config: { decimals: 2 },
  }),
  plain(
    'costPerMonth',
    'Cost a month',
    'Cost of these threads for a month of 730 hours, at the price of a thread-hour in the settings; no value without one.',
    (row) => {
      const threads = busyThreads(row);
      return threads === null || row.threadHourPrice === 0 ? null : threads * HOURS_A_MONTH * row.threadHourPrice;
    },
    { config: { decimals: 2 } }
  ),
  seconds('meanTime', 'Mean time', 'Mean duration of the successful executions.', meanSeconds),
  ...[...QUANTILES].map(([name, q]) =>
    seconds<ClassRow>(
      name,
      name,
      `${q * 100}% of the successful executions took no longer, interpolated in Sidekiq’s 26 duration buckets. Above 335 s only "more" is known.`,
      ({ durations }) => quantile(q, durations)?.seconds ?? null
    )
  ),
  seconds(
    'p99Lower',
    'p99 at least',
    'Lower bound of the duration bucket that p99 lies in.',
    ({ durations }) => quantile(0.99, durations)?.lowerSeconds ?? null
  ),
  seconds('p99Upper', 'p99 at most', 'Upper bound of that bucket; empty above 335 s.', ({ durations }) => {
    const upper = quantile(0.99, durations)?.upperSeconds ?? Infinity;
    return Number.isFinite(upper) ? upper : null;
  }),
];

const table = tableQuery({
  id: 'job_metrics',
  group: 'Over time',
  ofRange: true,
  ownFilters: JOB_METRICS_BY,
  title: 'Job metrics',
  description:
    'Per job class, queue or worker type: executions, failures, total and mean time, p50, p90, p95 and p99, from Sidekiq’s own metrics or from Sidekiq Pro. Minutes that the range touches count whole.',
  empty: 'No job ran in this time range. Sidekiq keeps job metrics since 7.0.',
  cost: 'one hash for each minute of the range that was not read before, and for quantiles a histogram for each class and minute',
  schema,
  columns: COLUMNS,
  example: '--option sortBy=failures --option top=10',
  async rows(state, query, request, reads) {
    const { ranked, buckets, resolution, notices, now, threadHourPrice, durationsOf } = await rank(
      state,
      query,
      request,
      reads
    );
    // Buckets are counted whole, so a rate is over their time and not over that of the range.
    const whole = ended(buckets, resolution, now);
    // Of what ran at a time that is not known there is no rate.
    const counted = sumCounts(whole.filter(({ knownSeconds: known }) => known !== 0));
    const wantsDurations = query.figures.length === 0 || query.figures.some((figure) => NEED_DURATIONS.has(figure));
    const read = wantsDurations ? await durationsOf(ranked.map(([name]) => name)) : { durations: [], notices: [] };
    const byClass = groupBy(read.durations, ({ jobClass }) => jobClass);
    const rows = ranked.map(([name, counts]): ClassRow => ({
      ...rowNamed(name, query.by, request.then ?? state),
      ...counts,
      ended: {
        processed: counted.get(name)?.processed ?? 0,
        milliseconds: counted.get(name)?.milliseconds ?? 0,
        seconds: knownSeconds(whole, resolution),
      },
      threadHourPrice,
      durations: sumDurations((byClass.get(name) ?? []).map((each) => each.counts)),
    }));
    const without = NOT_SHOWN[query.by];
    const noPrice = threadHourPrice === 0 && query.figures.includes('costPerMonth') ? [NO_PRICE] : [];
    return { rows, notices: [...notices, ...read.notices, ...noPrice], without };
  },
});

/** Why a cost that was asked for has no value. */
const NO_PRICE: Notice = {
  severity: 'info',
  text: 'Costs need the price of a thread-hour: set "threadHourPrice" in the settings of the data source.',
};

const NOT_SHOWN = { class: ['workerType', 'queue'], queue: ['class'], workerType: ['class', 'queue'] } as const;

/** What names a row, by what rows are. */
function rowNamed(name: string, by: Query['by'], { queues }: State): Pick<ClassRow, 'class' | 'queue' | 'workerType'> {
  const row = { class: '', queue: '', workerType: '', [by]: name };
  return by === 'queue' ? { ...row, workerType: queues.find((queue) => queue.name === name)?.workerType ?? '' } : row;
}

const SHARED_SECONDS = 6 * 3600;

/** Per job class, queue or worker type: a table, time series of one figure, or a heatmap of durations. */
export const jobMetrics: QueryType = {
  ...table,
  // Who ran what where changes.
  asksThen: (raw) => !isByClass(parseQuery(schema, raw)),
  // Sidekiq counts by minutes, which are taken whole. At the end of the hours that it keeps them, a minute more is another
  // resolution.
  gridSeconds: (_, { range }, { now }) => (now - range.from <= SHARED_SECONDS ? 60 : null),
  async run(raw, state, request, reads): Promise<Frame[]> {
    const query = parseQuery(schema, raw);
    if (query.show === 'table') {
      return table.run(raw, state, request, reads);
    }
    const figures = COLUMNS.filter(({ kind }) => kind === 'number');
    checkFigures(query.figures, figures, request.alerting);
    if (query.show === 'heatmap') {
      if (request.alerting) {
        throw new Fault({
          kind: 'query',
          message: 'A heatmap has no single figure to alert on.',
          remedy: 'Show the query as a table or as time series, with one figure.',
        });
      }
      const ranked = await rank(state, query, request, reads);
      return [await heatmapFrame(ranked, request.intervalSeconds, state.notices)];
    }
    const column = COLUMNS.find(({ name }) => name === (query.figures[0] ?? 'rate'))!;
    const ranked = await rank(state, query, request, reads);
    const { intervalSeconds } = request;
    const asked = { column, needsDurations: NEED_DURATIONS.has(column.name), label: query.by, intervalSeconds };
    return seriesFrames(ranked, asked, state.notices);
  },
};

const MANY = { class: 'classes', queue: 'queues', workerType: 'worker types' } as const;

/** Reads the range, keeps the classes that the filters keep, and the first `top` of them. */
async function rank(state: State, query: Query, request: QueryRequest, reads: Reads): Promise<Ranked> {
  const { filters, notices: renamed } = byMetricsClass(query.filters, state);
  const keeps = compileFilters(filters, table.filterFields);
  const read = tellingSaturation(await readExecutions(state, request, reads, query.origin));
  const isWhole = isByClass(query);
  const executions = isWhole ? read : await grouped(read, query.by, keeps, request.then ?? state);
  const classes = [...sumCounts(executions.buckets)].filter(([name]) => !isWhole || keeps(() => name));
  const ranked = classes.sort((a, b) => weight(b[1], query.sortBy) - weight(a[1], query.sortBy)).slice(0, query.top);
  const notices = [...executions.notices, ...renamed];
  if (!isWhole && !request.then && state.now - request.range.to > NOW_SECONDS) {
    notices.push({
      severity: 'warning',
      text: 'From which queues classes ran at the end of the time range was not recorded: they are divided as now.',
    });
  }
  if (ranked.length < classes.length) {
    notices.push({
      severity: 'info',
      text: `The first ${ranked.length} of ${classes.length} ${MANY[query.by]} by ${query.sortBy} are shown. Raise "Top" or add a filter.`,
    });
  }
  return { ...executions, ranked, notices, threadHourPrice: state.options.threadHourPrice };
}

/** Whether it asks for what Sidekiq counts, and not for a part of it. */
function isByClass({ by, filters }: Pick<Query, 'by' | 'filters'>): boolean {
  return by === 'class' && !filters.some(({ field, values }) => field !== 'class' && values.length > 0);
}

/** A mailer and its method, as tables show it. */
const MAILER = /^\p{Lu}[\p{L}\p{N}_:]*#\w+[?!]?$/u;

/** Filters by a class as it is shown find the class under which its metrics are kept. */
function byMetricsClass(
  filters: readonly Filter[],
  { classNames }: Pick<State, 'classNames'>
): { filters: Filter[]; notices: Notice[] } {
  const notices: Notice[] = [];
  const keptUnder = (name: string): string[] => {
    const known = classNames.get(name);
    const under = known === undefined ? (MAILER.test(name) ? [...MAILERS] : []) : [known];
    if (under.length > 0) {
      const text = `Sidekiq keeps the metrics of ${name} under ${under.join(' or ')}, together with those of other jobs of that class.`;
      notices.push({ severity: 'info', text });
    }
    return [name, ...under];
  };
  return {
    filters: filters.map((filter) =>
      filter.field === 'class' && filter.operator === '='
        ? { ...filter, values: filter.values.flatMap(keptUnder) }
        : filter
    ),
    notices,
  };
}

function weight(counts: TimedCounts, figure: Query['sortBy']): number {
  switch (figure) {
    case 'executions':
    case 'rate':
      return counts.processed;
    case 'failures':
      return counts.failed;
    case 'failureRate':
      return counts.processed === 0 ? 0 : counts.failed / counts.processed;
    case 'totalTime':
      return counts.milliseconds;
    case 'meanTime':
      return meanSeconds(counts) ?? 0;
  }
}
