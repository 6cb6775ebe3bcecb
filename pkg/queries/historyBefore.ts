import type { Field } from '../frames/frame';
import type { HistoryFigure, HistoryScope } from '../series/figures';
import { readOnGrid, type SampledRange, type SeriesOnGrid } from '../series/readOnGrid';
import type { Aggregate } from '../series/grid';
import type { FigureReads } from '../series/store';
import type { Notice } from '../sidekiq/model';
import { anyZone, UTC } from '../sidekiq/schedule/zone';
import { Turns } from '../turns';
import { CLOCKS_CHANGE, secondsBack } from './compareStretches';
import { refuse, type BANDS } from './historyBand';
import type { QueryRequest } from './queryType';

/** What is drawn beside a figure: the same figure of another day. */
export const COMPARED = ['none', 'day', 'week'] as const;

interface Asked {
  by: HistoryScope | 'day';
  band: (typeof BANDS)[number];
  compare: (typeof COMPARED)[number];
  aggregate: Aggregate;
}

/** @throws Fault `query` where the figure of another day cannot stand beside it */
export function checkCompared({ by, band, compare }: Asked, { alerting }: Pick<QueryRequest, 'alerting'>): void {
  if (compare === 'none') {
    return;
  }
  if (by === 'day') {
    refuse('Sidekiq’s daily counters have no time of day.', 'Set "compare" to none, or choose other series.');
  }
  if (band === 'deviation') {
    refuse('The deviation is a comparison itself.', 'Set "compare" to none, or "band" to usual or none.');
  }
  if (alerting) {
    refuse('An alert rule takes one figure, and a comparison has two.', 'Set "compare" to none.');
  }
}

/** Adds to each series its values at the same time of the day (or of the week) before, by the clock of the settings. */
export async function withCompared<S extends SeriesOnGrid & { figure: HistoryFigure }>(
  shown: readonly S[],
  { by, compare, aggregate }: Asked,
  reads: FigureReads,
  span: SampledRange,
  timeZone: string
): Promise<{ series: Array<S & { compared?: ReadonlyArray<number | null> }>; notices: Notice[] }> {
  if (compare === 'none' || by === 'day') {
    return { series: [...shown], notices: [] };
  }
  const zone = anyZone(timeZone) ?? UTC;
  const back = secondsBack(span.to, compare, zone);
  // Gaps are told by the age of the samples.
  const earlier = { ...span, from: span.from - back, to: span.to - back };
  const turns = new Turns();
  const series: Array<S & { compared?: ReadonlyArray<number | null> }> = [];
  for (const each of shown) {
    const { figure, key, grid, interval } = each;
    const then = { grid: grid.map((at) => at - back), interval };
    const [found] = await readOnGrid(reads, { figure, scope: by, key }, earlier, then, aggregate);
    series.push({ ...each, compared: grid.map((_, index) => found?.values[index] ?? null) });
    await turns.give();
  }
  const isKnown = series.some(({ compared }) => compared!.some((value) => value !== null));
  return {
    series,
    notices: [
      ...(secondsBack(span.from, compare, zone) === back ? [] : [CLOCKS_CHANGE]),
      ...(isKnown || shown.length === 0 ? [] : [nothingThen(compare)]),
    ],
  };
}

function nothingThen(compare: 'day' | 'week'): Notice {
  return { severity: 'info', text: `There is no history of ${compare === 'day' ? 'the day' : 'the week'} before.` };
}

/** The field of the other day, drawn as a dashed line. */
export function comparedField(
  values: ReadonlyArray<number | null>,
  compare: (typeof COMPARED)[number],
  unit: string,
  label: string,
  labels: Record<string, string> | undefined
): Field {
  const when = compare === 'day' ? 'a day before' : 'a week before';
  return {
    name: 'compared',
    kind: 'number',
    values: [...values],
    ...(labels && { labels }),
    config: {
      displayNameFromDS: `${label}, ${when}`,
      unit,
      description: `The same figure ${when}.`,
      custom: { lineStyle: { fill: 'dash', dash: [4, 4] }, fillOpacity: 0, showPoints: 'never' },
    },
  };
}
