import type { Dice } from '../engine/dice';
import { Fifo } from '../engine/fifo';
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
  /** By class. */
  private readonly dice: readonly Dice[];

  /** @param diceOf of each class and of the polls, so that more jobs of one class leave those of the others as they are */
  constructor(
    private readonly demand: Demand,
    diceOf: (name: string) => Dice,
    private readonly pollDice = diceOf('polls')
  ) {
    this.dice = demand.classes.map((of) => diceOf(`arrivals ${of.queue} ${of.class}`));
  }

  /** In their order. @param from instant at which the slot begins; slots follow each other */
  *of(slot: number, from: number): Generator<SimulatedJob> {
    for (const job of arrivalsOf(this.demand, slot, from, this.dice)) {
      yield* this.broughtUntil(job.at);
      if (job.isDue) {
        this.due.push({ at: this.pollAfter(job.at), of: job.of, from: job.from });
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

/** A job that comes, or that becomes due and comes with the next poll. */
interface Arrival extends SimulatedJob {
  readonly isDue: boolean;
}

/** Jobs that are put in order at a time, about. */
const ORDERED_AT_ONCE = 500;

/** Arrivals of one slot in their order, from an instant on: of each class a Poisson process of its rate. */
function* arrivalsOf(
  { classes, slotSeconds }: Demand,
  slot: number,
  from: number,
  dice: readonly Dice[]
): Generator<Arrival> {
  const coming: Array<{ of: ClassDemand; dice: Dice; meanGap: number; at: number }> = [];
  let sum = 0;
  for (let index = 0; index < classes.length; index += 1) {
    const of = classes[index]!;
    const many = of.arrivals[slot]!;
    if (many > 0) {
      sum += many;
      const meanGap = slotSeconds / many;
      coming.push({ of, dice: dice[index]!, meanGap, at: from + gap(dice[index]!, meanGap) });
    }
  }
  const parts = Math.ceil(sum / ORDERED_AT_ONCE);
  for (let part = 1; part <= parts; part += 1) {
    const until = from + (slotSeconds * part) / parts;
    const jobs: Arrival[] = [];
    for (const each of coming) {
      for (; each.at < until; each.at += gap(each.dice, each.meanGap)) {
        const { of, at } = each;
        jobs.push({ at, of, from: 'coming', isDue: of.polled > 0 && each.dice.chance(of.polled) });
      }
    }
    yield* jobs.sort((one, other) => one.at - other.at);
  }
}

function gap(dice: Dice, mean: number): number {
  return -Math.log(1 - dice.between(0, 1)) * mean;
}
