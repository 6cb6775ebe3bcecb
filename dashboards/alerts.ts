import { USUAL_RULES, type RecordingRule } from './usualRules';
import { BURN, BURNS_FAST } from '../pkg/queries/objectives';
import { LIMITS } from '../pkg/findings/rule';
import { durationText, shareText } from '../pkg/findings/texts';
import type { Alert, DirectAlert } from './alert';
import type { DirectQuery } from './panel';
import { failedShare } from './queries';

const overview = (figure: string): DirectQuery => ({ queryType: 'overview', figures: [figure] });
const queue = (figure: string): DirectQuery => ({ queryType: 'capacity', by: 'queue', figures: [figure] });
const processes = (figure: string): DirectQuery => ({ queryType: 'processes', figures: [figure] });
/** For a rule the rows are processes, each with the number of its jobs. */
const lost = (figure: string): DirectQuery => ({ queryType: 'lost', figures: [figure] });
const classes = (figure: string): DirectQuery => ({ queryType: 'job_metrics', figures: [figure], top: 1000 });

const objective = (figure: string): DirectQuery => ({ queryType: 'objectives', figures: [figure] });

/** A finding of a rule is there. */
const found = (rule: string): DirectAlert => ({
  queries: [{ queryType: 'findings', figures: ['level'], filters: [{ field: 'rule', operator: '=', values: [rule] }] }],
  when: { above: 0 },
});

/** Burn rates over a long and a short window, both above a limit. */
const promBurn = (long: string, short: string, rate: number) =>
  `(sidekiq:objective:burn_rate${long} > ${rate} and sidekiq:objective:burn_rate${short} > ${rate})`;

/** Of a series that has just begun a few bad samples are all there is: half of the long window must be known. */
const promKnownFor = (halfWindow: string) => `sidekiq_objective_met offset ${halfWindow} >= 0`;

const ENOUGH = `>= ${LIMITS.fewestExecutions}`;

const BY_WORKER_TYPE = { workerType: 'worker_type' };
const BY_NAME = { queue: 'name' };
const BY_WORKER = { class: 'worker' };

const NOT_SERVED = 'sidekiq_queue_unserved == 1 or sidekiq_queue_starved == 1 or sidekiq_queue_paused == 1';
/** With the names of other exporters the latency has a second label of the queue (compatMetrics.ts). */
const latencyOver = (comparison: string) =>
  `sidekiq_queue_latency_seconds ${comparison} ignoring (queue) sidekiq_queue_objective_seconds`;
const LATE = latencyOver('>');
const LATE_OR_AT_ONCE = latencyOver('>=');
/** Targets of Prometheus that are down and have been exporters of ours. */
const GONE = '(up == 0 and on (instance, job) present_over_time(sidekiq_up[1w:5m]))';
/** An increase is extrapolated: jobs are whole. */
const LOST = 'round(increase(sidekiq_lost_jobs_total[15m]))';

