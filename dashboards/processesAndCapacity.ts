import { warnFrom, type DashboardSpec } from './panel';
import {
  BY_HOST,
  BY_TYPE,
  byWorkerType,
  figure,
  HOST,
  promByWorkerType,
  TO_CLASS,
  TO_QUEUE,
  WORKER_TYPE,
} from './queries';
import { processesOverTime, processTable, threadsOverTime } from './workerPanels';

/** Who works, how hard, how healthy, and whether there are enough of them. */
export const processesAndCapacity: DashboardSpec = {
  id: 'sidekiq-processes',
  title: 'Sidekiq processes and capacity',
  description: 'Who works and how hard, what was lost, and whether there are threads enough.',
  variables: [WORKER_TYPE, HOST],
  rows: [
    {
      title: 'Now',
      panels: [
        figure('Processes', 'processes', 'Live processes.', 'sidekiq_live_processes'),
        figure(
          'Quiet',
          'quietProcesses',
          'Processes that finish their jobs and take no new ones.',
          'sum(sidekiq_host_processes{quiet="true"}) or vector(0)',
          { width: 3 }
        ),
        figure('Ready threads', 'readyThreads', 'Threads of processes that still take jobs.', 'sidekiq_ready_threads', {
          width: 5,
          colored: true,
          steps: [
            { from: null, color: 'red' },
            { from: 1, color: 'text' },
          ],
        }),
        figure('Busy', 'busy', 'Jobs in progress.', 'sidekiq_busy_workers'),
        figure('Utilisation', 'utilisation', 'Busy share of all threads.', 'sidekiq_busy_workers / sidekiq_workers', {
          unit: 'percentunit',
          decimals: 0,
          colored: true,
          steps: warnFrom(0.8, 0.95),
        }),
        figure(
          'Vanished',
          'ghosts',
          'Processes that stopped without a shutdown (killed, or out of memory) and are still registered in Redis.',
          'sidekiq_ghost_processes',
          { colored: true, steps: warnFrom(1, 3) }
        ),
      ],
    },
    {
      title: 'Capacity',
      panels: [
        {
          title: 'Capacity by worker type',
          description:
            'Demand (threads kept busy) against ready threads, and the threads that the objective needs. Utilisation above 80 % for long: add threads.',
          kind: 'table',
          width: 24,
          height: 10,
          direct: [{ queryType: 'capacity', by: 'workerType', filters: [BY_TYPE] }],
          columns: [
            'workerType',
            'demand',
            'supply',
            'utilisation',
            'headroom',
            'threadsNeeded',
            'size',
            'latency',
            'objective',
            'late',
            'drainTime',
            'inRate',
            'outRate',
          ],
          hidden: ['queue', 'unserved', 'starved'],
          prometheus: [
            { expr: promByWorkerType('sum', 'sidekiq_queue_running_jobs'), column: 'Running' },
            { expr: promByWorkerType('max', 'sidekiq_queue_ready_threads'), column: 'Ready threads' },
            {
              expr: `${promByWorkerType('sum', 'sidekiq_queue_running_jobs')} / (${promByWorkerType('max', 'sidekiq_queue_ready_threads')} > 0)`,
              column: 'Utilisation',
            },
            { expr: promByWorkerType('sum', 'sidekiq_queue_enqueued_jobs'), column: 'Backlog' },
            { expr: promByWorkerType('max', 'sidekiq_queue_latency_seconds'), column: 'Latency' },
            { expr: promByWorkerType('max', 'sidekiq_queue_objective_seconds'), column: 'Objective' },
            { expr: promByWorkerType('max', 'sidekiq_queue_drain_seconds'), column: 'Drain time' },
          ],
          labels: { worker_type: 'Worker type' },
          units: { Utilisation: 'percentunit', Latency: 's', Objective: 's', 'Drain time': 's' },
          sortBy: 'Utilisation',
          gauges: { Utilisation: 1 },
          alarms: ['Late'],
          widths: { 'Worker type': 220, Utilisation: 150, 'Threads needed': 130 },
        },
        {
          title: 'Busy by worker type',
          description: 'Jobs in progress by the worker type of their queue, stacked.',
          kind: 'timeseries',
          width: 12,
          height: 9,
          unit: 'short',
          min: 0,
          stacked: true,
          direct: byWorkerType('busy'),
          prometheus: [{ expr: promByWorkerType('sum', 'sidekiq_queue_running_jobs'), legend: '{{worker_type}}' }],
        },
        {
          title: 'Latency by worker type',
          description: 'Age of the oldest job that waits for each worker type.',
          kind: 'timeseries',
          width: 12,
          height: 9,
          unit: 's',
          min: 0,
          direct: byWorkerType('latency'),
          prometheus: [{ expr: promByWorkerType('max', 'sidekiq_queue_latency_seconds'), legend: '{{worker_type}}' }],
        },
        threadsOverTime(),
        processesOverTime(),
      ],
    },
    {
      title: 'Processes',
      panels: [
        processTable('{host=~"$host"}', {
          title: 'Live processes',
          direct: [{ queryType: 'processes', filters: [BY_HOST] }],
        }),
        {
          title: 'Memory by process',
          description: 'Resident memory of each process.',
          kind: 'timeseries',
          width: 12,
          height: 8,
          unit: 'bytes',
          min: 0,
          prometheus: [{ expr: 'sidekiq_process_resident_memory_bytes{host=~"$host"}', legend: '{{process}}' }],
        },
        {
          title: 'Round trip to Redis by process',
          description: 'As each process measured it with its heartbeat. Sidekiq warns from 50 ms.',
          kind: 'timeseries',
          width: 12,
          height: 8,
          unit: 's',
          min: 0,
          prometheus: [{ expr: 'sidekiq_process_redis_rtt_seconds{host=~"$host"}', legend: '{{process}}' }],
        },
      ],
    },
    {
      title: 'What happened',
      panels: [
        {
          title: 'Lost jobs',
          description:
            'Processes that were killed, and what ran in them. Without super_fetch (Sidekiq Pro) it is gone.',
          kind: 'table',
          width: 12,
          height: 9,
          noValue: 'No process has vanished while Jobwatch looked.',
          direct: [{ queryType: 'lost' }],
          columns: ['noticed', 'host', 'class', 'queue', 'runTime', 'lost', 'jid'],
          hidden: ['process', 'lastBeat', 'jobs'],
          alarms: ['Lost'],
          prometheus: [
            {
              expr: 'increase(sidekiq_vanished_processes_total{host=~"$host"}[$__range]) > 0',
              column: 'Vanished processes',
            },
          ],
          labels: { host: 'Host' },
          links: { Class: TO_CLASS, Queue: TO_QUEUE },
        },
        {
          title: 'Events',
          description: 'Deploy marks, processes that started, stopped or vanished, changes of version and leader.',
          kind: 'table',
          width: 12,
          height: 9,
          noValue: 'Nothing happened.',
          direct: [{ queryType: 'events' }],
          columns: ['time', 'kind', 'title', 'host', 'count'],
          hidden: ['timeEnd', 'tags'],
          widths: { Time: 170, Event: 300 },
        },
      ],
    },
  ],
};
