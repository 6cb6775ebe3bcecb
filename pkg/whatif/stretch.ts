import { sum } from './arrivals';
import type { Turns } from '../turns';
import type { ClassDemand } from './model';
import type { Placed } from './placedWork';
import { comingJobs, fixedJobs, NO_JOBS, type Occupied } from './processor';

/** Values are settled when they change by less than this share. */
export const SETTLED = 0.002;
const ROUNDS_MOST = 50;

/** Work of a capsule in a slot that is told as one. Times are of a second of its run time as it was measured. */
interface Kind {
  readonly capsule: number;
  /** Its jobs last longer than the slot, so that as many run all the time; others come and go. */
  readonly stays: boolean;
  /** Thread-seconds as they were measured. */
  readonly seconds: number;
  readonly computes: number;
  readonly rests: number;
}

/**
 * The stretch of each work within one domain, slot by slot: by how many times its computing takes longer beside the other jobs
 * of its processes. What does not fit into a slot is left for the next one.
 *
 * @param idleOf share of the run time, as it was measured, in which a class neither computes nor waits for the processor
 */
export async function stretchesIn(
  { capsules, works }: Placed,
  slotSeconds: number,
  idleOf: (of: ClassDemand) => number,
  turns: Turns
): Promise<number[]> {
  const parts = works.map(({ capsule, share, classes }) => {
    const all = sum(classes.map(({ seconds }) => seconds));
    const meanOf = (value: (of: ClassDemand) => number, otherwise: number) =>
      all === 0 ? otherwise : sum(classes.map(({ of, seconds }) => seconds * value(of))) / all;
    const staying = meanOf((of) => 1 - Math.min(1, slotSeconds / of.durations.meanSeconds), 0);
    return { capsule, share, idle: meanOf(idleOf, 1 - share), staying };
  });
  if (parts.every(({ share }) => share === 0)) {
    return works.map(() => 1);
  }
  const left = works.map(() => 0);
  const partOf = (index: number, stays: boolean) =>
    left[index]! * (stays ? parts[index]!.staying : 1 - parts[index]!.staying);
  const kindOf = (capsule: number, stays: boolean): Kind[] => {
    let [seconds, computes, rests] = [0, 0, 0];
    parts.forEach((part, index) => {
      if (part.capsule === capsule) {
        const own = partOf(index, stays);
        seconds += own;
        computes += own * part.share;
        rests += own * part.idle;
      }
    });
    return seconds > 0 ? [{ capsule, stays, seconds, computes: computes / seconds, rests: rests / seconds }] : [];
  };
  const done = works.map(() => 0);
  const stretched = works.map(() => 0);
  const former = new Map<string, Occupied>();
  for (let slot = 0; slot < works[0]!.coming.length; slot += 1) {
    works.forEach(({ coming }, index) => (left[index]! += coming[slot]!));
    const kinds = capsules.flatMap((_, capsule) => [...kindOf(capsule, true), ...kindOf(capsule, false)]);
    const occupied = settledIn(capsules, kinds, slotSeconds, former);
    const ended = works.map(() => 0);
    kinds.forEach(({ capsule, stays, seconds }, place) => {
      const { stretch, throughput } = occupied[place]!;
      const share = Math.min(1, (throughput * slotSeconds * capsules[capsule]!.processes) / seconds);
      parts.forEach((part, index) => {
        if (part.capsule === capsule) {
          const own = share * partOf(index, stays);
          ended[index]! += own;
          stretched[index]! += own * stretch;
        }
      });
    });
    ended.forEach((own, index) => {
      done[index]! += own;
      left[index] = Math.max(0, left[index]! - own);
    });
    await turns.give();
  }
  return works.map((_, index) => (done[index] === 0 ? 1 : stretched[index]! / done[index]!));
}

/**
 * What each kind of a slot comes to beside the others. A job finds of the others as many computing as there would be without it
 * (the arrival theorem of closed networks), so that of a capsule with one thread none of its own is among those they wait for.
 *
 * @param former what it was in the slot before, from which this one is not far; replaced
 */
function settledIn(
  capsules: Placed['capsules'],
  kinds: readonly Kind[],
  slotSeconds: number,
  former: Map<string, Occupied>
): readonly Occupied[] {
  const sharedOf = (one: number, other: number) => capsules[kinds[one]!.capsule]!.shared[kinds[other]!.capsule]!;
  const keyOf = ({ capsule, stays }: Kind) => `${capsule} ${stays}`;
  const occupied = kinds.map((kind) => former.get(keyOf(kind)) ?? NO_JOBS);
  const withBeside = (place: number, beside: number): Occupied => {
    const { capsule, stays, seconds, computes, rests } = kinds[place]!;
    const { threads, processes } = capsules[capsule]!;
    const rate = seconds / (slotSeconds * processes);
    if (stays) {
      const jobs = Math.min(threads / processes, rate * (rests + computes * occupied[place]!.stretch));
      return fixedJobs(jobs, { computes, rests, beside });
    }
    const staying = kinds.findIndex((kind) => kind.stays && kind.capsule === capsule);
    const free = threads / processes - (occupied[staying]?.running ?? 0);
    return comingJobs(rate, Math.max(0, free), processes, { computes, rests, beside });
  };
  /** Jobs of another kind that compute where one of `place` runs. */
  const metOf = (place: number, other: number): number => {
    if (kinds[other]!.computes === 0 || sharedOf(place, other) === 0) {
      return 0;
    }
    const beside = kinds.map((_, each) =>
      each === other ? 0 : sharedOf(other, each) * (each === place ? occupied[each]!.met : occupied[each]!.computing)
    );
    return sharedOf(place, other) * withBeside(other, sum(beside)).computing;
  };
  for (let round = 0; round < ROUNDS_MOST; round += 1) {
    let change = 0;
    for (const place of kinds.keys()) {
      const next = withBeside(place, sum(kinds.map((_, other) => (other === place ? 0 : metOf(place, other)))));
      change = Math.max(change, Math.abs(next.stretch / occupied[place]!.stretch - 1));
      occupied[place] = next;
    }
    if (change <= SETTLED) {
      break;
    }
  }
  kinds.forEach((kind, place) => former.set(keyOf(kind), occupied[place]!));
  return occupied;
}
