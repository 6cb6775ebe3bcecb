import { countText, shareText } from '../findings/texts';
import { sumCounts, sumDurations, type ClassCounts, type Durations, type MinuteCounts } from '../sidekiq/jobMetrics';
import type { Notice, Work } from '../sidekiq/model';
import { sharesOf } from '../observe/classShares';
import { groupBy } from '../sidekiq/groupBy';
import { runTimesOf } from '../sidekiq/clocks';
import type { Range, Reads } from '../source/reads';
import { Turns } from '../turns';
import type { State } from '../watch/state';
import { backlogAt, growthOf, pushesOf } from './sizes';
import { assumedDurations, durationsOf } from './durations';
import { arrivalsOf, burstWeights, SLOT_SECONDS, SLOTS_PER_MINUTE, sum } from './arrivals';
import { jobsOfClass, type Backlog, type ClassDemand, type Demand, type DurationModel } from './model';
import { namesText } from '../sidekiq/namesText';

const MINUTE = 60;
/** A longer range is fitted by its last hours. */
const LONGEST_SECONDS = 6 * 3600;
/** Histograms are read of the classes that take most time, over the last hour of the range. */
const CLASSES_WITH_HISTOGRAM = 100;
const HISTOGRAM_MINUTES = 60;
const CLASSES_SHARED = 500;
const CLASSES_TOLD = 3;
const QUEUES_SHARED = 10;
/**
 * Of classes that take longer on average, many jobs end in another minute than they began in: what runs is counted with
 * them. Of shorter ones the samples of what runs would add their own chance.
 */
const LONG_SECONDS = 60;
/** Samples further apart tell nothing of bursts within a minute. */
const BURST_SAMPLE_SECONDS = 15;

/** Work as it came, and what is not known of it. */
export interface Fitted {
  demand: Demand;
  /** The time that was fitted: whole minutes. */
  range: Range;
  notices: Notice[];
}

/**
 * The work of a past range, by what is recorded of it:
 *
 * - Arrivals by class and minute: what of the class was executed, and by how much more of it wait and run (jobs that come
 *   have ended, run or wait). What waits belongs to the classes of the queue by their executions, what runs to those that
 *   take long. Within a minute they follow the pushes that were seen every ten seconds, where those are
 *   kept. Retries are arrivals like others, as they are executed like others, but come together: as many as executions fail.
 * - Run times by Sidekiq's 26 buckets; where a class has no histogram, lognormal around its mean.
 * - Jobs that waited at the beginning.
 *
 * `null` where nothing was executed.
 */
