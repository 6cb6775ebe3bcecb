import { z } from 'zod';
import { typesByQueue } from '../observe/workerTypes';
import { Fault } from '../faults/fault';
import type { Options } from '../settings/model';
import { instantText } from '../source/instants';
import type { Frame } from '../frames/frame';
import type { Reads } from '../source/reads';
import { NOW_SECONDS, type Kept } from '../source/source';
import type { State } from '../watch/state';
import { HISTORY_FIGURES, HISTORY_SCOPES, keptAs, type HistoryFigure, type HistoryScope } from '../series/figures';
import { AGGREGATES, boundedInterval, gridOf, POINTS_CAP } from '../series/grid';
import { gapSecondsOf, paceOf, readOnGrid, type Grid, type SampledRange } from '../series/readOnGrid';
import { checkCompared, COMPARED, withCompared } from './historyBefore';
import { bandSecondsFor, checkBand, BANDS, withBand } from './historyBand';
import { groupBy } from '../sidekiq/groupBy';
import type { Notice } from '../sidekiq/model';
import { Turns } from '../turns';
import { DAY_FIGURES, dayFrame, frameOf, type FigureSeries } from './historyFrames';
import { checkFigures } from './figures';
import { compileFilters } from './filter';
import type { Filter } from './filterModel';
import { baseQuerySchema, parseQuery } from './model';
import type { QueryRequest, QueryType } from './queryType';
import { limitOf, optionsOf } from './table';

const schema = baseQuerySchema.extend({
  by: z
    .enum([...HISTORY_SCOPES, 'day'])
    .default('total')
    .describe(
      'What a series is. "day" gives Sidekiq’s own daily counters, up to five years back; the others come from the sampler.'
    ),
  aggregate: z
    .enum(AGGREGATES)
    .default('mean')
    .describe('What an interval tells of the samples within it; rates of counters are always means.'),
  band: z
    .enum(BANDS)
    .default('none')
    .describe('What is usual beside each figure, or by how many times the width of that band the figure lies outside.'),
  compare: z
    .enum(COMPARED)
    .default('none')
    .describe('The same figure of the day or the week before, beside each figure.'),
});

/** A history query as it is saved. */
export type HistoryQuery = z.input<typeof schema>;
type Query = z.output<typeof schema>;

/** What is known, now or before Redis went away. */
type Answering = Pick<State, 'now' | 'options' | 'notices' | 'queues'> | Kept;

/** Points of all series of one answer at most. */
const ANSWER_POINTS = 1_000_000;
const FILTER_FIELDS = ['queue', 'workerType', 'class'];
const DEFAULT_FIGURES: Record<HistoryScope, string[]> = {
  total: ['enqueued', 'busy'],
  queue: ['latency'],
  workerType: ['latency'],
  class: ['processedRate'],
};

const NO_SERIES: Notice = { severity: 'info', text: 'No series matches the filters of the query in this time range.' };

/** Time series of any figure of a state: one frame per series. */
export const history: QueryType = {
  id: 'history',
  group: 'Over time',
  title: 'History',
  description: 'Figures over time: in total, per queue or per worker type, and Sidekiq’s own daily counters.',
  columns: HISTORY_FIGURES.map(({ name, title, unit, description, scopes }) => ({
    name,
    title,
    kind: 'number',
    unit,
    description,
    by: scopes,
  })),
  filterFields: FILTER_FIELDS,
  schema,
  options: optionsOf(schema),
  ofRange: true,
  gridSeconds: (raw, request, { options }) =>
    // Days are those of the range, whatever the interval.
    (raw as { by?: unknown }).by === 'day' ? null : stepOf(request, options),
  ofLog: false,
  live: false,
  cost: '',
  limit: limitOf(schema),
  unchosen: DEFAULT_FIGURES.total,
  example: '--option by=queue --figures latency --from -1800',
  run: answer,
  async runFromKept(raw, kept, request, reads) {
    // An alert rule must hear of an outage, not judge by the last figure before it.
    if (request.alerting) {
      throw kept.fault;
    }
    return answer(raw, kept, request, reads);
  },
};

