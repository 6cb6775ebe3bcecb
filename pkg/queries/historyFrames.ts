import type { Frame } from '../frames/frame';
import type { Band } from '../outlook/usualModel';
import type { HistoryFigure, HistoryScope } from '../series/figures';
import type { SeriesOnGrid } from '../series/readOnGrid';
import type { DayCounts } from '../sidekiq/browse/days';
import type { Notice } from '../sidekiq/model';
import { bandFields } from './historyBand';
import { comparedField, type COMPARED } from './historyBefore';

const SECONDS_PER_DAY = 86_400;
/** Figures of Sidekiq's own daily counters. */
export const DAY_FIGURES = ['processed', 'failed'] as const;

/** A series with what stands beside it. */
export interface FigureSeries extends SeriesOnGrid {
  figure: HistoryFigure;
  band?: ReadonlyArray<Band | null>;
  compared?: ReadonlyArray<number | null>;
}

/** A series as a frame of its own, with its band and the same figure of another day. @param several whether there are other figures */
export function frameOf(
  { figure, key, values, grid, interval, band, compared }: FigureSeries,
  { by, compare }: { by: HistoryScope | 'day'; compare: (typeof COMPARED)[number] },
  several: boolean,
  notices: Notice[]
): Frame {
  const label = by === 'total' ? figure.title : several ? `${key} ${figure.title.toLowerCase()}` : key;
  const labels = by === 'total' ? undefined : { [by]: key };
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
        ...(labels && { labels }),
        config: { displayNameFromDS: label, unit: figure.unit, description: figure.description },
      },
      ...(band ? bandFields(band, figure.unit, label, labels) : []),
      ...(compared ? [comparedField(compared, compare, figure.unit, label, labels)] : []),
    ],
    meta: {
      type: 'timeseries-multi',
      typeVersion: [0, 1],
      preferredVisualisationType: 'graph',
      ...(notices.length > 0 && { notices }),
    },
  };
}

/** Executions per UTC day, as Sidekiq itself counted them. */
export function dayFrame(days: readonly DayCounts[], figures: readonly string[], notices: Notice[]): Frame {
  const fields = [
    {
      name: 'processed',
      values: days.map(({ processed }) => processed),
      displayName: 'Processed',
      description: 'Executions finished on the UTC day, failures included.',
    },
    {
      name: 'failed',
      values: days.map(({ failed }) => failed),
      displayName: 'Failed',
      description: 'Executions that raised on the UTC day.',
    },
  ].filter(({ name }) => figures.length === 0 || figures.includes(name));
  return {
    name: 'history',
    fields: [
      {
        name: 'time',
        kind: 'time',
        values: days.map(({ startsAt }) => startsAt * 1000),
        config: { displayName: 'Day', interval: SECONDS_PER_DAY * 1000 },
      },
      ...fields.map(({ name, values, ...config }) => ({
        name,
        kind: 'number' as const,
        values,
        config: { ...config, unit: 'short' },
      })),
    ],
    meta: {
      type: 'timeseries-wide',
      typeVersion: [0, 1],
      preferredVisualisationType: 'graph',
      ...(notices.length > 0 && { notices }),
    },
  };
}
