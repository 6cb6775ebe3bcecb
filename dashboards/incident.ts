import { eventsTable } from './jobPanels';
import { warnFrom, type DashboardSpec } from './panel';
import {
  BREACH_COLUMNS,
  BY_QUEUE,
  latencyByQueue,
  QUEUE,
  THEN,
  TO_CLASS,
  TO_ERROR_OF_ROW,
  TO_HOST,
  TO_JOB,
  TO_QUEUE,
} from './queries';

/** A time range in which something was wrong: what, when, who served what, what ran, failed and was deployed. */
export const incident: DashboardSpec = {
  id: 'sidekiq-incident',
  title: 'Sidekiq incident',
  description:
    'What was wrong in a time range and when, what was deployed, and how queues, processes and jobs were at its end.',
  directOnly: true,
  findingsDrawn: true,
  from: 'now-6h',
  refresh: '1m',
  variables: [QUEUE],
  rows: [
    {
      title: 'In the time range, not filtered',
      panels: [
        eventsTable({
          title: 'What was wrong',
          description:
            'Findings, the most severe and longest first, of each kind and subject in one row: from when it first began until it last ended, how long it lasted within the time range, and how often it began. A click opens the dashboard of the subject then.',
          height: 9,
          direct: [{ queryType: 'events', kinds: ['finding'], order: 'worst' }],
          // What stands first is seen on a phone.
          columns: ['severity', 'title', 'time', 'timeEnd', 'lasted', 'count', 'path'],
          badges: ['Severity'],
          widths: { Severity: 90, Time: 160, Until: 160, Lasted: 110, Count: 80 },
          hidden: ['tags', 'kind', 'host', 'rule', 'subject'],
        }),
        eventsTable({
          title: 'What happened',
          description: 'Deploys, and processes that vanished, came back, started or stopped, the newest first.',
          height: 8,
          direct: [
            {
              queryType: 'events',
              kinds: ['deploy', 'start', 'stop', 'vanished', 'returned', 'version', 'leader'],
            },
          ],
        }),
        {
          title: 'Failures by class',
          description: 'Executions that raised.',
          kind: 'timeseries',
          width: 24,
          height: 8,
          unit: 'short',
          min: 0,
          direct: [{ queryType: 'job_metrics', show: 'series', sortBy: 'failures', figures: ['failures'], top: 10 }],
        },
      ],
    },
    {
      title: 'In the time range, filtered by queue',
      panels: [
        latencyByQueue(
          'Age of the oldest waiting job. Critical findings are drawn as regions; warnings can be switched on.'
        ),
      ],
    },
    {
      title: `${THEN}, filtered by queue`,
      panels: [
        {
          title: 'Queues then',
          description: 'Who served what, and how long jobs waited.',
          kind: 'table',
          width: 24,
          height: 9,
          direct: [{ queryType: 'queues', filters: [BY_QUEUE], limit: 100 }],
          columns: ['queue', 'state', 'size', 'latency', 'readyThreads', 'processes', 'busy', 'longestRun'],
          hidden: [
            ...['workerType', 'paused', 'threads', 'inRate', 'outRate', 'drainTime', 'unserved', 'starved'],
            ...BREACH_COLUMNS,
          ],
          states: ['State'],
          links: { Queue: TO_QUEUE },
          counted: true,
        },
        {
          title: 'Longest running jobs then',
          description: 'Jobs in progress, the longest running first.',
          kind: 'table',
          width: 24,
          height: 9,
          direct: [{ queryType: 'busy', limit: 20, filters: [BY_QUEUE] }],
          columns: ['class', 'queue', 'runTime', 'host', 'jid'],
          hidden: ['process', 'thread', 'workerType', 'startedAt', 'waited'],
          links: { Class: TO_CLASS, Queue: TO_QUEUE, Host: TO_HOST, JID: TO_JOB },
          warnings: { 'Run time': warnFrom(300, 3600) },
          widths: { 'Run time': 100, JID: 220 },
          minWidths: { Class: 220, Queue: 150, Host: 150 },
          counted: true,
        },
        {
          title: 'Errors then',
          description: 'Failed jobs that were kept, with those of the hour before.',
          kind: 'table',
          width: 24,
          height: 9,
          direct: [{ queryType: 'errors', limit: 20, filters: [BY_QUEUE] }],
          columns: ['errorClass', 'class', 'rate', 'trend', 'message'],
          hidden: [
            'queue',
            'pattern',
            'frame',
            'count',
            'retry',
            'dead',
            'share',
            'classes',
            'queues',
            'first',
            'last',
          ],
          wrapped: ['Message'],
          links: { Error: TO_ERROR_OF_ROW, Class: TO_CLASS },
          widths: { 'Last hour': 115, 'Last 12 hours': 165 },
          minWidths: { Error: 230, Class: 200, Message: 220 },
          sortBy: 'Last hour',
        },
      ],
    },
  ],
};