async function answer(raw: unknown, state: Answering, request: QueryRequest, reads: Reads): Promise<Frame[]> {
  const query = parseQuery(schema, raw);
  checkBand(query, request);
  checkCompared(query, request);
  if (query.by === 'day') {
    checkFigures(
      query.figures,
      DAY_FIGURES.map((name) => ({ name, title: name })),
      request.alerting
    );
    const { notices: unfiltered } = keysKept(query, state);
    const { days, notices } = await reads.days(request.range, state.now);
    return [dayFrame(days, query.figures, [...state.notices, ...unfiltered, ...notices])];
  }
  const { by } = query;
  const known = HISTORY_FIGURES.filter(({ scopes }) => scopes.includes(by));
  checkScope(query.figures, by);
  checkFigures(query.figures, known, request.alerting);
  const figures = (query.figures.length > 0 ? query.figures : DEFAULT_FIGURES[by]).map((name) =>
    known.find((each) => each.name === name)!
  );
  const { keeps, notices: unfiltered } = keysKept(query, state);
  const span = spanOf(state, request, query.band);
  const kept = await reads.history();
  const wanted = figures.flatMap((figure) =>
    kept
      .keys(by, keptAs(figure))
      .filter(keeps)
      .map((key) => ({ figure, key }))
  );
  const most = Math.min(POINTS_CAP, Math.floor(ANSWER_POINTS / Math.max(1, Math.min(wanted.length, query.limit))));
  const found: FigureSeries[] = [];
  // A file of weeks takes its time.
  const turns = new Turns();
  for (const { figure, key } of wanted) {
    const grid = gridFor(figure, by, span, most);
    const series = await readOnGrid(kept, { figure, scope: by, key }, span, grid, query.aggregate);
    found.push(...series.map((each) => ({ figure, ...each })));
    await turns.give();
  }
  const shown = largest(found, query.limit);
  const { schedulerTimeZone } = state.options;
  const banded = await withBand(shown, query, kept, span, schedulerTimeZone);
  const { series, notices: compared } = await withCompared(banded.series, query, kept, span, schedulerTimeZone);
  const notices = [
    ...state.notices,
    ...unfiltered,
    // Of the first step, which may begin before the range, nothing need be known.
    ...beginning(kept.oldest(), request.range.from + stepOf(request, state.options), state.options),
    ...thinned(query, figures, span.from, kept.thinnedUntil?.() ?? null),
    ...cut(shown.length, found.length),
    ...banded.notices,
    ...compared,
    ...(shown.length === 0 && query.filters.some(({ values }) => values.length > 0) ? [NO_SERIES] : []),
  ];
  return shown.length === 0
    ? [{ name: 'history', fields: [], meta: { type: 'timeseries-multi', typeVersion: [0, 1], notices } }]
    : series.map((each) => frameOf(each, query, figures.length > 1, notices));
}

/**
 * Says which series the filters keep, and which ad-hoc filters of the dashboard do not apply to them.
 *
 * @throws Fault `query` for a filter by what these series do not have: passed over, it would be taken for applied
 */
function keysKept({ by, filters }: Query, state: Answering): { keeps: (key: string) => boolean; notices: Notice[] } {
  const queues = 'queues' in state ? state.queues : (state.last?.queues ?? []);
  const typeOf = typesByQueue(queues);
  const known = FIELDS_OF[by];
  const applies = ({ field }: Filter) => known.includes(field) || !FILTER_FIELDS.includes(field);
  const other = filters.filter((filter) => filter.values.length > 0 && !applies(filter));
  const refused = other.find(({ adhoc }) => adhoc !== true);
  if (refused) {
    throw new Fault({
      kind: 'query',
      message: `The history ${SCOPE_NAMES[by]} cannot be filtered by ${refused.field}.`,
      remedy: `Choose the history by ${refused.field}, or remove the filter.`,
    });
  }
  const keeps = compileFilters(filters.filter(applies), FILTER_FIELDS);
  return {
    keeps: (key) => keeps((field) => (field === by ? key : (typeOf.get(key) ?? ''))),
    notices: other.map(({ field }) => ({
      severity: 'warning',
      text: `The ad-hoc filter by ${field} does not apply to the history ${SCOPE_NAMES[by]}.`,
    })),
  };
}

/** By what series may be filtered. */
const FIELDS_OF: Readonly<Record<Query['by'], readonly string[]>> = {
  total: [],
  queue: ['queue', 'workerType'],
  workerType: ['workerType'],
  class: ['class'],
  day: [],
};

