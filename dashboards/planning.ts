import type { JobMetricsQuery } from '../pkg/queries/jobMetrics';
import type { WhatIfQuery } from '../pkg/queries/whatIf';
import { warnFrom, type DashboardSpec, type Panel } from './panel';
import { TO_CLASS, TO_QUEUE, WORKER_TYPE } from './queries';

/** The changes that the variables hold. */
const CHANGED: WhatIfQuery = {
  queryType: 'what_if',
  threads: ['$changedType=$threads'],
  traffic: ['$traffic'],
  runTime: ['$runTime'],
  computing: ['$computing'],
  order: ['$changedType=$order'],
  search: '$search' as 'none',
};

/** What decides first: a phone shows two columns beside the name. */
const SHOWN = [
  ...['p95', 'p95If', 'withinIf', 'p95IfLeast', 'p95IfMost'],
  ...['threads', 'threadsIf', 'utilisation', 'utilisationIf'],
];
const HIDDEN = [
  ...['costPerMonth', 'costPerMonthIf', 'p50', 'p50If', 'p99', 'p99If', 'p95Change', 'drainTime', 'drainTimeIf'],
  ...['jobs', 'objective', 'within', 'backlogEnd', 'backlogEndIf'],
];

function answers(
  title: string,
  by: NonNullable<WhatIfQuery['by']>,
  more: Pick<Panel, 'height'> & Partial<Panel>
): Panel {
  return {
    title,
    description:
      'Waits of jobs by simulation of the work of the time range: as it is, and with the changes of the variables. "At least" and "at most" are those of all runs.',
    kind: 'table',
    width: 24,
    direct: [{ ...CHANGED, by, limit: 200 }],
    columns: [by === 'queue' ? 'queue' : 'workerType', ...SHOWN],
    hidden: [...HIDDEN, ...(by === 'queue' ? ['workerType'] : [])],
    widths: {
      Threads: 75,
      'Threads, if': 95,
      Busy: 90,
      'Busy, if': 110,
      p95: 85,
      'p95, if': 85,
      'p95 at least': 95,
      'p95 at most': 95,
      'Within objective, if': 150,
    },
    minWidths: { Queue: 170, 'Worker type': 205 },
    warnings: { Busy: warnFrom(0.8, 0.95), 'Busy, if': warnFrom(0.8, 0.95) },
    counted: true,
    ...more,
  };
}

/** What takes the time of the threads, and what they cost. */
function cost(title: string, by: NonNullable<JobMetricsQuery['by']>, column: string): Panel {
  return {
    title,
    description:
      'Time of successful executions, the threads that it keeps busy, and their cost a month, which needs the price of a thread-hour in the settings of the data source.',
    kind: 'table',
    width: 12,
    height: 9,
    direct: [{ queryType: 'job_metrics', by, figures: ['totalTime', 'threads', 'costPerMonth'], top: 100 }],
    columns: [by, 'totalTime', 'threads', 'costPerMonth'],
    widths: { 'Total time': 100, Threads: 90, 'Cost a month': 115 },
    minWidths: { [column]: 170 },
    ...(by === 'class' && { links: { Class: TO_CLASS } }),
    counted: true,
  };
}

/** What waits would be with other threads, traffic, run times or orders. */
export const planning: DashboardSpec = {
  id: 'sidekiq-planning',
  title: 'Sidekiq capacity planning',
  description:
    'Simulates the work of the time range with other threads, traffic, run times or orders of queues: waits and utilisation.',
  refresh: '',
  directOnly: true,
  variables: [
    // Another name than elsewhere: it is one, where dashboards that lead here may have chosen all.
    { ...WORKER_TYPE, name: 'changedType', multi: false },
    {
      name: 'threads',
      label: 'Threads',
      description: 'A number: the threads of the worker type, all together.',
      typed: true,
      multi: false,
    },
    {
      name: 'order',
      label: 'Order',
      description: 'Queues of the worker type: critical>default in strict order, critical:3>default:1 by weights.',
      typed: true,
      multi: false,
    },
    {
      name: 'traffic',
      label: 'Traffic',
      choice: ['as it is : 1', '× 1.25 : 1.25', '× 1.5 : 1.5', '× 2 : 2', '× 3 : 3', '× 5 : 5', '× 0.5 : 0.5'],
      multi: false,
    },
    {
      name: 'runTime',
      label: 'Run time',
      choice: ['as it is : 1', '× 0.5 : 0.5', '× 0.8 : 0.8', '× 1.25 : 1.25', '× 1.5 : 1.5', '× 2 : 2'],
      multi: false,
    },
    {
      name: 'computing',
      label: 'Computing',
      description:
        'Share of the run time that uses the processor: 0.2, or Pdfs::RenderJob=0.9. Such jobs take longer with more threads in a process.',
      typed: true,
      multi: false,
    },
    {
      name: 'search',
      label: 'Search',
      choice: ['nothing : none', 'fewest threads : threads', 'best order : order'],
      multi: false,
    },
  ],
  rows: [
    {
      title: 'With the changes of the variables',
      panels: [
        answers('Waits by worker type', 'workerType', { height: 10 }),
        answers('Waits by queue', 'queue', { height: 16, links: { Queue: TO_QUEUE } }),
      ],
    },
    {
      title: 'As it is',
      panels: [
        {
          title: 'Work over time',
          description: 'Jobs pushed per second by queue: the work that is simulated.',
          kind: 'timeseries',
          width: 12,
          height: 8,
          unit: 'suffix:jobs/s',
          min: 0,
          direct: [{ queryType: 'history', by: 'queue', figures: ['inRate'], limit: 10 }],
        },
        {
          title: 'Measured latency',
          description: 'Age of the oldest waiting job by queue.',
          kind: 'timeseries',
          width: 12,
          height: 8,
          unit: 's',
          min: 0,
          direct: [{ queryType: 'history', by: 'queue', figures: ['latency'], limit: 10 }],
        },
        cost('Work by worker type', 'workerType', 'Worker type'),
        cost('Work by class', 'class', 'Class'),
      ],
    },
  ],
};
