import { activeJobRetryShare } from './parts/activeJobRetries';
import { clock } from './parts/clock';
import { counter, memberCount, scoredBetween, setSize } from './parts/counters';
import { deployMarks } from './parts/deployMarks';
import { histogram } from './parts/histogram';
import { leader } from './parts/leader';
import { pausedNames, processNames, queueNames } from './parts/members';
import { bucketCounts } from './parts/minute';
import { heartbeatExpiry, processRecord } from './parts/process';
import { nextJobs, queueHead, queueSize, setJobs } from './parts/queue';
import { processWork } from './parts/work';
import type { Snapshot } from './snapshot';

const namesOf = (parts: ReadonlyArray<{ what: string }>) => parts.map(({ what }) => what);

/** The parts that the totals of an installation are made from. */
const TOTALS_PARTS = namesOf([counter, setSize, memberCount, queueNames, queueSize, processNames, processRecord]);

/** Every part of a snapshot, by the name that notices and the metric of refusals use. */
export const PART_NAMES: readonly string[] = [
  ...new Set([
    ...TOTALS_PARTS,
    ...namesOf([
      queueHead,
      processWork,
      heartbeatExpiry,
      pausedNames,
      bucketCounts,
      histogram,
      scoredBetween,
      activeJobRetryShare,
      leader,
      deployMarks,
      clock,
      nextJobs,
      setJobs,
    ]),
  ]),
];

/** Whether Redis refused a part that the totals need, so that some of them are missing. */
export function missesTotals({ refused }: Pick<Snapshot, 'refused'>): boolean {
  return TOTALS_PARTS.some((part) => refused.has(part));
}
