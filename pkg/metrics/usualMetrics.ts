import type { UsualFigure } from '../outlook/usualView';
import type { Labels } from '../statsd/labels';
import type { State } from '../watch/state';
import { classLabels, labelValue, type Metric } from './metric';

type Scope = 'total' | 'queue';
const LABELS: Readonly<Record<Scope, readonly string[]>> = { total: [], queue: ['name'] };
const BOUNDS = ['lower', 'usual', 'upper'] as const;
const SOURCE = 'the history of the figure, by hour of the week or of the day';

/** The band of a figure, in total or by queue. */
function band(name: string, what: string, figure: string, scope: Scope, unit?: Metric['unit']): Metric {
  return {
    name,
    type: 'gauge',
    help: `${what} that is usual at this hour, with the bounds that hold 95% of the values.`,
    labels: [...LABELS[scope], 'bound'],
    source: SOURCE,
    ...(unit && { unit }),
    read: (state) =>
      figuresOf(state, scope)
        .filter((each) => each.figure === figure)
        .flatMap((each) =>
          BOUNDS.map((bound) => ({ labels: [...nameOf(each), ['bound', bound]], value: each[bound] }))
        ),
  };
}

/** By how much the figures lie outside. */
function deviation(name: string, help: string, scope: Scope): Metric {
  return {
    name,
    type: 'gauge',
    help,
    labels: [...LABELS[scope], 'figure'],
    source: SOURCE,
    read: (state) =>
      figuresOf(state, scope).map((each) => ({
        labels: [...nameOf(each), ['figure', each.figure]],
        value: each.deviation,
      })),
  };
}

function figuresOf({ usual }: Pick<State, 'usual'>, scope: Scope): readonly UsualFigure[] {
  return (usual?.figures ?? []).filter((each) => each.scope === scope);
}

function nameOf({ scope, key }: UsualFigure): Labels {
  return scope === 'queue' ? [['name', labelValue(key)]] : [];
}

/** What is usual and what is not. Missing while there are less than two days of history. */
export const USUAL_METRICS: readonly Metric[] = [
  band('sidekiq_usual_processed_jobs_per_second', 'Throughput, failures included,', 'processedRate', 'total'),
  band('sidekiq_usual_failed_jobs_per_second', 'Failures per second', 'failedRate', 'total'),
  band('sidekiq_usual_enqueued_jobs', 'Number of waiting jobs', 'enqueued', 'total'),
  band('sidekiq_usual_latency_seconds', 'Longest wait', 'latency', 'total', 'seconds'),
  band('sidekiq_usual_queue_enqueued_jobs', 'Number of waiting jobs of the queue', 'enqueued', 'queue'),
  band('sidekiq_usual_queue_latency_seconds', 'Latency of the queue', 'latency', 'queue', 'seconds'),
  deviation(
    'sidekiq_usual_deviation',
    'By how many times the width of the usual band the figure of the last minutes lies above it, below it where negative; 0 within.',
    'total'
  ),
  deviation('sidekiq_usual_queue_deviation', 'The same of a queue.', 'queue'),
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
