import type { CompareQuery } from '../pkg/queries/compare';
import { eventsTable } from './jobPanels';
import type { DashboardSpec, Panel } from './panel';
import {
  BY_QUEUE,
  TO_CLASS,
  TO_ERROR,
  TO_ERROR_OF_ROW,
  TO_QUEUE,
  byClass,
  latencyByQueue,
  QUEUE,
  total,
} from './queries';

/** Figures before and after the deploy that the variable names, or the last one of the time range. */
function beforeAndAfter(
  title: string,
  by: NonNullable<CompareQuery['by']>,
  more: Pick<Panel, 'description' | 'height'> & Partial<Panel>
): Panel {
  return {
    title,
    kind: 'table',
    width: 24,
    direct: [{ queryType: 'compare', by, with: 'deploy', at: '$deploy', limit: 100 }],
    columns:
      by === 'total'
        ? ['figure', 'verdict', 'before', 'after', 'change', 'chance', 'compared']
        : ['key', 'verdict', 'figure', 'before', 'after', 'change', 'effect', 'chance'],
    hidden: [by === 'total' ? 'effect' : 'compared'],
    widths: {
      ...(by === 'total' && { Figure: 170 }),
      Verdict: 125,
      Before: 100,
      After: 100,
      Change: 100,
      Effect: 90,
      Chance: 90,
    },
    minWidths: { Name: 220, Figure: 150, Compared: 290 },
    states: ['Verdict'],
    counted: true,
    ...more,
  };
}

/** A deploy: which figures have changed by more than chance, and what failed since. */
export const deploy: DashboardSpec = {
  id: 'sidekiq-deploy',
  title: 'Sidekiq deploy',
  description:
    'Before and after a deploy: which figures have changed by more than chance, and which errors are new. The times before and after are of the same length, within the time range.',
  directOnly: true,
  from: 'now-2h',
  refresh: '1m',
  variables: [{ name: 'deploy', label: 'Deploy at', typed: true, multi: false }, QUEUE],
  rows: [
    {
      title: 'Before and after, not filtered',
      panels: [
        beforeAndAfter('In total', 'total', {
          description:
            'Means of five minutes before and after. The last deploy of the time range, or the instant under "Deploy at" (2026-11-27T03:00:00Z).',
          height: 8,
        }),
        beforeAndAfter('By class', 'class', {
          description: 'Classes whose figures have changed most are first.',
          height: 10,
          links: { Name: TO_CLASS },
        }),
        beforeAndAfter('By queue', 'queue', {
          description: 'Queues whose figures have changed most are first.',
          height: 9,
          links: { Name: TO_QUEUE },
        }),
        beforeAndAfter('By error', 'error', {
          description:
            'Jobs in retry and dead whose latest failure lay within either time, by error. It takes an hour before and after the deploy, and recordings of both.',
          height: 7,
          links: { Name: TO_ERROR },
        }),
      ],
    },
    {
      title: 'Over time, not filtered',
      panels: [
        {
          title: 'Throughput',
          description: 'Jobs finished and failed per second. Deploys are drawn as lines.',
          kind: 'timeseries',
          width: 12,
          height: 8,
          unit: 'suffix:jobs/s',
          min: 0,
          direct: total('processedRate', 'failedRate'),
        },
        {
          title: 'Failures by class',
          description: 'Executions that raised.',
          kind: 'timeseries',
          width: 12,
          height: 8,
          unit: 'short',
          min: 0,
          direct: byClass('failures', 'failures'),
        },
        {
          title: 'Mean run time by class',
          description: 'Mean duration of the successful executions, of the classes that take most time.',
          kind: 'timeseries',
          width: 24,
          height: 8,
          unit: 's',
          min: 0,
          logScale: true,
          direct: byClass('meanTime', 'totalTime'),
        },
        eventsTable({
          title: 'What happened',
          description: 'Deploys, processes that started and stopped, and findings.',
          height: 8,
        }),
      ],
    },
    {
      title: 'Queues and errors, filtered by queue',
      panels: [
        latencyByQueue('Age of the oldest waiting job.'),
        {
          title: 'Errors, the newest first',
          description: 'Failed jobs at the end of the time range, by the time of their first failure.',
          kind: 'table',
          width: 24,
          height: 9,
          direct: [{ queryType: 'errors', limit: 50, filters: [BY_QUEUE] }],
          columns: ['errorClass', 'class', 'message', 'count', 'first'],
          hidden: ['queue', 'pattern', 'frame', 'rate', 'trend', 'retry', 'dead', 'share', 'classes', 'queues', 'last'],
          wrapped: ['Message'],
          links: { Error: TO_ERROR_OF_ROW, Class: TO_CLASS },
          widths: { Jobs: 80, First: 160 },
          minWidths: { Error: 230, Class: 200, Message: 220 },
          dated: ['First'],
          sortBy: 'First',
        },
      ],
    },
  ],
};
