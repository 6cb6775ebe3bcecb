import { countersOf, figureNamed, type HistoryFigure } from '../series/figures';
import { gridOf } from '../series/grid';
import { gapSecondsOf, readOnGrid } from '../series/readOnGrid';
import type { FigureReads } from '../series/store';
import { anyZone, UTC } from '../sidekiq/schedule/zone';
import type { Turns } from '../turns';
import { regularity, type Regularity } from './missing';
import { Usual } from './usual';
import { lookedBackTo, slotSecondsFor, type Rhythm } from './usualFigures';
import type { Slots } from './slots';
import type { MissingQueue } from './usualView';

/** Jobs of a queue are seen in intervals of five minutes, of more where samples are further apart. */
const INTERVAL_SECONDS = 300;
const HOUR = 3600;
/** An hour of which less was watched tells nothing. */
const LEAST_WATCHED = 0.5;
/** Fewer than half a job begun in an interval: a count is spread evenly between two samples. */
const BEGUN_IN_INTERVAL = 0.5;

const ENQUEUED = figureNamed('enqueued');
const BUSY = figureNamed('busy');
const BEGUN = begun(figureNamed('wait'));

/** How a queue rests, and what was seen of it until a full hour. */
export interface QueueRest {
  readonly seconds: number;
  readonly regularity: Regularity;
  /** Epoch seconds; {@link MissingQueue.lastSeenAt}. */
  readonly lastSeenAt: number;
  /** Since when it was watched without a gap, until that hour. */
  readonly watchedFrom: number;
}

/**
 * Learns how long a queue usually goes without a job. It counts the intervals in which one was seen, waiting or running: a
 * queue has no counter, and of jobs that come and go between two readings there is no trace.
 *
 * @param until epoch seconds, a full hour
 * @returns `null` where too little is known, or no job was ever seen
 */
export async function learnRest(
  reads: FigureReads,
  queue: string,
  until: number,
  rhythm: Rhythm,
  turns: Turns
): Promise<QueueRest | null> {
  const seconds = slotSecondsFor(INTERVAL_SECONDS, rhythm);
  if (seconds === null) {
    return null;
  }
  const slots = await sightings(reads, queue, { from: lookedBackTo(reads, until, HOUR), to: until, seconds }, rhythm);
  const seen = lastSeen(slots, -Infinity);
  const usual = await Usual.of(byHours(slots), anyZone(rhythm.timeZone) ?? UTC, true, turns);
  return usual.basis === null || seen.lastSeenAt === -Infinity
    ? null
    : { seconds, regularity: regularity(usual, slots, usualStretch(slots)), ...seen };
}

/** The queue if its usual work has not come. It has no job now. @param now epoch seconds */
export async function missingQueue(
  reads: FigureReads,
  queue: string,
  rest: QueueRest,
  until: number,
  now: number,
  rhythm: Rhythm
): Promise<MissingQueue | null> {
  const { seconds } = rest;
  const to = Math.floor(now / seconds) * seconds;
  const since = to > until ? await sightings(reads, queue, { from: until, to, seconds }, rhythm) : null;
  const { lastSeenAt, watchedFrom } = since ? lastSeen(since, rest.lastSeenAt, rest.watchedFrom) : rest;
  // What came while nobody watched is not known.
  const missed = rest.regularity.missedSince(Math.max(lastSeenAt, watchedFrom), now);
  return missed && { queue, lastSeenAt, ...missed };
}

function lastSeen(
  { startsAt, seconds, values }: Slots,
  lastSeenAt: number,
  watchedFrom = startsAt
): Pick<QueueRest, 'lastSeenAt' | 'watchedFrom'> {
  for (let index = 0; index < values.length; index += 1) {
    const endsAt = startsAt + (index + 1) * seconds;
    if (Number.isNaN(values[index]!)) {
      watchedFrom = endsAt;
    } else if (values[index]! > 0) {
      lastSeenAt = endsAt;
    }
  }
  return { lastSeenAt, watchedFrom };
}

/** In how many intervals one run of jobs is usually seen; of a queue that is never empty for long, an hour of them. */
function usualStretch({ seconds, values }: Slots): number {
  const stretches: number[] = [];
  let stretch = 0;
  for (const value of Array.from(values)) {
    if (value > 0) {
      stretch += 1;
    } else if (stretch > 0) {
      stretches.push(stretch);
      stretch = 0;
    }
  }
  const most = HOUR / seconds;
  stretches.push(...(stretch > 0 ? [stretch] : []));
  stretches.sort((a, b) => a - b);
  return Math.min(most, stretches[Math.floor(stretches.length / 2)] ?? 1);
}

/** By interval one sighting per its seconds, 0 where there was no job, NaN where that is not known. */
async function sightings(
  reads: FigureReads,
  queue: string,
  { from, to, seconds }: { from: number; to: number; seconds: number },
  { sampleSeconds }: Rhythm
): Promise<Slots> {
  const grid = gridOf(from, to - seconds, seconds);
  const sampled = { from, to, gapSeconds: gapSecondsOf(to - from, sampleSeconds), sampleSeconds };
  const read = async (figure: HistoryFigure) => {
    const [series] = await readOnGrid(
      reads,
      { scope: 'queue', figure, key: queue },
      sampled,
      { grid, interval: seconds },
      figure.counter ? 'mean' : 'max'
    );
    return series?.values ?? [];
  };
  const [enqueued, busy, jobs] = [await read(ENQUEUED), await read(BUSY), await read(BEGUN)];
  const isSeen = (index: number) => (enqueued[index] ?? 0) > 0 || (busy[index] ?? 0) > 0;
  const values = Float64Array.from(grid, (_, index) => {
    // Which of two intervals a job began in, their counts do not say.
    const hasBegun = (jobs[index] ?? 0) * seconds > BEGUN_IN_INTERVAL && !isSeen(index - 1) && !isSeen(index + 1);
    if (isSeen(index) || hasBegun) {
      return 1 / seconds;
    }
    return (enqueued[index] ?? null) === null || (busy[index] ?? null) === null ? NaN : 0;
  });
  return { startsAt: grid[0] ?? to, seconds, values };
}

function byHours({ startsAt, seconds, values }: Slots): Slots {
  const perHour = HOUR / seconds;
  const hours = Float64Array.from({ length: Math.floor(values.length / perHour) }, (_, hour) => {
    let sum = 0;
    let watched = 0;
    for (let index = hour * perHour; index < (hour + 1) * perHour; index += 1) {
      const value = values[index]!;
      sum += Number.isNaN(value) ? 0 : value;
      watched += Number.isNaN(value) ? 0 : 1;
    }
    return watched < LEAST_WATCHED * perHour ? NaN : sum / watched;
  });
  return { startsAt, seconds: HOUR, values: hours };
}

/** Jobs that were seen to begin, as a counter. */
function begun(wait: HistoryFigure): HistoryFigure {
  return countersOf(wait, wait.quotient!)[1]!;
}
