import { classLabels, hostLabels, labelValue, type Metric, type Sample } from './metric';
import { typesByQueue, typesServed } from '../observe/workerTypes';
import { counter, perClass, perProcess, perQueue, single } from './metricRows';
import { READING_METRICS } from './readingMetrics';
import { DURATION_BOUNDS } from './statsdMetrics';
import { POLLER_LATE_SECONDS } from '../sidekiq/model';

/**
 * The metrics beside those of the Ruby exporter: under names of their own, and correct where those mislead. Every
 * known queue has its series, also when it is idle or nobody serves it.
 */
export const JOBWATCH_METRICS: readonly Metric[] = [
  single(
    'sidekiq_live_processes',
    'Processes whose heartbeat has not expired.',
    'hash of each process',
    ({ totals }) => totals.processes
  ),
  single(
    'sidekiq_ready_threads',
    'Threads of processes that still take jobs (not quiet).',
    'concurrency and quiet of each process',
    ({ totals }) => totals.readyThreads
  ),
  single(
    'sidekiq_ghost_processes',
    'Names of processes that ended without a clean stop and were not yet cleaned up.',
    'SMEMBERS processes, less live ones',
    ({ totals }) => totals.ghosts
  ),
  single(
    'sidekiq_dead_jobs_last_hour',
    'Jobs that died within the last hour and are still kept.',
    'ZCOUNT dead',
    ({ snapshot }) => snapshot.totals.deadLastHour
  ),
  single(
    'sidekiq_dead_set_fill_ratio',
    'Share of Sidekiq’s dead_max_jobs that the dead set holds; when it is full, the oldest jobs are dropped.',
    'ZCARD dead, deadMaxJobs of the settings',
    ({ snapshot, options }) => (snapshot.totals.dead === null ? null : snapshot.totals.dead / options.deadMaxJobs),
    'ratio'
  ),
  single(
    'sidekiq_overdue_scheduled_jobs',
    'Scheduled jobs whose time has come and which no process has enqueued yet.',
    'ZCOUNT schedule',
    ({ snapshot }) => snapshot.totals.overdueScheduled
  ),
  single(
    'sidekiq_overdue_retry_jobs',
    'Retries whose time has come and which no process has enqueued yet.',
    'ZCOUNT retry',
    ({ snapshot }) => snapshot.totals.overdueRetry
  ),
  single(
    'sidekiq_late_scheduled_jobs',
    `Scheduled jobs that have been due for more than ${POLLER_LATE_SECONDS} seconds and which no process has enqueued yet.`,
    'ZCOUNT schedule',
    ({ snapshot }) => snapshot.totals.lateScheduled
  ),
  single(
    'sidekiq_late_retry_jobs',
    `Retries that have been due for more than ${POLLER_LATE_SECONDS} seconds and which no process has enqueued yet.`,
    'ZCOUNT retry',
    ({ snapshot }) => snapshot.totals.lateRetry
  ),
  single(
    'sidekiq_activejob_retries',
    'Scheduled jobs that are retries of ActiveJob, estimated from the next ones due.',
    'ZCARD schedule, and the first 20 entries',
    ({ snapshot }) => snapshot.totals.activeJobRetries
  ),
  {
    name: 'sidekiq_queue_info',
    type: 'gauge',
    help: 'Worker type of each queue, to join with other metrics of the queue; always 1.',
    labels: ['name', 'worker_type'],
    source: 'workerTypes of the settings',
    read: ({ queues }) =>
      queues.map(({ name, workerType }) => ({
        labels: [
          ['name', labelValue(name)],
          ['worker_type', workerType],
        ],
        value: 1,
      })),
  },
  perQueue(
    'sidekiq_queue_objective_seconds',
    'Latency that the queue should stay below, by its worker type.',
    'workerTypes of the settings',
    ({ objectiveSeconds }) => objectiveSeconds,
    'seconds'
  ),
  perQueue(
    'sidekiq_queue_ready_threads',
    'Threads that may take a job of the queue now, counted by capsule.',
    'capsules of each process',
    ({ readyThreads }) => readyThreads
  ),
  perQueue(
    'sidekiq_queue_running_jobs',
    'Jobs of the queue that run now, by the work records.',
    'work of each process',
    ({ busy }) => busy
  ),
  perQueue(
    'sidekiq_queue_paused',
    '1 where the queue is paused: by Sidekiq Pro, sidekiq-limit_fetch, sidekiq-queue-pause, sidekiq-pauzer or sidekiq-throttled.',
    'the sets and keys of those',
    ({ paused }) => paused
  ),
  perQueue(
    'sidekiq_queue_unserved',
    '1 where jobs wait and no ready thread serves the queue.',
    'LLEN, capsules of each process',
    ({ unserved }) => unserved
  ),
  perQueue(
    'sidekiq_queue_starved',
    '1 where strict order keeps every process busy with queues before it.',
    'capsules of each process',
    ({ starved }) => starved
  ),
  perQueue(
    'sidekiq_queue_drain_seconds',
    'Time until the queue is empty at the present rates; missing while the queue does not shrink.',
    'LLEN and the oldest job, over two minutes at most',
    ({ drainSeconds }) => drainSeconds,
    'seconds'
  ),
  perProcess('sidekiq_process_threads', 'Threads of the process.', ({ concurrency }) => concurrency),
  perProcess(
    'sidekiq_process_busy_threads',
    'Busy threads of the process as of its last heartbeat.',
    ({ busy }) => busy
  ),
  perProcess(
    'sidekiq_process_resident_memory_bytes',
    'Resident memory of the process.',
    ({ rssBytes }) => rssBytes,
    'bytes'
  ),
  perProcess(
    'sidekiq_process_redis_rtt_seconds',
    'Round-trip time between the process and Redis, measured by the process.',
    ({ rttSeconds }) => rttSeconds,
    'seconds'
  ),
  perProcess(
    'sidekiq_process_heartbeat_age_seconds',
    'Time since the last heartbeat of the process.',
    ({ beatAgeSeconds }) => beatAgeSeconds,
    'seconds'
  ),
  {
    name: 'sidekiq_process_info',
    type: 'gauge',
    help: 'Live processes with their version, tag and role; always 1.',
    labels: ['host', 'process', 'version', 'tag', 'leader'],
    source: 'info of each process, dear-leader',
    read: ({ snapshot: { processes, leader } }) =>
      processes.items.map(({ host, identity, version, tag }) => ({
        labels: [
          ['host', labelValue(host)],
          ['process', labelValue(identity)],
          ['version', labelValue(version)],
          ['tag', labelValue(tag)],
          ['leader', leader === null ? '' : String(identity === leader)],
        ],
        value: 1,
      })),
  },
  {
    name: 'sidekiq_process_worker_type_info',
    type: 'gauge',
    help: 'Worker types of the queues that live processes serve, an empty one for queues without; always 1.',
    labels: ['host', 'process', 'worker_type'],
    source: 'info of each process, the worker types of the settings or derived from the processes',
    read: ({ snapshot: { processes }, queues }) => {
      const typeOf = typesByQueue(queues);
      return processes.items.flatMap(({ host, identity, queues: served }) => {
        const types = typesServed(served, typeOf);
        return (types.length === 0 ? [''] : types).map((type) => ({
          labels: [
            ['host', labelValue(host)],
            ['process', labelValue(identity)],
            ['worker_type', labelValue(type)],
          ],
          value: 1,
        }));
      });
    },
  },
  perClass(
    'sidekiq_job_executions_total',
    'Executions, failures included, since this exporter began to count.',
    'processed'
  ),
  perClass('sidekiq_job_failures_total', 'Executions that raised, since this exporter began to count.', 'failed'),
  {
    name: 'sidekiq_job_duration_seconds',
    type: 'histogram',
    help: 'Duration of the executions that succeeded, since this exporter began to count.',
    unit: 'seconds',
    labels: ['class'],
    source: 'growth of the job metrics’ minutes and their histograms (Sidekiq ≥ 7.0)',
    labelSets: ({ classTotals }) => classTotals.size,
    read({ classTotals }, most) {
      const samples: Sample[] = [];
      let left = most;
      for (const [jobClass, { durations, milliseconds }] of classTotals) {
        if (left === 0) {
          break;
        }
        left -= 1;
        samples.push({
          labels: classLabels(jobClass),
          bounds: DURATION_BOUNDS,
          counts: durations,
          sum: milliseconds / 1000,
        });
      }
      return samples;
    },
  },
  {
    name: 'sidekiq_job_last_run_timestamp_seconds',
    type: 'gauge',
    help: 'The minute in which the class was last seen to run, as Unix time.',
    unit: 'seconds',
    labels: ['class'],
    source: 'the job metrics’ minutes (Sidekiq ≥ 7.0)',
    read: ({ classTotals }) =>
      [...classTotals].map(([jobClass, { lastRunAt }]) => ({
        labels: classLabels(jobClass),
        value: lastRunAt,
      })),
  },
  {
    name: 'sidekiq_job_cadence_seconds',
    type: 'gauge',
    help: 'How often the class should run at least.',
    unit: 'seconds',
    labels: ['class'],
    source: 'cadences of the settings',
    read: ({ options }) =>
      options.cadences.map(({ class: jobClass, everySeconds }) => ({
        labels: classLabels(jobClass),
        value: everySeconds,
      })),
  },
  single(
    'sidekiq_last_deploy_timestamp_seconds',
    'The latest deploy mark of today and yesterday, as Unix time.',
    'marks by Sidekiq::Deploy',
    ({ snapshot }) => (snapshot.marks.whole ? (snapshot.marks.items.at(-1)?.at ?? null) : null),
    'seconds'
  ),
  {
    name: 'sidekiq_vanished_processes_total',
    type: 'counter',
    help: 'Processes that ended without a clean stop since this exporter started.',
    labels: ['host'],
    source: 'two consecutive snapshots of the processes',
    // Hosts without a loss are there with 0, so that the first loss is an increase.
    read: ({ snapshot, processLog: { vanishedByHost } }) =>
      [...new Set([...snapshot.processes.items.map(({ host }) => host), ...vanishedByHost.keys()])].map((host) => ({
        labels: hostLabels(host),
        value: vanishedByHost.get(host) ?? 0,
      })),
  },
  counter(
    'sidekiq_lost_jobs_total',
    'Jobs that ran in vanished processes since this exporter started.',
    'two consecutive snapshots of the work records',
    ({ processLog }) => processLog.lostJobsTotal
  ),
  ...READING_METRICS,
];
