import { rankTest, type Difference } from '../outlook/rankTest';
import { groupBy } from '../sidekiq/groupBy';
import {
  HISTOGRAM_BOUNDS_MS,
  quantile,
  QUANTILES,
  sumCounts,
  sumDurations,
  type Durations,
} from '../sidekiq/jobMetrics';
import type { Notice } from '../sidekiq/model';
import type { Range, Reads } from '../source/reads';
import { Turns } from '../turns';
import type { State } from '../watch/state';
import { SLOT_SECONDS, wholeSlots } from './compareStretches';
import { readExecutions } from './jobMetricsOrigin';

/** A quantile of the run times of a class in two stretches, in seconds; `null` where no execution is known. */
export interface QuantileCompared {
  jobClass: string;
  /** Name in {@link QUANTILES}. */
  name: string;
  before: number | null;
  after: number | null;
  difference: Difference | null;
}

/** Minutes are read for each class. */
const CLASSES = 20;
/** Where the last bucket begins. */
const LONGEST_SECONDS = HISTOGRAM_BOUNDS_MS.at(-2)! / 1000;
/** Sidekiq keeps durations for eight hours, the recording by default for a day. */
const MOST_SECONDS = 86_400;

/**
 * Quantiles of the run times of the classes that ran most, from Sidekiq's histograms by the minute or those that were
 * recorded. The figure of a stretch is of all its executions; whether it changed by more than chance is told by those of
 * its five minutes.
 *
 * @param names of {@link QUANTILES}
 * @param wereAsked they are told where they cannot be known
 * @param keeps whether a class is asked for
 */
export async function compareDurations(
  names: readonly string[],
  { before, after }: { before: Range; after: Range },
  { wereAsked, keeps }: { wereAsked: boolean; keeps: (jobClass: string) => boolean },
  state: State,
  reads: Reads
): Promise<{ quantiles: QuantileCompared[]; notices: Notice[] }> {
  const isLong = after.to - after.from > MOST_SECONDS;
  if (names.length === 0 || isLong) {
    const text = 'Quantiles of run times are compared over a day at most.';
    return { quantiles: [], notices: isLong && wereAsked ? [{ severity: 'warning', text }] : [] };
  }
  const executions = await Promise.all([before, after].map((range) => readExecutions(state, { range }, reads, 'auto')));
  const counts = [...sumCounts(executions.flatMap(({ buckets }) => buckets))].filter(([jobClass]) => keeps(jobClass));
  const ranked = counts.sort(([, a], [, b]) => b.processed - a.processed).map(([jobClass]) => jobClass);
  const classes = ranked.slice(0, CLASSES);
  const [former, later] = await Promise.all(executions.map(({ durationsOf }) => durationsOf(classes)));
  const notices = told([
    [...executions[0]!.notices, ...former!.notices],
    [...executions[1]!.notices, ...later!.notices],
  ]).filter(({ severity }) => wereAsked || severity !== 'info');
  if (executions.some(({ resolution }) => resolution > 60)) {
    const text = 'Quantiles of run times are not known throughout: Sidekiq keeps them for 8 hours.';
    return { quantiles: [], notices: wereAsked ? [...notices, { severity: 'warning', text }] : [] };
  }
  if (wereAsked && ranked.length > classes.length) {
    const text = `Quantiles of run times are those of the ${classes.length} classes that ran most, of ${ranked.length}.`;
    notices.push({ severity: 'info', text });
  }
  const turns = new Turns();
  const slotsBefore = slotsOf(former!.durations, before);
  const slotsAfter = slotsOf(later!.durations, after);
  const quantiles: QuantileCompared[] = [];
  for (const jobClass of classes) {
    const sides = [slotsBefore, slotsAfter].map((slots) => slots.get(jobClass) ?? []);
    for (const name of names) {
      const q = QUANTILES.get(name)!;
      const [ofBefore, ofAfter] = sides.map((slots) => ({
        all: quantile(q, sumDurations(slots))?.seconds ?? null,
        bySlot: slots.map((slot) => quantile(q, slot)!.seconds),
      }));
      const difference = rankTest(ofBefore!.bySlot, ofAfter!.bySlot);
      quantiles.push({ jobClass, name, before: ofBefore!.all, after: ofAfter!.all, difference });
      await turns.give();
    }
  }
  if (quantiles.some(({ before: one, after: other }) => Math.max(one ?? 0, other ?? 0) >= LONGEST_SECONDS)) {
    const text = `Sidekiq does not tell run times above ${LONGEST_SECONDS} s apart: quantiles of ${LONGEST_SECONDS} s are that or more.`;
    notices.push({ severity: 'info', text });
  }
  return { quantiles: quantiles.filter((each) => each.before !== null || each.after !== null), notices };
}

/** What is told of one side says of which. */
function told([before, after]: readonly [readonly Notice[], readonly Notice[]]): Notice[] {
  const isIn = (notices: readonly Notice[], { text }: Notice) => notices.some((each) => each.text === text);
  const ofOne = (side: string, own: readonly Notice[], others: readonly Notice[]) =>
    own.filter((notice) => !isIn(others, notice)).map((notice) => ({ ...notice, text: `${side}: ${notice.text}` }));
  return [
    ...before.filter((notice, index) => isIn(after, notice) && !isIn(before.slice(0, index), notice)),
    ...ofOne('Time before', before, after),
    ...ofOne('Time after', after, before),
  ];
}

/** Of each class the durations of the five minutes that lie within a range and in which it ended, in their order. */
function slotsOf(durations: readonly Durations[], range: Range): Map<string, number[][]> {
  const slots = new Set(wholeSlots(range, SLOT_SECONDS));
  const slotAt = (at: number) => Math.floor(at / SLOT_SECONDS) * SLOT_SECONDS;
  const within = durations.filter(({ startsAt, counts }) => slots.has(slotAt(startsAt)) && counts.some((n) => n > 0));
  return new Map(
    [...groupBy(within, ({ jobClass }) => jobClass)].map(([jobClass, members]) => {
      const bySlot = [...groupBy(members, ({ startsAt }) => slotAt(startsAt))].sort(([a], [b]) => a - b);
      return [jobClass, bySlot.map(([, each]) => sumDurations(each.map(({ counts }) => counts)))];
    })
  );
}