/** Every alert of ours, the most urgent first. docs/alerts.md has a runbook for each. */
export const ALERTS: readonly Alert[] = [
  {
    name: 'SidekiqUnreachable',
    severity: 'critical',
    pendingMinutes: 2,
    summary: 'The Redis of Sidekiq cannot be read',
    description: 'Redis has not been readable for two minutes. Sidekiq itself probably cannot read it either.',
    dashboard: 'sidekiq-overview',
    panel: 'All queues and processes',
    prometheus: { expr: 'sidekiq_up == 0' },
    direct: { queries: [overview('processes')], when: { below: 0 }, error: 'Alerting' },
  },
  {
    name: 'SidekiqNoReadyThreads',
    severity: 'critical',
    pendingMinutes: 2,
    summary: 'No process takes Sidekiq jobs',
    description: 'No running process takes jobs, or no data about processes is available.',
    dashboard: 'sidekiq-processes',
    panel: 'Busy and ready threads',
    // An exporter of several that is gone is still a target.
    prometheus: {
      expr: `sidekiq_ready_threads == 0 or ${GONE} or (absent(sidekiq_up) unless on () ${GONE})`,
    },
    direct: { queries: [overview('readyThreads')], when: { below: 1 }, noData: 'Alerting' },
  },
  {
    name: 'SidekiqQueueUnserved',
    severity: 'critical',
    pendingMinutes: 5,
    summary: 'No process serves the queue {{ $labels.queue }}',
    description:
      'Jobs wait in {{ $labels.queue }} and no ready thread serves the queue: a worker is down, or jobs are pushed to a queue without a worker.',
    dashboard: 'sidekiq-queue',
    panel: 'Latency by queue',
    // Where nobody takes jobs at all, SidekiqNoReadyThreads says so once.
    prometheus: {
      expr: 'sidekiq_queue_unserved == 1 and on (instance, job) sidekiq_ready_threads > 0',
      labels: BY_NAME,
    },
    direct: { queries: [queue('unserved'), overview('readyThreads')], when: { math: '$A > 0 && $B > 0' } },
  },
  {
    name: 'SidekiqQueueLate',
    severity: 'critical',
    pendingMinutes: 5,
    summary: 'The queue {{ $labels.queue }} is late',
    description:
      'The oldest job of {{ $labels.queue }} has waited for {{ $value | humanizeDuration }}, longer than its objective.',
    dashboard: 'sidekiq-queue',
    panel: 'Latency by queue',
    // A queue that nobody serves or that is starved has an alert of its own; one that is paused is meant to wait.
    prometheus: {
      expr: `${LATE} unless (${NOT_SERVED})`,
      labels: BY_NAME,
    },
    direct: {
      queries: [queue('latency'), queue('late')],
      when: { math: '$A > 0 && $B > 0' },
    },
  },
  {
    name: 'SidekiqQueueBreachesSoon',
    severity: 'warning',
    pendingMinutes: 5,
    summary: 'The queue {{ $labels.queue }} will soon be late',
    description:
      'At the present flow the latency of {{ $labels.queue }} will exceed its objective within {{ $value | humanizeDuration }}.',
    dashboard: 'sidekiq-queue',
    panel: 'Latency by queue',
    // A queue that is late, unserved, starved or paused has an alert of its own.
    prometheus: {
      expr: `sidekiq_queue_breach_seconds{bound="latest"} < ${LIMITS.breachWithinSeconds} unless on (instance, job, name) (${LATE_OR_AT_ONCE} or ${NOT_SERVED})`,
      labels: BY_NAME,
    },
    direct: {
      queries: [queue('breachInMost'), queue('late'), queue('unserved'), queue('starved')],
      when: { math: `$A < ${LIMITS.breachWithinSeconds} && $B == 0 && $C == 0 && $D == 0` },
    },
  },
  {
    name: 'SidekiqJobsDying',
    severity: 'critical',
    pendingMinutes: 0,
    summary: 'Many Sidekiq jobs died',
    description: '{{ $value }} jobs ran out of retries within the last hour.',
    dashboard: 'sidekiq-errors',
    panel: 'Retries and dead jobs',
    prometheus: { expr: `sidekiq_dead_jobs_last_hour > ${LIMITS.deadInAnHour}` },
    direct: { queries: [overview('deadLastHour')], when: { above: LIMITS.deadInAnHour } },
  },
  {
    name: 'SidekiqJobsLost',
    severity: 'critical',
    pendingMinutes: 0,
    summary: 'Sidekiq jobs were lost',
    description:
      'About {{ $value | humanize }} jobs ran in processes that were killed. Without super_fetch these jobs are lost.',
    dashboard: 'sidekiq-processes',
    panel: 'Lost jobs',
    prometheus: { expr: `${LOST} > 0` },
    direct: { queries: [lost('jobs')], when: { above: 0 }, minutes: 15 },
  },
  {
    name: 'SidekiqFailureRateHigh',
    severity: 'warning',
    pendingMinutes: 5,
    summary: 'Many Sidekiq jobs fail',
    description: '{{ $value | humanizePercentage }} of the executions fail.',
    dashboard: 'sidekiq-errors',
    panel: 'Failures per second',
    prometheus: {
      // Of an hour where there are fewer in a quarter.
      expr: `(${failedShare('15m', ENOUGH)} or ${failedShare('1h', `${ENOUGH} unless increase(sidekiq_processed_jobs_total[15m]) ${ENOUGH}`)}) > ${LIMITS.failureShare}`,
    },
    direct: {
      queries: [overview('failureRate'), overview('ratedExecutions')],
      when: { math: `$A > ${LIMITS.failureShare} && $B ${ENOUGH}` },
    },
  },
  {
    name: 'SidekiqClassFailureRateHigh',
    severity: 'warning',
    pendingMinutes: 5,
    summary: 'High failure rate of {{ $labels.class }}',
    description: '{{ $value | humanizePercentage }} of the executions of {{ $labels.class }} fail.',
    dashboard: 'sidekiq-job-class',
    panel: 'Failure rate by class',
    prometheus: {
      expr: `rate(sidekiq_job_failures_total[15m]) / (rate(sidekiq_job_executions_total[15m]) > 0.02) > ${LIMITS.failureShare}`,
    },
    direct: {
      queries: [classes('failureRate'), classes('executions')],
      when: { math: `$A > ${LIMITS.failureShare} && $B >= ${LIMITS.fewestExecutions}` },
      minutes: 15,
    },
  },
  {
    name: 'SidekiqJobFailureRateHigh',
    severity: 'warning',
    pendingMinutes: 5,
    summary: 'High failure rate of {{ $labels.class }}',
    description: '{{ $value | humanizePercentage }} of the executions of {{ $labels.class }} fail (Sidekiq Pro).',
    dashboard: 'sidekiq-job-class',
    panel: 'Failure rate by class',
    prometheus: {
      expr:
        'sum by (instance, job, queue, worker) (rate(${statsd}_jobs_failure[5m])) ' +
        '/ (sum by (instance, job, queue, worker) (rate(${statsd}_jobs_count[5m])) > 0.01) > 0.05 ' +
        // Sidekiq 7 keeps metrics by class itself, and SidekiqClassFailureRateHigh tells of them; of other installations it does not.
        'unless on (worker) label_replace(sidekiq_job_executions_total, "worker", "$1", "class", "(.*)")',
      labels: BY_WORKER,
    },
  },
  {
    name: 'SidekiqClassSlow',
    severity: 'warning',
    pendingMinutes: 5,
    summary: 'Slow executions of {{ $labels.class }}',
    description:
      'One of a hundred executions of {{ $labels.class }} takes longer than {{ $value | humanizeDuration }}.',
    dashboard: 'sidekiq-job-class',
    panel: 'Duration by class: ${quantile:text}',
    prometheus: {
      expr: 'histogram_quantile(0.99, rate(sidekiq_job_duration_seconds_bucket[15m])) > 30 and rate(sidekiq_job_executions_total[15m]) > 0.02',
    },
    // One execution says nothing of a hundred.
    direct: {
      queries: [classes('p99'), classes('executions')],
      when: { math: `$A > 30 && $B >= ${LIMITS.fewestExecutions}` },
      minutes: 15,
    },
  },
  {
    name: 'SidekiqQueueDrainsSlowly',
    severity: 'warning',
    pendingMinutes: 15,
    summary: 'The queue {{ $labels.queue }} does not drain',
    description:
      '{{ $value }} jobs wait in {{ $labels.queue }}. At the current rate the queue does not drain within an hour.',
    dashboard: 'sidekiq-queue',
    panel: 'Enqueued by queue',
    prometheus: {
      expr: `sidekiq_queue_enqueued_jobs > 100 unless sidekiq_queue_drain_seconds < 3600 unless ${LATE} unless (${NOT_SERVED}) unless on (instance, job, name) (sidekiq_queue_breach_seconds{bound="latest"} < ${LIMITS.breachWithinSeconds})`,
      labels: BY_NAME,
    },
    direct: {
      queries: ['size', 'inRate', 'outRate', 'latency', 'objective', 'breachesSoon'].map(queue),
      // Less than what empties it within an hour: (out − in) × 3600 < size. A queue that is or will be late has an alert of its own.
      when: { math: '$A > 100 && ($C - $B) * 3600 < $A && $D <= $E && $F == 0' },
    },
  },
  {
    name: 'SidekiqObjectiveBurnsFast',
    severity: 'critical',
    pendingMinutes: 0,
    summary: 'The latency budget of {{ $labels.workerType }} burns fast',
    description:
      'The budget of {{ $labels.workerType }} for time beyond the objective burns at {{ $value | printf "%.1f" }} times the allowed rate.',
    dashboard: 'sidekiq-overview',
    panel: 'Latency objectives',
    prometheus: { expr: `${promBurn('1h', '5m', BURN.fast.rate)} and ${promKnownFor('30m')}`, labels: BY_WORKER_TYPE },
    direct: {
      queries: [objective(BURN.fast.long), objective(BURN.fast.short)],
      when: { math: `$A > ${BURN.fast.rate} && $B > ${BURN.fast.rate}` },
    },
  },
  {
    name: 'SidekiqObjectiveBurnsSlowly',
    severity: 'warning',
    pendingMinutes: 0,
    summary: 'The latency budget of {{ $labels.workerType }} burns',
    description:
      'The budget of {{ $labels.workerType }} for time beyond the objective has burnt at {{ $value | printf "%.1f" }} times the allowed rate for six hours.',
    dashboard: 'sidekiq-overview',
    panel: 'Latency objectives',
    // What burns fast has an alert of its own.
    prometheus: {
      expr: `${promBurn('6h', '30m', BURN.slow.rate)} and ${promKnownFor('3h')} unless ${promBurn('1h', '5m', BURN.fast.rate)}`,
      labels: BY_WORKER_TYPE,
    },
    direct: {
      // By the state and not by its burn rates: in Grafana's expressions nothing follows where one of them is not known.
      queries: [objective(BURN.slow.long), objective(BURN.slow.short)].map((query) => ({
        ...query,
        filters: [{ field: 'state', operator: '!=', values: [BURNS_FAST] }],
      })),
      when: { math: `$A > ${BURN.slow.rate} && $B > ${BURN.slow.rate}` },
    },
  },
  {
    name: 'SidekiqQueueStarved',
    severity: 'warning',
    pendingMinutes: 10,
    summary: 'The queue {{ $labels.queue }} is starved',
    description: 'Strict order keeps every worker of {{ $labels.queue }} busy with queues before it.',
    dashboard: 'sidekiq-queue',
    panel: 'Latency by queue',
    prometheus: { expr: 'sidekiq_queue_starved == 1', labels: BY_NAME },
    direct: { queries: [queue('starved')], when: { above: 0 } },
  },
  {
    name: 'SidekiqQuietTooLong',
    severity: 'warning',
    pendingMinutes: 10,
    summary: 'A Sidekiq process on {{ $labels.host }} has been quiet for too long',
    description: 'The process has been quiet for over ten minutes and has not stopped.',
    dashboard: 'sidekiq-processes',
    panel: 'Processes and quiet processes',
    prometheus: { expr: 'sidekiq_host_processes{quiet="true"} > 0' },
    direct: {
      queries: [{ ...processes('concurrency'), filters: [{ field: 'state', operator: '=', values: ['quiet'] }] }],
      when: { above: 0 },
    },
  },
  {
    name: 'SidekiqProcessVanished',
    severity: 'warning',
    pendingMinutes: 0,
    summary: 'A Sidekiq process on {{ $labels.host }} vanished',
    description: 'The process stopped without a shutdown: it was killed, or ran out of memory.',
    dashboard: 'sidekiq-processes',
    panel: 'Lost jobs',
    // Where jobs went with it, SidekiqJobsLost says so.
    prometheus: {
      expr: `increase(sidekiq_vanished_processes_total[15m]) > 0 unless on (instance, job) ${LOST} > 0`,
    },
    direct: {
      queries: [lost('vanished'), lost('jobs')],
      when: { math: '$A > 0 && $B == 0' },
      minutes: 15,
    },
  },
  {
    name: 'SidekiqHeartbeatLate',
    severity: 'warning',
    pendingMinutes: 1,
    summary: 'Late heartbeat of {{ $labels.process }}',
    description:
      'The last heartbeat was {{ $value | humanizeDuration }} ago. A process sends a heartbeat every ten seconds.',
    dashboard: 'sidekiq-processes',
    panel: 'Live processes',
    prometheus: { expr: `sidekiq_process_heartbeat_age_seconds > ${LIMITS.lateBeatSeconds}` },
    direct: { queries: [processes('beatAge')], when: { above: LIMITS.lateBeatSeconds } },
  },
  {
    name: 'SidekiqRedisSlow',
    severity: 'warning',
    pendingMinutes: 5,
    summary: 'Redis is slow for {{ $labels.process }}',
    description: 'A round trip takes {{ $value | humanizeDuration }}. Sidekiq logs a warning above 50 ms.',
    dashboard: 'sidekiq-processes',
    panel: 'Live processes',
    prometheus: { expr: `sidekiq_process_redis_rtt_seconds > ${LIMITS.slowRoundTripSeconds}` },
    direct: { queries: [processes('rtt')], when: { above: LIMITS.slowRoundTripSeconds } },
  },
  {
    name: 'SidekiqDeadSetNearlyFull',
    severity: 'warning',
    pendingMinutes: 15,
    summary: 'The dead set is nearly full',
    description:
      'The dead set is {{ $value | humanizePercentage }} full. When it is full, Sidekiq deletes the oldest dead jobs.',
    dashboard: 'sidekiq-errors',
    panel: 'All failures',
    prometheus: { expr: `sidekiq_dead_set_fill_ratio > ${LIMITS.deadSetShare}` },
    direct: { queries: [overview('deadFill')], when: { above: LIMITS.deadSetShare } },
  },
  {
    name: 'SidekiqRecurringLate',
    severity: 'warning',
    pendingMinutes: 5,
    summary: '{{ $labels.name }} has not run as scheduled',
    description: 'The run is overdue by {{ $value | humanizeDuration }}.',
    dashboard: 'sidekiq-overview',
    panel: 'What is wrong',
    prometheus: {
      expr: `sidekiq_recurring_late_seconds > ${LIMITS.lateRunSeconds} or label_replace(time() - sidekiq_job_last_run_timestamp_seconds - sidekiq_job_cadence_seconds, "name", "$1", "class", "(.+)") > ${LIMITS.lateRunSeconds}`,
    },
    direct: { queries: [{ queryType: 'recurring', figures: ['lateBy'] }], when: { above: LIMITS.lateRunSeconds } },
  },
  {
    name: 'SidekiqLockStuck',
    severity: 'warning',
    pendingMinutes: 5,
    summary: 'Locks are held by jobs that are dead or no longer exist',
    description: 'Jobs with the same arguments are not enqueued or not run until the lock is deleted.',
    dashboard: 'sidekiq-overview',
    panel: 'What is wrong',
    prometheus: { expr: 'sidekiq_stuck_locks > 0' },
    direct: found('lockStuck'),
  },
  {
    name: 'SidekiqRedisFullSoon',
    severity: 'warning',
    pendingMinutes: 5,
    summary: 'Redis will soon be full',
    description: `If it grows on, the memory of Redis is full within ${durationText(LIMITS.memoryFullWithinSeconds)}. With noeviction, jobs can then not be enqueued.`,
    dashboard: 'sidekiq-overview',
    panel: 'What is wrong',
    prometheus: { expr: `sidekiq_redis_memory_full_seconds{bound="latest"} < ${LIMITS.memoryFullWithinSeconds}` },
    direct: found('memoryFullSoon'),
  },
  {
    name: 'SidekiqRedisMemoryHigh',
    severity: 'warning',
    pendingMinutes: 10,
    summary: 'Redis is nearly full',
    description: `More than ${shareText(LIMITS.memoryShare)} of its maxmemory is used. With noeviction, jobs can then not be enqueued.`,
    dashboard: 'sidekiq-overview',
    panel: 'What is wrong',
    // Where it is full soon, that alert says so once.
    direct: found('memoryNearlyFull'),
  },
  {
    name: 'SidekiqPollerBehind',
    severity: 'info',
    pendingMinutes: 5,
    summary: 'Scheduled jobs are not enqueued in time',
    description:
      '{{ $value }} scheduled jobs and retries have been due for more than a minute. No process polls the schedule, or polling is too slow.',
    dashboard: 'sidekiq-overview',
    panel: 'Queue depth',
    prometheus: { expr: 'sidekiq_late_scheduled_jobs + sidekiq_late_retry_jobs > 0' },
    direct: {
      queries: [overview('lateScheduled'), overview('lateRetry')],
      when: { math: '$A + $B > 0' },
    },
  },
  {
    name: 'SidekiqManyRetries',
    severity: 'info',
    pendingMinutes: 15,
    summary: 'Many Sidekiq jobs wait for a retry',
    description: '{{ $value }} jobs wait to be tried again.',
    dashboard: 'sidekiq-errors',
    panel: 'Retries and dead jobs',
    prometheus: { expr: 'sidekiq_retry_jobs > 50' },
    direct: { queries: [overview('retry')], when: { above: 50 } },
  },
  {
    name: 'SidekiqActiveJobRetries',
    severity: 'info',
    pendingMinutes: 15,
    summary: 'Many ActiveJobs wait for a retry',
    description:
      'About {{ $value | humanize }} of the scheduled jobs are retries of ActiveJob. The retry set of Sidekiq does not contain these jobs.',
    dashboard: 'sidekiq-errors',
    panel: 'All failures',
    prometheus: { expr: 'sidekiq_activejob_retries > 50' },
    direct: { queries: [overview('activeJobRetries')], when: { above: 50 } },
  },
];

/** What dashboards and rules ask again and again. */
export const RECORDING_RULES: readonly RecordingRule[] = [
  {
    record: 'sidekiq:failure:ratio_rate5m',
    expr: 'rate(sidekiq_failed_jobs_total[5m]) / (rate(sidekiq_processed_jobs_total[5m]) > 0)',
  },
  ...['5m', '30m', '1h', '6h', '3d'].map((window) => ({
    record: `sidekiq:objective:burn_rate${window}`,
    expr: `(1 - avg_over_time(sidekiq_objective_met[${window}])) / (1 - sidekiq_objective_target_ratio)`,
  })),
  { record: 'sidekiq:utilisation:ratio', expr: 'sidekiq_busy_workers / (sidekiq_workers > 0)' },
  ...USUAL_RULES,
];