export async function fitRange(state: State, asked: Range, reads: Reads): Promise<Fitted | null> {
  // A time to come, or of no length, holds no work.
  if (asked.from >= Math.min(asked.to, state.now)) {
    return null;
  }
  const notices: Notice[] = [];
  const whole = wholeMinutes(asked, state.now);
  if (asked.to - asked.from > LONGEST_SECONDS + MINUTE) {
    notices.push({ severity: 'info', text: 'Fitted is the work of the last six hours of the time range.' });
  }
  const minutes = await minutesOf(state, whole, reads);
  // Before the first minute that is known nothing is, which is not the same as no work.
  const range = { from: Math.max(whole.from, minutes.buckets[0]?.startsAt ?? whole.from), to: whole.to };
  notices.push(...minutes.notices);
  const history = await reads.history();
  const byClass = sumCounts(minutes.buckets);
  const classes = [...byClass].filter(([name]) => state.classQueues.has(name));
  notices.push(...unknownQueues(byClass, classes));
  if (classes.length === 0) {
    return null;
  }
  const models = await durationModels(classes, minutes, { state, to: range.to }, reads);
  notices.push(...models.notices);
  const turns = new Turns();
  const demands: ClassDemand[] = [];
  const slots = ((range.to - range.from) / MINUTE) * SLOTS_PER_MINUTE;
  const at = { ...range, now: state.now, sampleSeconds: state.options.sampleSeconds };
  const isDense = at.sampleSeconds <= BURST_SAMPLE_SECONDS;
  const placed = placesOf(classes, state);
  for (const [queue, members] of groupBy(placed, (each) => each.queue)) {
    const counted = executedByMinute(
      members.map(({ name }) => name),
      minutes.buckets,
      range
    );
    const executed = counted.map((counts, place) => counts.map((count) => count * members[place]!.share));
    const grown = growthOf(history, 'enqueued', queue, at);
    const bursts = isDense ? await pushesOf(history, queue, at) : [];
    const weights = burstWeights(bursts, slots);
    const ofQueue = Math.max(1, sum(executed.map(sum)));
    const longWork = (place: number) => {
      const { meanSeconds } = models.of(members[place]!.name);
      return meanSeconds < LONG_SECONDS ? 0 : meanSeconds * sum(executed[place]!);
    };
    const allLongWork = sum(members.map((_, place) => longWork(place)));
    const begun = allLongWork === 0 ? [] : growthOf(history, 'busy', queue, at);
    for (const [place, { name, share }] of members.entries()) {
      const own = executed[place]!;
      const durations = models.of(name);
      const shareOfBegun = allLongWork === 0 ? 0 : longWork(place) / allLongWork;
      const more = own.map(
        (_, minute) => ((grown[minute] ?? 0) * (sum(own) / ofQueue) + (begun[minute] ?? 0) * shareOfBegun) / share
      );
      demands.push({
        class: name,
        queue,
        // What chance explains of counts is told by whole ones.
        arrivals: arrivalsOf(counted[place]!, more, weights).map((count) => count * share),
        durations,
        polled: retriedShare(byClass.get(name)!),
        executions: sum(own),
        atBeginning: { waiting: sum(own), running: sum(own) * durations.meanSeconds },
      });
    }
    await turns.give();
  }
  const backlog = backlogAt(history, state, at);
  // Pushes to a queue of which nothing was executed are seen by its backlog alone.
  const executing = new Set(demands.map(({ queue }) => queue));
  const silent = state.queues.filter(({ name }) => !executing.has(name));
  const meanSeconds = meanOf(classes);
  const nothing = new Array<number>(slots / SLOTS_PER_MINUTE).fill(0);
  const even = burstWeights([], slots);
  for (const { name } of silent) {
    const grown = growthOf(history, 'enqueued', name, at);
    const begun = growthOf(history, 'busy', name, at);
    const more = nothing.map((_, minute) => (grown[minute] ?? 0) + (begun[minute] ?? 0));
    const arrivals = arrivalsOf(nothing, more, even);
    if (backlog.has(name) || arrivals.some((count) => count > 0)) {
      const seen = secondsSeen(state, (work) => work.queue === name, range.to);
      demands.push({
        class: '',
        queue: name,
        arrivals,
        durations: assumedDurations(seen ?? meanSeconds),
        polled: 0,
        executions: sum(arrivals),
        atBeginning: { waiting: 1, running: 1 },
      });
      notices.push({
        severity: 'info',
        text: `Nothing of ${name} was executed: its run times are assumed to be ${seen === null ? 'those of all classes' : 'twice those of the jobs that run'}.`,
      });
    }
    await turns.give();
  }
  return { demand: { classes: demands, slotSeconds: SLOT_SECONDS, slots, backlog }, range, notices };
}

/** The share of executions that are retries, where each that fails is tried again. */
function retriedShare({ processed, failed }: ClassCounts): number {
  return processed > 0 ? Math.min(1, failed / processed) : 0;
}

/** The classes that take most time. */
function heaviest(classes: ReadonlyArray<[string, ClassCounts]>, most: number): string[] {
  const byTime = [...classes].sort(([, one], [, other]) => other.milliseconds - one.milliseconds);
  return byTime.slice(0, most).map(([name]) => name);
}

/** A class in a queue that it runs from, with the share of its work. */
interface Placed {
  name: string;
  queue: string;
  share: number;
}

