import { z } from 'zod';
import { Fault } from '../faults/fault';
import { durationText } from '../findings/texts';
import { FEWEST, rankTest, signedRankTest } from '../outlook/rankTest';
import { HISTORY_FIGURES, HISTORY_SCOPES, keptAs, type HistoryFigure, type HistoryScope } from '../series/figures';
import { boundedInterval } from '../series/grid';
import { gapSecondsOf, readOnGrid } from '../series/readOnGrid';
import type { Notice } from '../sidekiq/model';
import { QUANTILES } from '../sidekiq/jobMetrics';
import { warning } from '../sidekiq/parts/part';
import { anyZone, UTC } from '../sidekiq/schedule/zone';
import type { FigureReads } from '../series/store';
import { instantText } from '../source/instants';
import type { Range, Reads } from '../source/reads';
import { Turns } from '../turns';
import { baseQuerySchema } from './model';
import { compileOwnFilters } from './filter';
import { compareErrors, LEAST_OF_ERRORS } from './compareErrors';
import { COMPARE_COLUMNS, mostTelling, type ComparedRow } from './compareColumns';
import { compareDurations } from './compareDurations';
import { noDeploy, SLOT_SECONDS, stretches, wholeSlots, type Stretches } from './compareStretches';
import { tableQuery, type Rows } from './table';

const schema = baseQuerySchema.extend({
  by: z
    .enum([...HISTORY_SCOPES, 'error'])
    .default('total')
    .describe('What figures are compared for; "error" compares the jobs in retry and dead by their error.'),
  with: z
    .enum(['deploy', 'instant', 'day', 'week'])
    .default('day')
    .describe(
      'What the time range is compared with: the time before the last deploy or an instant within it, or the same time a day or a week before.'
    ),
  at: z
    .string()
    .default('')
    .describe(
      'The instant (RFC 3339) for "instant"; for "deploy" the label of the mark or its instant, the last one of the range where it is empty.'
    ),
  measures: z
    .array(z.string())
    .default([])
    .describe(
      'Figures of the history; of classes also p50, p90, p95 and p99 of the run times. The most telling ones where there are none.'
    ),
});

/** A comparison as it is saved. */
export type CompareQuery = z.input<typeof schema>;
type Query = z.output<typeof schema>;

/** What is known of a stretch of five minutes, and of how much its value is the mean: executions of a run time. */
interface Known {
  readonly value: number;
  readonly weight: number;
}

