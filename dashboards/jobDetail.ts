import { warnFrom, type DashboardSpec } from './panel';
import { figures } from './queries';

/** The class that the link names. */
const BY_LINKED_CLASS = { field: 'class', operator: '=' as const, values: ['$jobClass'] };

/** One job: all that is kept of it, and the figures of its class beside it. */
export const jobDetail: DashboardSpec = {
  id: 'sidekiq-job',
  title: 'Sidekiq job',
  description: 'One job: where it is, its error and backtrace, its attempts, and what happened around it.',
  directOnly: true,
  variables: [
    { name: 'jid', label: 'JID', typed: true, multi: false },
    { name: 'jobClass', label: 'Class', typed: true, multi: false },
  ],
  rows: [
    {
      title: 'Job',
      panels: [
        {
          title: 'Job $jid',
          description: 'All fields of the job. Arguments and backtraces are shown where the data source allows them.',
          kind: 'table',
          width: 24,
          height: 20,
          noValue: 'Enter the job ID under "JID".',
          direct: [{ queryType: 'job', jid: '$jid' }],
          columns: ['group', 'field', 'value'],
          wrapped: ['Value'],
          widths: { Group: 110, Field: 170 },
          minWidths: { Value: 500 },
        },
      ],
    },
    {
      title: 'Class of the job',
      panels: [
        figures('Executions of $jobClass', { queryType: 'job_metrics', filters: [BY_LINKED_CLASS] }, [
          { name: 'executions', expr: '' },
          { name: 'failureRate', expr: '', steps: warnFrom(0.05, 0.1) },
          { name: 'meanTime', expr: '' },
          { name: 'p95', expr: '' },
        ]),
        {
          title: 'Errors of the class',
          description: 'Why jobs of the class wait for a retry or died.',
          kind: 'table',
          width: 24,
          height: 7,
          noValue: 'No job of the class is in the retry set or in the dead set.',
          direct: [{ queryType: 'errors', groupBy: ['fingerprint', 'queue'], limit: 50, filters: [BY_LINKED_CLASS] }],
          columns: ['errorClass', 'message', 'retry', 'dead', 'trend', 'first', 'last'],
          hidden: ['queue', 'pattern', 'share', 'rate', 'classes', 'queues', 'count', 'frame'],
          wrapped: ['Error', 'Message'],
          widths: { 'In retry': 85, Dead: 70, 'Last 12 hours': 125, First: 145, Last: 145 },
          minWidths: { Error: 230, Message: 220 },
        },
        {
          title: 'Deploys and other events',
          description: 'Deploy marks, and processes that started, stopped or vanished.',
          kind: 'table',
          width: 24,
          height: 7,
          noValue: 'No event in this time range.',
          direct: [{ queryType: 'events' }],
          columns: ['time', 'kind', 'title', 'host'],
          hidden: ['timeEnd', 'tags', 'count'],
          widths: { Time: 150, Kind: 90 },
          minWidths: { Event: 420, Host: 150 },
        },
      ],
    },
  ],
};
