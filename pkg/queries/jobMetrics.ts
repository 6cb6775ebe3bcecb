import { z } from 'zod';
import type { Frame } from '../frames/frame';
import { HISTOGRAM_SATURATION, quantile, sumCounts, sumDurations, type ClassCounts } from '../sidekiq/jobMetrics';
import type { Notice } from '../sidekiq/snapshot';
import type { QueryContext } from './context';
import { compileFilters } from './filter';
import { JOB_METRICS_ORIGINS, readExecutions } from './jobMetricsOrigin';
import { heatmapFrame, seriesFrames, type ClassRow, type Ranked } from './jobMetricsOverTime';
import { baseQuerySchema, parseQuery } from './model';
import type { QueryType } from './queryType';
import { tableQuery, type Column } from './table';

const schema = baseQuerySchema.extend({
  /** Sidekiq's own metrics in Redis, what Sidekiq Pro sends by DogStatsD, or that where it arrives and Redis otherwise. */
  origin: z.enum(JOB_METRICS_ORIGINS).default('auto'),
  show: z.enum(['table', 'series', 'heatmap']).default('table'),
  /** The figure by which classes are ranked; the first `top` are answered. */
  sortBy: z.string().default('totalTime'),
  top: z.number().int().min(1).max(1000).default(20),
});

/** A job metrics query as it is saved. */
export type JobMetricsQuery = z.input<typeof schema>;
type Query = z.output<typeof schema>;

const quantileColumn = (name: string, title: string, q: number): Column<ClassRow> => ({
  name,
  title,
  kind: 'number',
  unit: 's',
  description: `${q * 100} % of the successful executions took no longer, interpolated in Sidekiq’s 26 duration buckets. Above 335 s only "more" is known.`,
  value: ({ durations }) => quantile(q, durations)?.seconds ?? null,
});

const COLUMNS: Array<Column<ClassRow>> = [
  {
    name: 'class',
    title: 'Class',
    kind: 'string',
    key: true,
    description: 'Job class; ActiveJob unwrapped, mailers under their delivery job.',
    value: (row) => row.class,
  },
  {
    name: 'executions',
    title: 'Executions',
    kind: 'number',
    unit: 'short',
    description: 'Executions, failures included.',
    value: (row) => row.processed,
  },
  {
    name: 'failures',
    title: 'Failures',
    kind: 'number',
    unit: 'short',
    description: 'Executions that raised.',
    value: (row) => row.failed,
  },
  {
    name: 'failureRate',
    title: 'Failure rate',
    kind: 'number',
    unit: 'percentunit',
    description: 'Failed share of the executions.',
    config: { min: 0, max: 1 },
    value: (row) => (row.processed === 0 ? null : row.failed / row.processed),
  },
  {
    name: 'rate',
    title: 'Rate',
    kind: 'number',
    unit: 'cps',
    description: 'Executions per second.',
    value: (row) => row.processed / row.seconds,
  },
  {
    name: 'totalTime',
    title: 'Total time',
    kind: 'number',
    unit: 's',
    description: 'Time spent in successful executions.',
    value: (row) => row.milliseconds / 1000,
  },
  {
    name: 'meanTime',
    title: 'Mean time',
    kind: 'number',
    unit: 's',
    description: 'Mean duration of the successful executions.',
    value: (row) => (row.processed > row.failed ? row.milliseconds / 1000 / (row.processed - row.failed) : null),
  },
  quantileColumn('p50', 'p50', 0.5),
  quantileColumn('p90', 'p90', 0.9),
  quantileColumn('p99', 'p99', 0.99),
  {
    name: 'p99Lower',
    title: 'p99 at least',
    kind: 'number',
    unit: 's',
    description: 'Lower bound of the duration bucket that p99 lies in.',
    value: ({ durations }) => quantile(0.99, durations)?.lowerSeconds ?? null,
  },
  {
    name: 'p99Upper',
    title: 'p99 at most',
    kind: 'number',
    unit: 's',
    description: 'Upper bound of that bucket; empty above 335 s.',
    value: ({ durations }) => finite(quantile(0.99, durations)?.upperSeconds),
  },
];

const QUANTILES: Record<string, number> = { p50: 0.5, p90: 0.9, p99: 0.99, p99Lower: 0.99, p99Upper: 0.99 };

const table = tableQuery({
  id: 'job_metrics',
  title: 'Job metrics',
  description:
    'Per job class: executions, failures, total and mean time, p50, p90 and p99, from Sidekiq’s own metrics or from Sidekiq Pro.',
  schema,
  columns: COLUMNS,
  async rows(context, query) {
    const { ranked, buckets, resolution, notices, now, histogramsOf } = await rank(context, query);
    const wantsDurations = query.figures.length === 0 || query.figures.some((figure) => figure in QUANTILES);
    const seconds = Math.max(
      resolution,
      Math.min(now, context.range.to) - Math.max(context.range.from, buckets[0]?.startsAt ?? 0)
    );
    const rows = await Promise.all(
      ranked.map(async ([jobClass, counts]) => {
        const histograms = wantsDurations ? await histogramsOf(jobClass) : [];
        return {
          class: jobClass,
          ...counts,
          seconds,
          durations: sumDurations(histograms.map((histogram) => histogram.counts)),
        };
      })
    );
    return { rows, notices: [...notices, ...saturation(rows)] };
  },
});

/** Per job class: a table, time series of one figure, or a heatmap of durations. */
export const jobMetrics: QueryType = {
  ...table,
  async run(raw, context) {
    const query = parseQuery(schema, raw);
    switch (query.show) {
      case 'table':
        return table.run(raw, context);
      case 'series':
        return seriesOf(context, query);
      case 'heatmap':
        return [await heatmapFrame(await rank(context, query), context.intervalSeconds)];
    }
  },
};

/** Reads the range, keeps the classes that the filters keep, and the first `top` of them. */
async function rank(context: QueryContext, query: Query): Promise<Ranked> {
  const executions = await readExecutions(context, query.origin);
  const keeps = compileFilters(query.filters, table.filterFields);
  const classes = [...sumCounts(executions.buckets)].filter(([jobClass]) => keeps(() => jobClass));
  const ranked = classes.sort((a, b) => weight(b[1], query.sortBy) - weight(a[1], query.sortBy)).slice(0, query.top);
  const notices = [...executions.notices];
  if (ranked.length < classes.length) {
    notices.push({
      severity: 'info',
      text: `The first ${ranked.length} of ${classes.length} classes by ${query.sortBy} are shown. Raise "Top" or add a filter.`,
    });
  }
  return { ...executions, ranked, notices };
}

function weight(counts: ClassCounts, figure: string): number {
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
    default:
      return counts.processed > counts.failed ? counts.milliseconds / (counts.processed - counts.failed) : 0;
  }
}

function saturation(rows: readonly ClassRow[]): Notice[] {
  const full = rows
    .filter(({ durations }) => durations.some((count) => count >= HISTOGRAM_SATURATION))
    .map((row) => row.class);
  return full.length === 0
    ? []
    : [
        {
          severity: 'info',
          text: `A duration bucket may be full (65,535 a minute) for ${full.join(', ')}: quantiles may be off there.`,
        },
      ];
}

async function seriesOf(context: QueryContext, query: Query): Promise<Frame[]> {
  const figure = query.figures[0] ?? 'rate';
  const column = COLUMNS.find(({ name, kind }) => name === figure && kind === 'number') ?? COLUMNS[1]!;
  return seriesFrames(await rank(context, query), column, column.name in QUANTILES, context.intervalSeconds);
}

function finite(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null;
}