/** What is compared where nothing is chosen. */
const FAILING = { title: 'Failing jobs', unit: 'short' };
const DEFAULT_MEASURES: Readonly<Record<HistoryScope, readonly string[]>> = {
  total: ['processedRate', 'failedRate', 'enqueued', 'latency', 'busy'],
  queue: ['latency', 'enqueued', 'wait'],
  workerType: ['latency', 'enqueued', 'busy', 'wait'],
  class: ['processedRate', 'failedRate', 'runTime', 'p95', 'wait'],
};
/** Shorter times may have too few whole slots. */
const LEAST_SECONDS = (FEWEST + 1) * SLOT_SECONDS;
/** Values of one series on each side at most: a week of five minutes. */
const VALUES_COMPARED = 2100;
/** Two stretches of time side by side: whether figures have changed by more than chance. */
export const compare = tableQuery({
  id: 'compare',
  group: 'Over time',
  ofRange: true,
  title: 'Compare',
  description:
    'Before and after a deploy or an instant, or beside yesterday or last week: whether figures have changed by more than chance.',
  empty: 'There is nothing to compare in this time range.',
  cost: 'the deploy marks of the days of the range',
  schema,
  columns: COMPARE_COLUMNS,
  example: '--option by=queue --from -3600',
  async rows(state, query, { range, alerting }, reads) {
    const history = await reads.history();
    const leastSeconds = query.by === 'error' ? LEAST_OF_ERRORS : LEAST_SECONDS;
    const zone = anyZone(state.options.schedulerTimeZone) ?? UTC;
    const known = { now: state.now, oldest: history.oldest() ?? -Infinity, leastSeconds, zone };
    const parted = await stretches(query, range, known, reads);
    if (!parted) {
      return nothing(noDeploy(), alerting);
    }
    const { before, after, paired, compared: what, notices } = parted;
    if (query.by === 'error') {
      return rowsOfErrors(query, parted, { now: state.now, alerting }, reads);
    }
    const { by } = query;
    const { figures, quantiles } = figuresOf(by, query.measures);
    const { sampleSeconds } = state.options;
    const turns = new Turns();
    const rows: ComparedRow[] = [];
    const watched: Array<[before: number, after: number]> = [];
    for (const figure of figures) {
      for (const name of history.keys(by, keptAs(figure))) {
        const wanted = { figure, scope: by, key: name };
        const age = state.now - before.from;
        const read = [
          await valuesOf(history, wanted, before, age, sampleSeconds),
          await valuesOf(history, wanted, after, age, sampleSeconds),
        ] as const;
        if (!figure.quotient) {
          watched.push(read.map(knownShare) as [number, number]);
        }
        // Of run times and waits no value means that nothing has ended or begun in those minutes.
        const inPairs = paired && !figure.quotient;
        const [former, later] = compared(read, inPairs);
        if (read.some((values) => values.some((value) => value !== null))) {
          rows.push({
            key: name,
            figure,
            before: meanOf(former),
            after: meanOf(later),
            difference: (inPairs ? signedRankTest : rankTest)(former.map(valueOf), later.map(valueOf)),
            compared: what,
          });
        }
        await turns.give();
      }
    }
    if (figures.length > 0 && watched.length === 0) {
      // Of figures that may have nothing to tell the time that was watched is that of one which always has.
      const always = { figure: HISTORY_FIGURES.find(({ name }) => name === 'busy')!, scope: 'total', key: '' } as const;
      const age = state.now - before.from;
      const shares = [before, after].map(async (range) => valuesOf(history, always, range, age, sampleSeconds));
      watched.push((await Promise.all(shares)).map(knownShare) as [number, number]);
    }
    const isKept = compileOwnFilters(query.filters, ['key']);
    const asked = { wereAsked: query.measures.length > 0, keeps: (jobClass: string) => isKept(() => jobClass) };
    const run = await compareDurations(quantiles, parted, asked, state, reads);
    rows.push(
      ...run.quantiles.map(({ jobClass, name, ...sides }) => ({
        key: jobClass,
        figure: { title: `Run time, ${name}`, unit: 's' },
        ...sides,
        compared: what,
      }))
    );
    const isShort = !paired && after.to - after.from < LEAST_SECONDS && rows.every((row) => row.difference === null);
    return {
      rows: rows.sort(mostTelling),
      ...(isShort && { empty: tooShort(before, after) }),
      notices: [
        ...notices,
        ...(isShort && rows.length > 0 ? [warning(tooShort(before, after))] : []),
        ...unwatched(watched),
        ...run.notices,
      ],
      without: by === 'total' ? ['key'] : [],
    };
  },
});

/** Means of a time of which little is known are those of that part. */
const MOSTLY = 0.9;

function knownShare(values: readonly unknown[]): number {
  return values.length === 0 ? 0 : values.filter((value) => value !== null).length / values.length;
}

/** By the series that is known best: others may have had nothing to tell. */
function unwatched(watched: ReadonlyArray<[before: number, after: number]>): Notice[] {
  const parts = (['before', 'after'] as const).flatMap((side, index) => {
    const most = watched.reduce((largest, shares) => Math.max(largest, shares[index]!), 0);
    return most < MOSTLY ? [`${Math.round(100 * most)}% of the time ${side}`] : [];
  });
  return watched.length === 0 || parts.length === 0
    ? []
    : [warning(`Figures are known of ${parts.join(' and ')} only; means are of that.`)];
}

/** An alert rule hears why; a reader sees a sentence. @throws the fault for an alert rule */
function nothing(fault: Fault, alerting: boolean): Rows<ComparedRow> {
  if (alerting) {
    throw fault;
  }
  return { rows: [], empty: fault.explanation };
}

