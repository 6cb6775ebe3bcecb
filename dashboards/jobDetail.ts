import { errorsOfClass, eventsTable } from './jobPanels';
import { warnFrom, type DashboardSpec } from './panel';
import { figures, TO_ERROR } from './queries';

/** The class that the link names. A variable without a value leaves a filter by "=" out; no class matches this one then. */
const BY_LINKED_CLASS = { field: 'class', operator: '=~' as const, values: ['^${jobClass:regex}$'] };

/** One job: all that is kept of it, and the figures of its class beside it. */
export const jobDetail: DashboardSpec = {
  id: 'sidekiq-job',
  title: 'Sidekiq job',
  description: 'One job: where it is, its error and backtrace, its attempts, and what happened around it.',
  directOnly: true,
  detail: 'Job',
  variables: [
    { name: 'jid', label: 'JID', typed: true, multi: false, description: 'ID of the job, as its log lines name it.' },
    {
      ...{ name: 'jobClass', label: 'Class', typed: true, multi: false },
      description: 'Class of the job, for the figures below. A link to a job sets it.',
    },
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
          direct: [{ queryType: 'job', jid: '$jid' }],
          columns: ['group', 'field', 'value'],
          wrapped: ['Value'],
          widths: { Group: 110, Field: 230 },
          minWidths: { Value: 500 },
        },
      ],
    },
    {
      title: 'Class of the job',
      panels: [
        figures('Executions of the class', { queryType: 'job_metrics', filters: [BY_LINKED_CLASS] }, [
          { name: 'executions', expr: '' },
          { name: 'failureRate', expr: '', steps: warnFrom(0.05, 0.1) },
          { name: 'meanTime', expr: '' },
          { name: 'p95', expr: '' },
        ]),
        errorsOfClass({
          title: 'Errors of the class',
          description: 'Why jobs of the class wait for a retry or died.',
          height: 7,
          direct: [{ queryType: 'errors', groupBy: ['fingerprint'], limit: 50, filters: [BY_LINKED_CLASS] }],
          links: { Error: { ...TO_ERROR, more: '&var-class=${jobClass:percentencode}' } },
          minWidths: { Error: 230, Message: 220 },
        }),
        eventsTable({
          title: 'Deploys and other events',
          description: 'Deploy marks, and processes that started, stopped or vanished.',
          height: 7,
        }),
      ],
    },
  ],
};
