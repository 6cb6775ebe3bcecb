import { Fault } from '../faults/fault';
import type { Failure, FailuresRead } from '../sidekiq/browse/failures';
import type { Notice } from '../sidekiq/model';
import { countTest } from '../outlook/countTest';
import type { Difference } from '../outlook/rankTest';
import { instantText } from '../source/instants';
import type { FailuresRecorded, Range, Reads } from '../source/reads';
import { NOW_SECONDS } from '../source/source';

/** Jobs with an error in two stretches. */
export interface ErrorCounts {
  errorClass: string;
  before: number;
  after: number;
  difference: Difference;
}

interface Compared {
  errors: ErrorCounts[];
  notices: Notice[];
}

const HOUR = 3600;
/** Times are whole hours though so little is missing: a range of two hours ends some seconds before now. */
const SPARE_SECONDS = 60;
/** Seconds that both times are long at least. */
export const LEAST_OF_ERRORS = HOUR - SPARE_SECONDS;

/**
 * Jobs in retry and dead by error class, as they were at the end of either stretch: those whose latest failure lay within the
 * last whole hours of it. Both are counted in the same way, so that jobs which have been worked off since are missing in neither.
 *
 * @throws Fault `query` where the stretches are too short, or failures were not recorded then
 */
export async function compareErrors(before: Range, after: Range, now: number, reads: Reads): Promise<Compared> {
  const hours = Math.floor((after.to - after.from + SPARE_SECONDS) / HOUR);
  if (after.to - after.from < LEAST_OF_ERRORS) {
    throw new Fault({
      kind: 'query',
      message: 'Errors are compared by the hour, and the times to compare are shorter.',
      remedy: 'Wait, widen the time range, or name an earlier deploy or instant ("at").',
    });
  }
  const former = await reads.failuresAt(before.to);
  const later =
    now - after.to < NOW_SECONDS ? { at: now, ...(await reads.failures(now)) } : await reads.failuresAt(after.to);
  const missing = [former ? [] : [before.to], later ? [] : [after.to]].flat();
  if (!former || !later) {
    throw new Fault({
      kind: 'query',
      message: `The failures of the retry and the dead set were not recorded at ${missing.map(instantText).join(' and at ')}.`,
      remedy: 'Choose times of which recordings exist ("recordHours" and "recordDays" of the settings).',
    });
  }
  const [ofFormer, ofLater] = [countsOf(former, hours), countsOf(later, hours)];
  const errors = [...new Set([...ofFormer.keys(), ...ofLater.keys()])].map((errorClass) => {
    const counts = { before: ofFormer.get(errorClass) ?? 0, after: ofLater.get(errorClass) ?? 0 };
    return { errorClass, ...counts, difference: countTest(counts.before, counts.after) };
  });
  return { errors, notices: [told(hours), ...partly(former, later)] };
}

function countsOf({ at, retry, dead }: FailuresRecorded, hours: number): Map<string, number> {
  const counts = new Map<string, number>();
  const isWithin = ({ lastAt }: Failure) => lastAt !== null && at - lastAt < hours * HOUR;
  for (const failure of [...retry.failures, ...dead.failures].filter(isWithin)) {
    counts.set(failure.errorClass, (counts.get(failure.errorClass) ?? 0) + (failure.count ?? 1));
  }
  return counts;
}

function told(hours: number): Notice {
  return {
    severity: 'info',
    text: `Jobs in retry and dead whose latest failure lay within the last ${hours === 1 ? 'hour' : `${hours} hours`} of either time, as they were at its end.`,
  };
}

function partly(...reads: FailuresRecorded[]): Notice[] {
  const isPart = ({ looked, total }: FailuresRead) => looked < total;
  return reads.some(({ retry, dead }) => isPart(retry) || isPart(dead))
    ? [{ severity: 'warning', text: 'Not all failures were looked at: the counts are too low.' }]
    : [];
}