/** Of error classes: the jobs that failed in either time. */
async function rowsOfErrors(
  { measures }: Query,
  { before, after, compared: what, notices: told }: Stretches,
  { now, alerting }: { now: number; alerting: boolean },
  reads: Reads
): Promise<Rows<ComparedRow>> {
  if (measures.length > 0) {
    throw noFigure(measures[0]!, []);
  }
  try {
    const { errors, notices } = await compareErrors(before, after, now, reads);
    const rows = errors.map(({ errorClass, ...counts }): ComparedRow => ({
      key: errorClass,
      figure: FAILING,
      compared: what,
      ...counts,
    }));
    return { rows: rows.sort(mostTelling), empty: 'No job failed in either time.', notices: [...told, ...notices] };
  } catch (error) {
    if (error instanceof Fault && error.kind === 'query') {
      return nothing(error, alerting);
    }
    throw error;
  }
}

/**
 * Values that are known. Of the same times of two days those of which both are known: a day without its morning is no quiet
 * day, and a morning is not compared with an evening. Where a day has none at all, the other one is told alone.
 */
function compared(
  [former, later]: readonly [ReadonlyArray<Known | null>, ReadonlyArray<Known | null>],
  paired: boolean
): [Known[], Known[]] {
  const both = paired && [former, later].every((values) => values.some((value) => value !== null));
  const of = (values: ReadonlyArray<Known | null>, others: ReadonlyArray<Known | null>) =>
    values.filter((value, index) => value !== null && (!both || (others[index] ?? null) !== null)) as Known[];
  return [of(former, later), of(later, former)];
}

/** The figures of the history that are compared, and the quantiles of run times. @throws Fault `query` for another name */
function figuresOf(by: HistoryScope, measures: readonly string[]): { figures: HistoryFigure[]; quantiles: string[] } {
  const known = HISTORY_FIGURES.filter(({ scopes }) => scopes.includes(by));
  const ofRunTimes = by === 'class' ? [...QUANTILES.keys()] : [];
  const wanted = measures.length > 0 ? measures : DEFAULT_MEASURES[by];
  const quantiles = wanted.filter((name) => ofRunTimes.includes(name));
  const figures = wanted.flatMap((name) => {
    const found = known.find((each) => each.name === name);
    if (!found && !quantiles.includes(name)) {
      throw noFigure(name, [...known.map((each) => each.name), ...ofRunTimes]);
    }
    return found ?? [];
  });
  return { figures, quantiles };
}

function noFigure(name: string, known: readonly string[]): Fault {
  return new Fault({
    kind: 'query',
    message: `There is no figure "${name}" of this scope in the history.`,
    remedy: known.length === 0 ? 'Leave "measures" empty.' : `Set "measures" to some of: ${known.join(', ')}.`,
  });
}

function tooShort(before: Range, after: Range): string {
  return `${instantText(before.to)} is only ${durationText(after.to - after.from)} from an end of the time range; a comparison needs ${durationText(FEWEST * SLOT_SECONDS)} on both sides. Wait, widen the range, or name an earlier deploy (option "at", in the dashboard "Deploy at").`;
}

/** Means of five minutes that lie within a range, in their order; `null` where nothing is known. */
async function valuesOf(
  history: FigureReads,
  wanted: { figure: HistoryFigure; scope: HistoryScope; key: string },
  { from, to }: Range,
  ageSeconds: number,
  sampleSeconds: number
): Promise<ReadonlyArray<Known | null>> {
  const least = Math.max(SLOT_SECONDS, Math.ceil((3 * sampleSeconds) / SLOT_SECONDS) * SLOT_SECONDS);
  // A range of years is told in longer stretches.
  const interval = boundedInterval(from, to, least, VALUES_COMPARED);
  const grid = wholeSlots({ from, to }, interval);
  const sampled = { from, to, gapSeconds: gapSecondsOf(ageSeconds, sampleSeconds), sampleSeconds };
  const [series] = grid.length === 0 ? [] : await readOnGrid(history, wanted, sampled, { grid, interval });
  return (series?.values ?? []).map((value, index) =>
    value === null ? null : { value, weight: series!.weights?.[index] ?? 1 }
  );
}

const valueOf = ({ value }: Known) => value;

function meanOf(known: readonly Known[]): number | null {
  const weight = known.reduce((sum, each) => sum + each.weight, 0);
  return weight === 0 ? null : known.reduce((sum, each) => sum + each.value * each.weight, 0) / weight;
}
