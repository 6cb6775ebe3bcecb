import { privateQueue } from '../sidekiq/keys';
import { HEARTBEAT_SECONDS } from '../sidekiq/parts/process';
import { sumCounts } from '../sidekiq/jobMetrics';
import type { LookedFor, Process, Work } from '../sidekiq/model';
import type { Snapshot } from '../sidekiq/snapshot';

/**
 * A process that is gone for so long after it was noticed is counted as vanished: one that is frozen, or holds the
 * interpreter's lock, beats again.
 */
export const CONFIRMED_SECONDS = 60;
/** For so long lost jobs are looked for in their queues. */
const LOOKED_FOR_SECONDS = 600;
/** Clocks of hosts differ by less. */
export const CLOCKS_SECONDS = 10;
const VANISHED_KEPT = 200;

/** A job that ran in a process when that vanished. */
export interface LostJob extends Work {
  /** It was seen again: super_fetch has it, or somebody put it back. */
  readonly recovered: boolean;
  /** Mean execution time of its class over the hour before; `null` where none ended. */
  readonly usualSeconds: number | null;
}

/**
 * Whether a job may have ended before its process was killed. What runs is known as of the last heartbeat, up to ten seconds
 * before: where jobs of its class take less, others have taken its place.
 */
export function mayHaveEnded({ usualSeconds, runAt }: LostJob, lastBeatAt: number): boolean {
  const hadRun = runAt === null ? 0 : lastBeatAt - runAt;
  return usualSeconds !== null && Math.max(usualSeconds, hadRun) < HEARTBEAT_SECONDS;
}

/** What is told of a process that is gone. */
export type GoneProcess = Pick<Process, 'identity' | 'host'>;

/** A process that is gone without a clean stop, with what ran in it. Instants are epoch seconds. */
export interface VanishedProcess {
  readonly process: GoneProcess;
  readonly lastBeatAt: number;
  /** The same by the clock of its host; `null` where it is not known. */
  readonly beatAt: number | null;
  readonly noticedAt: number;
  /** When it beat again: it was frozen or did not reach Redis, and nothing was lost. `null` while it is gone. */
  readonly returnedAt: number | null;
  /** It was gone for so long that its jobs are counted as lost. */
  readonly confirmed: boolean;
  readonly jobs: readonly LostJob[];
}

/** Where the jobs of processes that have just gone are looked for. @param now epoch seconds */
export function lookedForOf({ vanished }: { vanished: readonly VanishedProcess[] }, now: number): LookedFor {
  const recent = vanished.filter(
    ({ noticedAt, returnedAt }) => returnedAt === null && now - noticedAt <= LOOKED_FOR_SECONDS
  );
  const missing = ({ jobs }: VanishedProcess) => jobs.filter((job) => !job.recovered);
  const open = recent.filter((each) => !each.confirmed && missing(each).length > 0);
  return {
    queues: [...new Set(recent.flatMap((each) => missing(each).map(({ queue }) => queue)))],
    privateQueues: [
      ...new Set(open.flatMap((each) => missing(each).map(({ queue }) => privateQueue(each.process.identity, queue)))),
    ],
    jids: new Set(open.flatMap((each) => missing(each).map(({ jid }) => jid))),
    since: open.reduce((first, { lastBeatAt }) => Math.min(first, lastBeatAt), Infinity) - CLOCKS_SECONDS,
  };
}

/** Mean execution times by class. */
export function meanSeconds(minutes: Snapshot['minutes']): Map<string, number> {
  const means = new Map<string, number>();
  for (const [name, { processed, failed, milliseconds }] of sumCounts(minutes.items)) {
    if (processed > failed) {
      means.set(name, milliseconds / 1000 / (processed - failed));
    }
  }
  return means;
}

/** Those that are still to be counted, and the newest others. @param vanished newest first, by when they were noticed */
export function boundedVanished(vanished: readonly VanishedProcess[]): VanishedProcess[] {
  let others = 0;
  return vanished.filter(({ confirmed, returnedAt }) => {
    const isOpen = !confirmed && returnedAt === null;
    others += isOpen ? 0 : 1;
    return isOpen || others <= VANISHED_KEPT;
  });
}
