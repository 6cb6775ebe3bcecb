import type { ClassQueues } from '../history/classQueues';
import type { Flow } from '../history/flow';
import type { LossWatch } from '../history/lossWatch';
import type { HistoryStore } from '../history/store';
import type { ReadOnlyRedis } from '../redis/readOnlyRedis';
import type { Options } from '../settings/model';
import type { JobMetricsReader } from '../sidekiq/jobMetricsReader';
import type { Snapshot } from '../sidekiq/snapshot';
import type { ProJobs } from '../statsd/proJobs';

/** What a query may draw on. */
export interface QueryContext {
  /** A snapshot shared with whoever asks at the same time. */
  snapshot(): Promise<Snapshot>;
  /** For bounded browsing only; a query that a snapshot answers must not use it. */
  redis: ReadOnlyRedis;
  jobMetrics: JobMetricsReader;
  /** What Sidekiq Pro has sent by DogStatsD. */
  pro: ProJobs;
  options: Options;
  flow: Flow;
  classQueues: ClassQueues;
  watch: LossWatch;
  history: HistoryStore;
  /** The asked time range, epoch seconds. */
  range: { from: number; to: number };
  intervalSeconds: number;
  maxDataPoints: number;
  /** An alert rule asks: exactly one figure, labels only of what identifies a row. */
  alerting: boolean;
  /** The data source whose Explore links should open. */
  dataSource?: { uid: string; name: string };
  signal?: AbortSignal;
}
