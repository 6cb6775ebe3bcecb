import type { UsualFigure } from '../outlook/usualView';
import { classLabels, labelValue, type Metric, type Sample } from './metric';

const BOUNDS = ['lower', 'usual', 'upper'] as const;
const SOURCE = 'the history of the figure, by hour of the week or of the day';

/** The band of a figure, in total or by queue. */
function band(name: string, what: string, figure: string, scope: 'total' | 'queue', unit?: Metric['unit']): Metric {
  return {
    name,
    type: 'gauge',
    help: `${what} that is usual at this hour, with the bounds that hold 95% of the values.`,
    labels: scope === 'queue' ? ['name', 'bound'] : ['bound'],
    source: SOURCE,
    ...(unit && { unit }),
    read: (state) => figuresOf(state.usual?.figures, scope, figure).flatMap((each) => bounds(each)),
  };
}

function figuresOf(figures: readonly UsualFigure[] | undefined, scope: string, figure: string) {
  return (figures ?? []).filter((each) => each.scope === scope && each.figure === figure);
}

function bounds(figure: UsualFigure): Sample[] {
  const name: Array<[string, string]> = figure.scope === 'queue' ? [['name', labelValue(figure.key)]] : [];
  return BOUNDS.map((bound) => ({ labels: [...name, ['bound', bound]], value: figure[bound] }));
}

/** What is usual and what is not. Missing while there are less than two days of history. */
export const USUAL_METRICS: readonly Metric[] = [
  band('sidekiq_usual_processed_jobs_per_second', 'Throughput, failures included,', 'processedRate', 'total'),
  band('sidekiq_usual_failed_jobs_per_second', 'Failures per second', 'failedRate', 'total'),
  band('sidekiq_usual_enqueued_jobs', 'Number of waiting jobs', 'enqueued', 'total'),
  band('sidekiq_usual_latency_seconds', 'Longest wait', 'latency', 'total', 'seconds'),
  band('sidekiq_usual_queue_enqueued_jobs', 'Number of waiting jobs of the queue', 'enqueued', 'queue'),
  band('sidekiq_usual_queue_latency_seconds', 'Latency of the queue', 'latency', 'queue', 'seconds'),
  {
    name: 'sidekiq_usual_deviation',
    type: 'gauge',
    help: 'By how many times the width of the usual band the figure of the last minutes lies above it, below it where negative; 0 within.',
    labels: ['figure'],
    source: SOURCE,
    read: ({ usual }) =>
      (usual?.figures ?? [])
        .filter(({ scope }) => scope === 'total')
        .map(({ figure, deviation }) => ({ labels: [['figure', figure]], value: deviation })),
  },
  {
    name: 'sidekiq_usual_queue_deviation',
    type: 'gauge',
    help: 'The same of a queue.',
    labels: ['name', 'figure'],
    source: SOURCE,
    read: ({ usual }) =>
      (usual?.figures ?? [])
        .filter(({ scope }) => scope === 'queue')
        .map(({ key, figure, deviation }) => ({
          labels: [
            ['name', labelValue(key)],
            ['figure', figure],
          ],
          value: deviation,
        })),
  },
  {
    name: 'sidekiq_missing_executions',
    type: 'gauge',
    help: 'Executions of the class that would be usual since it last ran, where it has paused for longer than ever.',
    labels: ['class'],
    source: SOURCE,
    read: ({ usual }) =>
      (usual?.missing ?? []).map(({ class: name, expected }) => ({ labels: classLabels(name), value: expected })),
  },
];