/** Of the classes that take most time the queues with most of it, of others the queue that was seen last: each takes memory. */
function placesOf(classes: ReadonlyArray<[string, ClassCounts]>, state: State): Placed[] {
  const shared = new Set(heaviest(classes, CLASSES_SHARED));
  return classes.flatMap(([name]) => {
    if (!shared.has(name)) {
      return [{ name, queue: state.classQueues.get(name)!, share: 1 }];
    }
    const most = [...sharesOf(state, name)].sort(([, one], [, other]) => other - one).slice(0, QUEUES_SHARED);
    const all = sum(most.map(([, share]) => share));
    return most.map(([queue, share]) => ({ name, queue, share: share / all }));
  });
}

/**
 * Seconds that jobs of a queue or class take, by those that run: at any instant a job has run for half of its time on average.
 * `null` where none runs, or where the range ended before.
 */
function secondsSeen({ snapshot, now }: State, isMeant: (work: Work) => boolean, to: number): number | null {
  const ranFor = runTimesOf(snapshot);
  const ages = snapshot.work.items
    .flatMap((each) => (isMeant(each) ? (ranFor(each) ?? []) : []))
    .filter((age) => age >= 0);
  return ages.length === 0 || now - to > 2 * MINUTE ? null : (2 * sum(ages)) / ages.length;
}

function meanOf(classes: ReadonlyArray<[string, ClassCounts]>): number {
  const sum = (value: (counts: ClassCounts) => number) =>
    classes.reduce((total, [, counts]) => total + value(counts), 0);
  return (
    sum(({ milliseconds }) => milliseconds) /
    1000 /
    Math.max(
      1,
      sum(({ processed, failed }) => processed - failed)
    )
  );
}

function wholeMinutes({ from, to }: Range, now: number): Range {
  // The minute that goes on is not known, nor those that processes have not written yet.
  const end = Math.floor(Math.min(to, now - MINUTE) / MINUTE) * MINUTE;
  const begin = Math.ceil(Math.max(from, end - LONGEST_SECONDS) / MINUTE) * MINUTE;
  return { from: Math.min(begin, end - MINUTE), to: end };
}

/** Minutes from Redis as far as they are kept there, else those that were recorded, with their durations. */
async function minutesOf(
  { now, recorded }: State,
  range: Range,
  reads: Reads
): Promise<{ buckets: MinuteCounts[]; notices: readonly Notice[]; durations?: Durations[] }> {
  const until = { from: range.from, to: range.to - 1 };
  if (recorded || now - range.from <= reads.minutesKeptSeconds) {
    return reads.buckets(until, MINUTE, now);
  }
  const { minutes: buckets, durations, missing } = await reads.recordedMinutes(until);
  const text = `${countText(missing, 'minute')} of job metrics were not recorded in this time range.`;
  return { buckets, durations, notices: missing > 0 ? [{ severity: 'warning', text }] : [] };
}

function unknownQueues(all: ReadonlyMap<string, ClassCounts>, known: ReadonlyArray<[string, ClassCounts]>): Notice[] {
  const sum = (counts: Iterable<ClassCounts>) => [...counts].reduce((total, { processed }) => total + processed, 0);
  const total = sum(all.values());
  const left = total - sum(known.map(([, counts]) => counts));
  return left === 0
    ? []
    : [
        {
          severity: 'warning',
          text: `${shareText(left / total)} of the executions are left out: the queue of their classes was not seen.`,
        },
      ];
}

