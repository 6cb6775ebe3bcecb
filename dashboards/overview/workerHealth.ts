import { warnFrom, type Row } from '../panel';
import { BY_QUEUE, TO_CLASS, TO_QUEUE } from '../queries';
import { processesOverTime, processTable, threadsOverTime } from '../workerPanels';

/** The row "Worker health". */
export const workerHealth: Row = {
  title: 'Worker health',
  panels: [
    processTable('', {
      width: 14,
      height: 9,
      hidden: ['process', 'labels', 'quiet', 'capsules', 'embedded', 'leader'],
      widths: { Host: 120, PID: 70, Utilisation: 120 },
    }),
    threadsOverTime({ width: 10, height: 9 }),
    processesOverTime(),
    {
      title: 'Longest running jobs',
      description: 'Jobs in progress, the longest running first.',
      kind: 'table',
      width: 12,
      height: 8,
      noValue: 'No job runs.',
      direct: [{ queryType: 'busy', limit: 20, filters: [BY_QUEUE] }],
      columns: ['class', 'queue', 'runTime', 'host', 'jid', 'waited'],
      hidden: ['process', 'thread', 'workerType', 'startedAt'],
      prometheus: [{ expr: 'sidekiq_queue_max_processing_time_seconds{name=~"$queue"}', column: 'Run time' }],
      labels: { name: 'Queue' },
      units: { 'Run time': 's' },
      links: { Class: TO_CLASS, Queue: TO_QUEUE },
      widths: { Class: 210, JID: 210 },
      warnings: { 'Run time': warnFrom(300, 3600) },
    },
  ],
};
