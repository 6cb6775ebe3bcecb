import { z } from 'zod';
import { Fault } from '../faults/fault';
import type { Frame } from '../frames/frame';
import { HISTORY_FIGURES, HISTORY_SCOPES, type HistoryFigure, type HistoryScope } from '../history/figures';
import { gaugeOnGrid, gridOf, rateOnGrid, type GridSeries } from '../history/timeSeries';
import type { Notice } from '../sidekiq/snapshot';
import type { QueryContext } from './context';
import { dailyFrames } from './dailyCounters';
import { compileFilters } from './filter';
import { baseQuerySchema, parseQuery } from './model';
import type { QueryType } from './queryType';

const schema = baseQuerySchema.extend({
  /** `day` reads Sidekiq's own daily counters, up to five years back; the others come from the sampler. */
  by: z.enum([...HISTORY_SCOPES, 'day']).default('total'),
});

/** A history query as it is saved. */
export type HistoryQuery = z.input<typeof schema>;

/** Samples missed that make a gap: fewer are a sampler that is late. */
const GAP_SAMPLES = 2.5;
/** In memory samples older than this are a minute apart. */
const FULL_PACE_SECONDS = 6 * 3600;
const FILTER_FIELDS = ['queue', 'workerType'];
const DEFAULT_FIGURES: Record<HistoryScope, string[]> = {
  total: ['enqueued', 'busy'],
  queue: ['latency'],
  workerType: ['latency'],
};

/** Time series of any figure of a snapshot: one frame per series. */
export const history: QueryType = {
  id: 'history',
  title: 'History',
  description: 'Figures over time: in total, per queue or per worker type, and Sidekiq’s own daily counters.',
  columns: HISTORY_FIGURES.map(({ name, title, unit, description }) => ({
    name,
    title,
    kind: 'number',
    unit,
    description,
  })),
  filterFields: FILTER_FIELDS,
  async run(raw, context) {
    const query = parseQuery(schema, raw);
    if (query.by === 'day') {
      return dailyFrames(context);
    }
    const { by } = query;
    const figures = (query.figures.length > 0 ? query.figures : DEFAULT_FIGURES[by]).map((name) => figureOf(name, by));
    if (context.alerting && figures.length !== 1) {
      throw new Fault({
        kind: 'query',
        message: 'An alert rule needs one figure.',
        remedy: 'Choose one under "Figures".',
      });
    }
    const keeps = compileFilters(query.filters, FILTER_FIELDS);
    // A look now, so that the newest point is never older than the question.
    const { notices, at: now } = await context.snapshot();
    const { sampleSeconds } = context.options;
    const step = Math.max(context.intervalSeconds, sampleSeconds);
    // That look came after the end of a range that ends now.
    const to = now - context.range.to < step ? Math.max(now, context.range.to) : context.range.to;
    const gap =
      GAP_SAMPLES * (now - context.range.from > FULL_PACE_SECONDS ? Math.max(sampleSeconds, 60) : sampleSeconds);
    const series = figures.flatMap((figure) => {
      // Processes count every ten seconds, each at its own: over less than three beats a rate is mostly their rhythm.
      const interval = figure.counter ? Math.max(step, 3 * sampleSeconds) : step;
      const grid = gridOf(context.range.from, to, interval);
      return context.history.read(by, figure.derived?.from ?? figure.name, context.range.from, to).flatMap((points) => {
        if (grid.length === 0 || !keeps((field) => (field === by ? points.key : ''))) {
          return [];
        }
        const { key, values } = (figure.counter ? rateOnGrid : gaugeOnGrid)(points, grid, interval, gap);
        const times = figure.derived?.times ?? 1;
        return [
          { figure, key, grid, interval, values: values.map((value) => (value === null ? null : value * times)) },
        ];
      });
    });
    const shown = series.slice(0, query.limit);
    const said = [...notices, ...beginning(context), ...cut(shown.length, series.length)];
    return shown.length === 0 ? [empty(said)] : shown.map((each) => frameOf(each, by, figures.length > 1, said));
  },
};

function figureOf(name: string, by: HistoryScope): HistoryFigure {
  const figure = HISTORY_FIGURES.find((each) => each.name === name && each.scopes.includes(by));
  if (!figure) {
    const known = HISTORY_FIGURES.filter(({ scopes }) => scopes.includes(by)).map((each) => each.name);
    throw new Fault({
      kind: 'query',
      message: `There is no history of "${name}" by ${by}.`,
      remedy: `Choose from: ${known.join(', ')}.`,
    });
  }
  return figure;
}

interface FigureSeries extends GridSeries {
  figure: HistoryFigure;
  grid: readonly number[];
  /** Seconds from one instant of the grid to the next. */
  interval: number;
}

function frameOf(
  { figure, key, values, grid, interval }: FigureSeries,
  by: HistoryScope,
  several: boolean,
  notices: Notice[]
): Frame {
  const label = by === 'total' ? figure.title : several ? `${key} ${figure.title.toLowerCase()}` : key;
  return {
    name: label,
    fields: [
      {
        name: 'time',
        kind: 'time',
        values: grid.map((at) => at * 1000),
        config: { displayName: 'Time', interval: interval * 1000 },
      },
      {
        name: figure.name,
        kind: 'number',
        values,
        ...(by !== 'total' && { labels: { [by]: key } }),
        config: { displayNameFromDS: label, unit: figure.unit, description: figure.description },
      },
    ],
    meta: {
      type: 'timeseries-multi',
      typeVersion: [0, 1],
      preferredVisualisationType: 'graph',
      ...(notices.length > 0 && { notices }),
    },
  };
}

function empty(notices: Notice[]): Frame {
  return { name: 'history', fields: [], meta: { type: 'timeseries-multi', typeVersion: [0, 1], notices } };
}

function beginning({ history: store, range, options }: QueryContext): Notice[] {
  const oldest = store.oldest();
  if (oldest !== null && oldest <= range.from + options.sampleSeconds * 2) {
    return [];
  }
  const since = oldest === null ? 'now' : new Date(oldest * 1000).toISOString().replace(/\.\d+Z$/, 'Z');
  return [
    {
      severity: 'info',
      text: `Jobwatch has watched this Sidekiq since ${since}; there is nothing from before. For longer times set a history file, or scrape it with Prometheus.`,
    },
  ];
}

function cut(shown: number, all: number): Notice[] {
  return shown === all
    ? []
    : [{ severity: 'info', text: `${shown} of ${all} series are shown. Raise "Limit" or add a filter.` }];
}