/** @throws Fault `query` for a figure that the history has, and not by what is asked */
function checkScope(asked: readonly string[], by: HistoryScope): void {
  const other = HISTORY_FIGURES.find(({ name, scopes }) => asked.includes(name) && !scopes.includes(by));
  if (other) {
    const scopes = other.scopes.map((scope) => `"by" to ${scope}`);
    throw new Fault({
      kind: 'query',
      message: `There is no figure "${other.name}" (${other.title}) in the history ${SCOPE_NAMES[by]}.`,
      remedy: `Set ${scopes.join(' or ')}, which is "Series" in the form, or choose another figure.`,
    });
  }
}

const SCOPE_NAMES: Readonly<Record<Query['by'], string>> = {
  total: 'in total',
  queue: 'by queue',
  workerType: 'by worker type',
  class: 'by class',
  day: 'by day',
};

/** Says where the smallest and the largest value are those of a sample a minute. */
function thinned(
  { by, aggregate }: Query,
  figures: readonly HistoryFigure[],
  from: number,
  until: number | null
): Notice[] {
  const isSampled = by !== 'class' && figures.some(({ counter, slow }) => !counter && !slow);
  if (until === null || from >= until || (aggregate !== 'max' && aggregate !== 'min') || !isSampled) {
    return [];
  }
  const what = aggregate === 'max' ? 'peaks' : 'lows';
  return [
    {
      severity: 'info',
      text: `Until ${instantText(until)} one sample a minute is kept in memory: ${what} of seconds may be missing. With a history file all are kept.`,
    },
  ];
}

/** Of each figure those series that reach highest, where not all are shown; in the order in which they came. */
function largest(series: readonly FigureSeries[], limit: number): FigureSeries[] {
  if (series.length <= limit) {
    return [...series];
  }
  const byFigure = groupBy(series, ({ figure }) => figure.name);
  const share = Math.max(1, Math.floor(limit / byFigure.size));
  const kept = new Set(
    [...byFigure.values()]
      .flatMap((each) => [...each].sort((a, b) => peakOf(b) - peakOf(a)).slice(0, share))
      .slice(0, limit)
  );
  return series.filter((each) => kept.has(each));
}

function peakOf({ values }: FigureSeries): number {
  return values.reduce((most: number, value) => Math.max(most, value ?? -Infinity), -Infinity);
}

interface Span extends SampledRange {
  step: number;
}

/** Seconds between two points. */
function stepOf({ intervalSeconds }: QueryRequest, { sampleSeconds }: Kept['options']): number {
  return Math.max(intervalSeconds, sampleSeconds);
}

function spanOf({ now, options }: Pick<Kept, 'now' | 'options'>, request: QueryRequest, band: Query['band']): Span {
  const { range } = request;
  const { sampleSeconds } = options;
  const asked = stepOf(request, options);
  const step = band === 'none' ? asked : bandSecondsFor(asked, sampleSeconds);
  return {
    from: range.from,
    // The reading came after the end of a range that ends now.
    to: now - range.to < Math.min(step, NOW_SECONDS) ? Math.max(now, range.to) : range.to,
    step,
    gapSeconds: gapSecondsOf(now - range.from, sampleSeconds),
    sampleSeconds,
  };
}

/** @param most points of the series at most */
function gridFor(figure: HistoryFigure, by: HistoryScope, { from, to, step, sampleSeconds }: Span, most: number): Grid {
  // Processes count every ten seconds, each at its own: over less than three beats a rate is mostly their rhythm.
  const pace = paceOf({ figure, scope: by }, sampleSeconds);
  const least = figure.counter ? Math.max(3 * sampleSeconds, pace) : pace;
  const interval = boundedInterval(from, to, Math.max(step, least), most);
  return { grid: gridOf(from, to, interval), interval };
}

function beginning(oldest: number | null, from: number, { sampleSeconds, historyFile }: Options): Notice[] {
  if (oldest !== null && oldest <= from + sampleSeconds * 2) {
    return [];
  }
  const since = oldest === null ? 'now' : instantText(oldest);
  const remedy =
    historyFile === ''
      ? 'For longer times set a history file ("historyFile"), or scrape it with Prometheus.'
      : 'The history file keeps "historyRetentionDays".';
  return [
    {
      severity: 'info',
      text: `Jobwatch has watched this Sidekiq since ${since}; there is nothing from before. ${remedy}`,
    },
  ];
}

function cut(shown: number, all: number): Notice[] {
  return shown === all
    ? []
    : [{ severity: 'info', text: `The ${shown} largest of ${all} series are shown. Raise "Limit" or add a filter.` }];
}
