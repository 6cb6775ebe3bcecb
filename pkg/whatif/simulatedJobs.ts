import type { Dice } from '../engine/dice';
import { Fifo } from '../engine/fifo';
import { firstAbove } from './firstAbove';
import type { Backlog, ClassDemand, Demand } from './model';

/** A job of a simulation; instants are seconds after its beginning. */
export interface SimulatedJob {
  readonly at: number;
  readonly of: ClassDemand;
  /** It waits or runs at the beginning, or comes later. */
  readonly from: 'waiting' | 'running' | 'coming';
}

/** Jobs of a queue that wait or run at the beginning: of its classes by their shares. */
export function* initialJobs(
  classes: readonly ClassDemand[],
  { jobs, running, ages }: Backlog,
  from: 'waiting' | 'running',
  dice: Dice
): Generator<SimulatedJob> {
  const weights = classes.map(({ atBeginning }) => atBeginning[from]);
  const total = weights.reduce((sum, each) => sum + each, 0);
  const last = classes.at(-1);
  const many = from === 'running' ? running : jobs;
  if (!last) {
    return;
  }
  for (let index = 0; index < many; index += 1) {
    let drawn = dice.between(0, total);
    const of = classes.find((_, place) => (drawn -= weights[place]!) < 0) ?? last;
    yield { at: from === 'running' ? 0 : -ageAt(ages, index / many), of, from };
  }
}

/** The age at a share of the way from the oldest to the newest. */
function ageAt(ages: readonly number[], share: number): number {
  const place = share * (ages.length - 1);
  const before = Math.min(ages.length - 2, Math.floor(place));
  return ages[before]! + (place - before) * (ages[before + 1]! - ages[before]!);
}

/** Seconds between two polls of a cluster on average (`average_scheduled_poll_interval`), and by what a gap differs at most. */
const POLL_SECONDS = 5;
const POLL_SPREAD = 0.5;

/**
 * Arrivals slot by slot. Jobs of the sets come when Sidekiq's processes look for what is due (`Sidekiq::Scheduled::Poller`):
 * together, some seconds late.
 */
export class Arrivals {
  /** The next poll, and what comes with it or with a later one, in order. */
  private pollAt = 0;
  private readonly due = new Fifo<SimulatedJob>();

  constructor(
    private readonly demand: Demand,
    private readonly dice: Dice,
    private readonly pollDice: Dice
  ) {}

  /** In their order. @param from instant at which the slot begins; slots follow each other */
  *of(slot: number, from: number): Generator<SimulatedJob> {
    for (const job of arrivalsOf(this.demand, slot, from, this.dice)) {
      yield* this.broughtUntil(job.at);
      if (job.of.polled > 0 && this.pollDice.chance(job.of.polled)) {
        this.due.push({ ...job, at: this.pollAfter(job.at) });
      } else {
        yield job;
      }
    }
    yield* this.broughtUntil(from + this.demand.slotSeconds);
  }

  private *broughtUntil(until: number): Generator<SimulatedJob> {
    for (let job = this.due.first; job && job.at < until; job = this.due.first) {
      yield job;
      this.due.shift();
    }
  }

  private pollAfter(at: number): number {
    while (this.pollAt < at) {
      this.pollAt += POLL_SECONDS * this.pollDice.between(1 - POLL_SPREAD, 1 + POLL_SPREAD);
    }
    return this.pollAt;
  }
}

/** Arrivals of one slot in their order, from an instant on: a Poisson process of the rate of all classes, each job of one by its share. */
function* arrivalsOf(
  { classes, slotSeconds }: Demand,
  slot: number,
  from: number,
  dice: Dice
): Generator<SimulatedJob> {
  const cumulative = new Float64Array(classes.length);
  let sum = 0;
  for (let index = 0; index < classes.length; index += 1) {
    sum += classes[index]!.arrivals[slot]!;
    cumulative[index] = sum;
  }
  if (sum <= 0) {
    return;
  }
  const meanGap = slotSeconds / sum;
  for (let at = from + gap(dice, meanGap); at < from + slotSeconds; at += gap(dice, meanGap)) {
    yield { at, of: classes[firstAbove(cumulative, dice.between(0, sum))]!, from: 'coming' };
  }
}

function gap(dice: Dice, mean: number): number {
  return -Math.log(1 - dice.between(0, 1)) * mean;
}
