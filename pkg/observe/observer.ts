import type { Snapshot } from '../sidekiq/snapshot';

/**
 * Learns from one snapshot after the other what no single one tells.
 *
 * - `observe` is called once for each snapshot, in the order of time. It must not change the snapshot.
 * - `view` gives what is known now as a value that no later snapshot changes.
 * - `save` gives all that it has learnt as plain JSON; `restore` goes on from there, so that the same snapshots give the
 *   same views. It throws for what no `save` gave, and changes nothing then.
 * - What an observer keeps is bounded; its comment says by what, and a test feeds it a simulated month.
 * - Observers do not know one another, so they may be called in any order.
 */
export interface Observer<View> {
  observe(snapshot: Snapshot): void;
  view(): View;
  save(): unknown;
  restore(saved: unknown): void;
}
