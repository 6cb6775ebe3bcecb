import type { Snapshot } from '../sidekiq/snapshot';

/**
 * Learns from one snapshot after the other what no single one tells.
 *
 * - `observe` is called once for each snapshot, in the order of time. It must not change the snapshot.
 * - `view` gives what is known now as a value that no later snapshot changes.
 * - What an observer keeps is bounded; its comment says by what, and a test feeds it a simulated month.
 * - Observers do not know one another, so they may be called in any order.
 */
export interface Observer<View> {
  observe(snapshot: Snapshot): void;
  view(): View;
}
