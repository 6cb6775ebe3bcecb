import type { UsualView } from '../outlook/usualView';
import type { Durations, MinuteCounts } from '../sidekiq/jobMetrics';
import type { Notice } from '../sidekiq/model';
import type { LocksRead } from '../sidekiq/browse/locks';
import type { Snapshot } from '../sidekiq/snapshot';

/** One look at an installation as the fold takes it: plain data, wherever it comes from. */
export interface Reading {
  readonly snapshot: Snapshot;
  /** Executions of a longer pause, which snapshots do not reach back to; `null` where there was none. */
  readonly missed: { readonly minutes: readonly MinuteCounts[]; readonly durations: readonly Durations[] } | null;
  /** The lines of INFO as they were last read; `null` where they may not be read. */
  readonly info: ReadonlyMap<string, string> | null;
  /** The locks when they were last looked at; `null` where they were not. */
  readonly locks: LocksRead | null;
  /** What was usual when it was last looked at; `null` while there is too little history. */
  readonly usual: UsualView | null;
  /** What was told beside the snapshot: of the history, the connection, the clock. */
  readonly notices: readonly Notice[];
  /** Whether the history file was in use; `null` where the history is kept in memory by choice. */
  readonly historyFile: boolean | null;
}
