import { warnFrom, type Row } from '../panel';
import { BY_QUEUE, BY_TYPE, byWorkerType, promByWorkerType, TO_CLASS, TO_HOST, TO_JOB, TO_QUEUE } from '../queries';
import { ofProcesses, processTable } from '../workerPanels';

/** The row of processes and threads, by the variable "Worker type". */
export const workerHealth: Row = {
  title: 'Workers, filtered by worker type',
  panels: [
    processTable('', {
      width: 14,
      height: 9,
      direct: [{ queryType: 'processes', filters: [BY_TYPE] }],
      columns: ['host', 'state', 'busy', 'concurrency', 'utilisation', 'beatAge', 'rss'],
      hidden: [
        ...['process', 'labels', 'quiet', 'capsules', 'embedded', 'leader', 'workerType'],
        ...['pid', 'tag', 'version', 'startedAt', 'queues', 'rtt'],
      ],
      widths: { State: 75, Busy: 60, Threads: 75, Utilisation: 115, 'Beat age': 80, Memory: 85 },
      minWidths: { Host: 110 },
      prometheus: [
        { expr: ofProcesses('sidekiq_process_threads', ''), column: 'Threads' },
        {
          expr: `(${ofProcesses('sidekiq_process_busy_threads', '')}) / sidekiq_process_threads`,
          column: 'Utilisation',
        },
        { expr: ofProcesses('sidekiq_process_heartbeat_age_seconds', ''), column: 'Beat age' },
        { expr: ofProcesses('sidekiq_process_resident_memory_bytes', ''), column: 'Memory' },
      ],
      labels: { host: 'Host' },
    }),
    {
      title: 'Busy by worker type',
      description: 'Jobs in progress by the worker type of their queue, stacked.',
      kind: 'timeseries',
      width: 10,
      height: 9,
      unit: 'short',
      decimals: 0,
      min: 0,
      stacked: true,
      direct: byWorkerType('busy'),
      prometheus: [{ expr: promByWorkerType('sum', 'sidekiq_queue_running_jobs'), legend: '{{worker_type}}' }],
    },
    {
      title: 'Longest running jobs',
      prometheusTitle: 'Longest run by queue',
      description: 'Jobs in progress, the longest running first.',
      kind: 'table',
      width: 24,
      height: 8,
      counted: true,
      noValue: 'No job is running.',
      direct: [{ queryType: 'busy', limit: 20, filters: [BY_QUEUE, BY_TYPE] }],
      columns: ['class', 'queue', 'runTime', 'waited', 'host', 'jid'],
      hidden: ['process', 'thread', 'workerType', 'startedAt'],
      prometheus: [{ expr: 'sidekiq_queue_max_processing_time_seconds{name=~"$queue"} > 0', column: 'Run time' }],
      labels: { name: 'Queue' },
      units: { 'Run time': 's' },
      links: { Class: TO_CLASS, Queue: TO_QUEUE, Host: TO_HOST, JID: TO_JOB },
      sortBy: { prometheus: 'Run time' },
      widths: { 'Run time': 100, Waited: 100, JID: 220 },
      minWidths: { Class: 220, Queue: 150, Host: 150 },
      warnings: { 'Run time': warnFrom(300, 3600) },
    },
  ],
};
