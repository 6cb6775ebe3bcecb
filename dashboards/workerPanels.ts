import { warnFrom, type DirectQuery, type Panel } from './panel';
import { OF_TYPES, TO_HOST_OF_TYPE, total } from './queries';

/** Panels on processes and threads that more than one dashboard shows. */

const HIDDEN = ['process', 'labels', 'quiet', 'embedded', 'leader', 'capsules', 'tag', 'queues', 'workerType'];

/** None before the first scrape. */
export const QUIET_PROCESSES = 'sum(sidekiq_host_processes{quiet="true"}) or 0 * sum(sidekiq_up)';

/**
 * A figure of processes that serve the chosen worker types.
 *
 * @param host a selector of Prometheus' label, with its braces, or `''`
 */
export function ofProcesses(metric: string, host: string): string {
  return `${metric}${host} and on (instance, job, process) sidekiq_process_worker_type_info${OF_TYPES}`;
}

/** The same, of processes that are alive at the end of the time range. @param host as of {@link ofProcesses} */
export function stillThere(metric: string, host: string): string {
  return `(${ofProcesses(metric, host)}) and on (instance, job, process) ${metric} @ end()`;
}

/** The health of the live processes that serve the chosen worker types. @param host as of {@link ofProcesses} */
export const processTable = (host: string, more: Partial<Panel> = {}): Panel => ({
  title: 'Processes',
  description: 'Heartbeat, load, memory and round-trip time to Redis of each live process.',
  kind: 'table',
  width: 24,
  height: 10,
  counted: true,
  noValue: 'No process was scraped in this time range.',
  direct: [{ queryType: 'processes' }],
  columns: [
    ...['host', 'pid', 'state', 'busy', 'concurrency', 'utilisation'],
    ...['beatAge', 'rss', 'rtt', 'startedAt', 'version'],
  ],
  hidden: HIDDEN,
  prometheus: [
    { expr: ofProcesses('sidekiq_process_threads', host), column: 'Threads' },
    { expr: ofProcesses('sidekiq_process_busy_threads', host), column: 'Busy' },
    {
      expr: `(${ofProcesses('sidekiq_process_busy_threads', host)}) / sidekiq_process_threads`,
      column: 'Utilisation',
    },
    { expr: ofProcesses('sidekiq_process_heartbeat_age_seconds', host), column: 'Beat age' },
    { expr: ofProcesses('sidekiq_process_resident_memory_bytes', host), column: 'Memory' },
    { expr: ofProcesses('sidekiq_process_redis_rtt_seconds', host), column: 'Redis RTT' },
  ],
  labels: { host: 'Host', process: 'Process' },
  units: { Utilisation: 'percentunit', 'Beat age': 's', Memory: 'bytes', 'Redis RTT': 's' },
  links: { Host: TO_HOST_OF_TYPE },
  gauges: { Utilisation: 1 },
  warnings: { 'Beat age': warnFrom(20, 30), 'Redis RTT': warnFrom(0.02, 0.05) },
  states: ['State'],
  widths: {
    PID: 80,
    State: 80,
    Busy: 65,
    Threads: 80,
    Utilisation: 115,
    'Beat age': 90,
    Memory: 95,
    'Redis RTT': 95,
    Started: 160,
    Version: 80,
  },
  minWidths: { Host: 140, Process: 230 },
  ...more,
});

/** Which process serves which queues. */
export const servesTable = (filters: NonNullable<DirectQuery['filters']>): Panel => ({
  title: 'Who serves what',
  description: 'Queues of each process by capsule, with their order or weights.',
  kind: 'table',
  width: 24,
  height: 9,
  direct: [{ queryType: 'processes', filters }],
  columns: ['host', 'pid', 'queues', 'workerType', 'tag', 'leader'],
  hidden: [
    ...['process', 'labels', 'quiet', 'embedded', 'capsules', 'state', 'busy', 'concurrency', 'utilisation'],
    ...['beatAge', 'rss', 'rtt', 'startedAt', 'version'],
  ],
  links: { Host: TO_HOST_OF_TYPE },
  wrapped: ['Queues', 'Worker type'],
  widths: { Host: 150, PID: 80, Tag: 105, Leader: 75 },
  minWidths: { Queues: 300, 'Worker type': 170 },
});

/** Busy threads against those that may take a job. */
export const threadsOverTime = (more: Partial<Panel> = {}): Panel => ({
  title: 'Busy and ready threads',
  description: 'Jobs in progress against the threads that may take one.',
  kind: 'timeseries',
  width: 12,
  height: 8,
  unit: 'short',
  decimals: 0,
  min: 0,
  direct: total('busy', 'readyThreads'),
  prometheus: [
    { expr: 'sidekiq_busy_workers', legend: 'Busy' },
    { expr: 'sidekiq_ready_threads', legend: 'Ready threads' },
  ],
  ...more,
});

export const processesOverTime = (more: Partial<Panel> = {}): Panel => ({
  title: 'Processes and quiet processes',
  description: 'Live processes, and those that finish their jobs and take no new ones.',
  kind: 'timeseries',
  width: 12,
  height: 8,
  unit: 'short',
  decimals: 0,
  min: 0,
  direct: total('processes', 'quietProcesses'),
  prometheus: [
    { expr: 'sidekiq_live_processes', legend: 'Processes' },
    { expr: QUIET_PROCESSES, legend: 'Quiet processes' },
  ],
  ...more,
});
