import { Fault } from '../faults/fault';
import type { Field } from '../frames/frame';
import type { Basis, Usual } from '../outlook/usual';
import type { Band } from '../outlook/usualModel';
import { leastWidthOf, slotSecondsFor, SLOT_SECONDS, usualFor } from '../outlook/usualFigures';
import type { HistoryFigure, HistoryScope } from '../series/figures';
import type { Aggregate } from '../series/grid';
import type { SeriesOnGrid } from '../series/readOnGrid';
import type { FigureReads } from '../series/store';
import type { Notice } from '../sidekiq/model';
import { Turns } from '../turns';
import type { QueryRequest } from './queryType';

/** What is told of the usual beside the figures of a history. */
export const BANDS = ['none', 'usual', 'deviation'] as const;

interface Asked {
  by: HistoryScope | 'day';
  band: (typeof BANDS)[number];
  aggregate: Aggregate;
}

/** Series for which the usual is told: each takes some milliseconds to learn. */
const BANDS_SHOWN = 100;

/** @throws Fault `query` */
export function refuse(message: string, remedy: string): never {
  throw new Fault({ kind: 'query', message, remedy });
}

/** @throws Fault `query` where the usual cannot be told */
export function checkBand({ by, band, aggregate }: Asked, { alerting }: Pick<QueryRequest, 'alerting'>): void {
  if (band === 'none') {
    return;
  }
  if (by === 'day') {
    refuse('There is no band for Sidekiq’s daily counters.', 'Set "band" to none, or choose other series.');
  }
  if (aggregate !== 'mean') {
    refuse(`What is usual is told of means, and the query asks for the ${aggregate}.`, 'Set "aggregate" to mean.');
  }
  if (band === 'usual' && alerting) {
    refuse('An alert rule takes one figure, and the band has three.', 'Set "band" to deviation.');
  }
}

/** Seconds between two points beside which the usual can be told: at least those that the panel asks for, up to an hour. */
export function bandSecondsFor(intervalSeconds: number, sampleSeconds: number): number {
  return slotSecondsFor(intervalSeconds, { sampleSeconds }) ?? Math.max(intervalSeconds, SLOT_SECONDS.at(-1)!);
}

/** Adds the band, or puts the deviation in place of the figure. */
export async function withBand<S extends SeriesOnGrid & { figure: HistoryFigure }>(
  shown: readonly S[],
  { by, band }: Asked,
  reads: FigureReads,
  { to, sampleSeconds }: { to: number; sampleSeconds: number },
  timeZone: string
): Promise<{ series: Array<S & { band?: ReadonlyArray<Band | null> }>; notices: Notice[] }> {
  if (band === 'none' || by === 'day') {
    return { series: [...shown], notices: [] };
  }
  const turns = new Turns();
  const bases = new Set<Basis>();
  // The usual is told of stretches of an hour at most.
  const tooWide = shown.some(({ interval }) => interval > SLOT_SECONDS.at(-1)!);
  const series: Array<S & { band?: ReadonlyArray<Band | null> }> = [];
  for (const each of shown.slice(0, BANDS_SHOWN)) {
    const { figure, key, interval, grid, values } = each;
    const usual = SLOT_SECONDS.some((seconds) => seconds === interval)
      ? await usualFor(reads, { figure, scope: by, key }, interval, to, { sampleSeconds, timeZone }, turns)
      : null;
    bases.add(usual?.basis ?? null);
    series.push(
      band === 'usual'
        ? usual?.basis
          ? { ...each, band: grid.map((at) => usual.at(at)) }
          : each
        : { ...each, figure: deviationFigure(figure), values: deviations(usual, figure, grid, values, interval) }
    );
    await turns.give();
  }
  const why = tooWide ? [TOO_WIDE] : basisNotices(bases);
  return { series, notices: [...why, ...cutNotices(series.length, shown.length)] };
}

const TOO_WIDE: Notice = {
  severity: 'info',
  text: 'What is usual is told of points up to an hour apart, and these are wider. Choose a shorter time range.',
};

function deviations(
  usual: Usual | null,
  figure: HistoryFigure,
  grid: readonly number[],
  values: ReadonlyArray<number | null>,
  interval: number
): Array<number | null> {
  const least = leastWidthOf(figure, interval);
  return values.map((value, index) => (value === null ? null : (usual?.deviation(value, grid[index]!, least) ?? null)));
}

/** The figure that is shown in place of another. */
const deviationFigure = (figure: HistoryFigure): HistoryFigure => ({
  name: 'deviation',
  title: `${figure.title} deviation`,
  unit: 'none',
  scopes: figure.scopes,
  description: `${figure.description} By how many times the width of the usual band the figure lies above (below: negative) it; 0 within.`,
});

/** The fields of a band, drawn as a fill between its bounds. */
export function bandFields(
  band: ReadonlyArray<Band | null>,
  unit: string,
  label: string,
  labels: Record<string, string> | undefined
): Field[] {
  return BAND_FIELDS.map(({ name, title, description, custom }) => ({
    name,
    kind: 'number',
    values: band.map((each) => each?.[name] ?? null),
    ...(labels && { labels }),
    config: {
      displayNameFromDS: titled(label, title),
      unit,
      description,
      color: COLOUR,
      custom: name === 'upper' ? { ...custom, fillBelowTo: titled(label, LOWER) } : custom,
    },
  }));
}

const LOWER = 'usual, lower bound';
/** Bounds are the edges of the fill of the upper one; whose it is, the line within it says. */
const EDGE = { lineWidth: 0, fillOpacity: 0, showPoints: 'never' };
const FILL = { ...EDGE, fillOpacity: 20 };
const COLOUR = { mode: 'fixed', fixedColor: '#8e8e8e' };

const BAND_FIELDS = [
  { name: 'lower', title: LOWER, description: 'Lower bound of the usual: 2.5% of the values lie below.', custom: EDGE },
  {
    name: 'usual',
    title: 'usual',
    description: 'The usual value at this hour.',
    custom: { lineStyle: { fill: 'dash', dash: [6, 6] }, fillOpacity: 0, showPoints: 'never' },
  },
  {
    name: 'upper',
    title: 'usual, upper bound',
    description: 'Upper bound of the usual: 2.5% of the values lie above.',
    custom: FILL,
  },
] as const;

function titled(label: string, title: string): string {
  return `${label}: ${title}`;
}

const BASIS_TEXTS: Readonly<Record<NonNullable<Basis>, string>> = {
  week: 'The usual is that of the hour of the week, from up to six weeks.',
  day: 'The usual is that of the hour of the day: there are less than three weeks of history.',
};

function basisNotices(bases: ReadonlySet<Basis>): Notice[] {
  return [...bases].map((basis) => ({
    severity: 'info',
    text: basis === null ? 'There is not enough history to tell what is usual: it takes two days.' : BASIS_TEXTS[basis],
  }));
}

function cutNotices(shown: number, all: number): Notice[] {
  return shown === all
    ? []
    : [
        {
          severity: 'info',
          text: `The usual is told of ${shown} series at once; ${all - shown} are left out. Add a filter.`,
        },
      ];
}