async function durationModels(
  classes: ReadonlyArray<[string, ClassCounts]>,
  { buckets, durations: known }: { buckets: readonly MinuteCounts[]; durations?: readonly Durations[] },
  { state, to }: { state: State; to: number },
  reads: Reads
): Promise<{ of(name: string): DurationModel; notices: readonly Notice[] }> {
  const names = heaviest(classes, CLASSES_WITH_HISTOGRAM);
  const { durations, notices } = known
    ? { durations: known, notices: [] }
    : await reads.durations(names, buckets.slice(-HISTOGRAM_MINUTES), state.now);
  const counts = new Map(
    [...groupBy(durations, ({ jobClass }) => jobClass)].map(([name, all]) => [
      name,
      sumDurations(all.map((each) => each.counts)),
    ])
  );
  const models = new Map<string, DurationModel>();
  let assumed = 0;
  const failing: string[] = [];
  const ofAll = meanOf(classes);
  for (const [name, { processed, failed, milliseconds }] of classes) {
    const succeeded = processed - failed;
    if (succeeded <= 0) {
      // Sidekiq keeps no time of executions that fail.
      const seen = secondsSeen(state, (work) => work.metricsClass === name, to);
      models.set(name, assumedDurations(seen ?? (ofAll || 1)));
      const basis = ofAll === 0 ? 'a second' : 'those of all classes';
      failing.push(`${name} (${seen === null ? basis : 'twice those of its jobs that run'})`);
      continue;
    }
    const mean = milliseconds / 1000 / succeeded;
    const measured = durationsOf(counts.get(name) ?? [], mean);
    assumed += Number(measured === null);
    models.set(name, measured ?? assumedDurations(mean));
  }
  const told: Notice[] =
    assumed === 0
      ? []
      : [
          {
            severity: 'info',
            text: `Of ${countText(assumed, 'class', 'classes')} no histogram is known: run times are lognormal around their mean.`,
          },
        ];
  if (failing.length > 0) {
    const text = `No execution succeeded of ${namesText(failing, CLASSES_TOLD)}: run times are assumed.`;
    told.push({ severity: 'warning', text });
  }
  return { of: (name) => models.get(name)!, notices: [...notices, ...told] };
}

/** Executions of each of some classes by minute of the range. */
function executedByMinute(names: readonly string[], buckets: readonly MinuteCounts[], { from, to }: Range): number[][] {
  const minutes = (to - from) / MINUTE;
  const executed = names.map(() => new Array<number>(minutes).fill(0));
  for (const { startsAt, classes } of buckets) {
    const minute = Math.floor((startsAt - from) / MINUTE);
    if (minute >= 0 && minute < minutes) {
      names.forEach((name, place) => (executed[place]![minute] = classes.get(name)?.processed ?? 0));
    }
  }
  return executed;
}

/**
 * The work of the hours ahead as it is usual: pushes by queue, of the classes and run times of what is fitted. `null` where
 * too little is known of what is usual.
 */
export function fitUsual({ usual, queues, now }: State, fitted: Fitted, hours: number): Fitted | null {
  if (usual === null) {
    return null;
  }
  const slotsOfHour = 3600 / SLOT_SECONDS;
  const intoHour = now % 3600;
  const slots = hours * slotsOfHour;
  const ahead = new Map(usual.ahead.map(({ queue, inRates }) => [queue, inRates]));
  const classes = [...groupBy(fitted.demand.classes, ({ queue }) => queue)].flatMap(([queue, members]) => {
    // Of a queue of which it is not known what is usual: as it came.
    const sums = members.map(jobsOfClass);
    const total = sum(sums);
    const inRates = ahead.get(queue) ?? [total / (fitted.demand.slots * fitted.demand.slotSeconds)];
    return members.map((member, place) => ({
      ...member,
      arrivals: Array.from({ length: slots }, (_, slot) => {
        const hour = Math.floor((intoHour + slot * SLOT_SECONDS) / 3600);
        return total === 0 ? 0 : ((inRates[hour] ?? inRates.at(-1) ?? 0) * SLOT_SECONDS * sums[place]!) / total;
      }),
    }));
  });
  const backlog = new Map(
    // What runs in quiet processes takes no thread of the others.
    queues.flatMap(({ name, size, waitSeconds, readyBusy }): Array<[string, Backlog]> =>
      size || readyBusy
        ? [[name, { jobs: size ?? 0, running: readyBusy ?? 0, ages: [Math.max(0, waitSeconds ?? 0), 0] }]]
        : []
    )
  );
  return {
    demand: { classes, slotSeconds: SLOT_SECONDS, slots, backlog },
    range: { from: now, to: now + hours * 3600 },
    notices: [
      ...fitted.notices,
      { severity: 'info', text: 'Work as it is usual in the hours ahead, from the backlog of now.' },
    ],
  };
}
