import type { BusyMeansView } from '../observe/busyMeans';
import type { ClassMemoryView } from '../observe/classMemory';
import type { ClassNamesView } from '../observe/classNames';
import type { ClassQueuesView } from '../observe/classQueues';
import type { ClassQueueTotalsView } from '../observe/classQueueTotals';
import type { ClassSharesView } from '../observe/classShares';
import type { ClassTotalsView } from '../observe/classTotals';
import type { JobWaitsView } from '../observe/jobWaits';
import type { ProcessLogView } from '../observe/processLogModel';
import type { QueueState } from '../observe/queueState';
import type { RedisCountersView } from '../observe/redisCounters';
import type { ServiceEndsView } from '../observe/serviceEnds';
import type { RedisMemoryView } from '../observe/redisMemory';
import type { UsualView } from '../outlook/usualView';
import type { FindingLogView } from './findingLog';
import type { Options } from '../settings/model';
import type { Notice } from '../sidekiq/model';
import type { LocksRead } from '../sidekiq/browse/locks';
import type { DisabledUntil } from '../sidekiq/browse/recurring';
import type { Snapshot } from '../sidekiq/snapshot';
import type { InstallationTotals } from '../sidekiq/totals';
import type { StatsdIntake } from '../statsd/intake';

/**
 * What is known of an installation at one instant: a snapshot, and everything derived from it, computed once whoever
 * asks. Frames, Prometheus, the history and the terminal are views of this.
 */
export interface State {
  readonly snapshot: Snapshot;
  /** In the order of the snapshot. */
  readonly queues: readonly QueueState[];
  readonly totals: InstallationTotals;
  readonly processLog: ProcessLogView;
  readonly classTotals: ClassTotalsView;
  readonly classQueues: ClassQueuesView;
  readonly classShares: ClassSharesView;
  /** Empty unless the names of other exporters are given. */
  readonly classQueueTotals: ClassQueueTotalsView;
  readonly classNames: ClassNamesView;
  readonly jobWaits: JobWaitsView;
  readonly classMemory: ClassMemoryView;
  readonly redisCounters: RedisCountersView;
  readonly disabledEntries: DisabledUntil;
  readonly serviceEnds: ServiceEndsView;
  readonly busyMeans: BusyMeansView;
  /** `null` where INFO may not be read, or was not yet, and where Redis has no limit. */
  readonly redisMemory: RedisMemoryView | null;
  /** Which findings began and ended since the watch began. */
  readonly findingLog: FindingLogView;
  /** Locks and throttles as they were last looked at, each minute where readings are recorded; `null` before that. */
  readonly locks: LocksRead | null;
  /** What is usual by the history, as it was last looked at; `null` while there is too little of it. */
  readonly usual: UsualView | null;
  /** What Sidekiq Pro has sent by DogStatsD; it goes on growing, as it does not come from Redis. */
  readonly statsd: Pick<StatsdIntake, 'registry' | 'minutes' | 'counts' | 'listening'>;
  readonly options: Options;
  /** Whether the history file is used; `null` where the history is kept in memory by choice. */
  readonly historyFile: boolean | null;
  /** Epoch seconds: the instant of the snapshot. */
  readonly now: number;
  /** It is made of a recorded reading, so that {@link now} is an instant of the past. */
  readonly recorded: boolean;
  /** What should be known of every figure: of the snapshot, and of what failed beside the reading. */
  readonly notices: readonly Notice[];
}
