import { weightOfClass, type ClassTotalsView } from '../observe/classTotals';
import { CLASS_SECONDS, figureNamed, keptAs, type HistoryFigure } from '../series/figures';
import { readLatest } from '../series/readOnGrid';
import type { FigureReads } from '../series/store';
import type { Queue } from '../sidekiq/model';
import { Turns } from '../turns';
import { regularity, type Regularity } from './missing';
import { deviationOf, type Basis } from './usual';
import type { Band } from './usualModel';
import { learnRest, missingQueue, type QueueRest } from './sightings';
import { isSudden, SLOTS_BEFORE, type Changes } from './sudden';
import { leastWidthOf, newUsualFor, slotsFor, type Rhythm } from './usualFigures';
import type { MissingClass, MissingQueue, UsualAhead, UsualFigure, UsualView } from './usualView';

/** Figures of a scope, as means over some time. */
interface Look {
  scope: UsualFigure['scope'];
  figures: readonly string[];
  seconds: number;
  /** Only sudden changes are told, of the first so many series. */
  suddenOf?: number;
}

/** What is looked at. Of a figure that is looked at twice the first look that tells something counts. */
const LOOKED_AT: readonly Look[] = [
  {
    scope: 'total',
    figures: ['enqueued', 'latency', 'busy', 'processedRate', 'failedRate', 'retry', 'deadLastHour'],
    seconds: 300,
  },
  { scope: 'queue', figures: ['enqueued', 'latency'], seconds: 300 },
  { scope: 'workerType', figures: ['enqueued', 'latency'], seconds: 300 },
  // Classes are many, and each runs less often: an hour tells how often.
  { scope: 'class', figures: ['processedRate', 'failedRate'], seconds: CLASS_SECONDS, suddenOf: 50 },
  { scope: 'class', figures: ['processedRate', 'failedRate', 'runTime'], seconds: 3600 },
];
/** Series of a scope that are looked at: of the longest queues, and of the classes that ran most. */
const SERIES_LOOKED_AT = 500;
const HOUR = 3600;
const AHEAD_HOURS = 6;
const DIGITS = 4;

/** Scopes of which what is usual is shown; of others only what is not. */
const SHOWN: ReadonlySet<UsualFigure['scope']> = new Set(['total', 'queue']);

/** Of a state: which queues, worker types and classes there are. */
interface Looked {
  now: number;
  classTotals: ClassTotalsView;
  queues: ReadonlyArray<Pick<Queue, 'name' | 'size'> & { busy: number | null; workerType: string }>;
}

/** What is known of a series for an hour: its bands from a slot before until a slot after. */
interface Known {
  basis: Basis;
  from: number;
  bands: Array<Band | null>;
  /** Of a class. */
  regularity: Regularity | null;
  /** Of a rate over some minutes. */
  changes: Changes | null;
}

/** By history: what was learnt in this hour. The models themselves are too large to keep. */
const hours = new WeakMap<FigureReads, Hour>();

interface Hour {
  until: number;
  timeZone: string;
  known: Map<string, Known>;
  ahead: Map<string, number[]>;
  rests: Map<string, QueueRest | null>;
  /** The keys that are looked at, by scope and figure. */
  ranked: Map<string, readonly string[]>;
}

/**
 * Compares the last minutes with what is usual. Learns what it needs once an hour, in turns.
 *
 * @returns `null` while there are less than two days of history
 */
export async function lookUsual(
  reads: FigureReads,
  { now, classTotals, queues }: Looked,
  rhythm: Rhythm
): Promise<UsualView | null> {
  const until = Math.floor(now / HOUR) * HOUR;
  let hour = hours.get(reads);
  const { timeZone } = rhythm;
  if (hour?.until !== until || hour.timeZone !== timeZone) {
    hour = { until, timeZone, known: new Map(), ahead: new Map(), rests: new Map(), ranked: new Map() };
    hours.set(reads, hour);
  }
  const turns = new Turns();
  const jobs = new Map(queues.map(({ name, size, busy }) => [name, (size ?? 0) + (busy ?? 0)]));
  const ofTypes = new Map<string, number>();
  for (const { name, workerType } of queues) {
    ofTypes.set(workerType, (ofTypes.get(workerType) ?? 0) + jobs.get(name)!);
  }
  // Keys of queues and classes that are gone stay in the history. For an hour the same ones are looked at.
  const chosenBefore = hour.ranked;
  const ranked = (scope: UsualFigure['scope'], figure: string): readonly string[] => {
    const weightOf = {
      total: () => 0,
      queue: (key: string) => jobs.get(key),
      workerType: (key: string) => ofTypes.get(key),
      class(key: string) {
        const total = classTotals.get(key);
        return total ? weightOfClass(total, now) : 0;
      },
    };
    const name = `${scope} ${figure}`;
    const chosen =
      chosenBefore.get(name) ?? byWeight(reads.keys(scope, figure), weightOf[scope]).slice(0, SERIES_LOOKED_AT);
    chosenBefore.set(name, chosen);
    return chosen;
  };
  const figures: UsualFigure[] = [];
  const missing: MissingClass[] = [];
  let basis: Basis = null;
  const told = new Set<string>();
  for (const { scope, figures: names, seconds, suddenOf } of LOOKED_AT) {
    for (const figure of names.map(figureNamed)) {
      for (const key of ranked(scope, keptAs(figure)).slice(0, suddenOf)) {
        const series = JSON.stringify([scope, figure.name, key]);
        const name = `${series} ${seconds}`;
        const known =
          hour.known.get(name) ?? (await learn(reads, { scope, figure, key }, seconds, until, rhythm, turns));
        hour.known.set(name, known);
        basis = known.basis ?? basis;
        const compared = known.basis && compare(reads, { scope, figure, key }, known, seconds, now, rhythm);
        const tells =
          suddenOf === undefined ? SHOWN.has(scope) || compared?.deviation !== 0 : compared?.sudden === true;
        if (compared && tells && !told.has(series)) {
          told.add(series);
          figures.push(compared);
        }
        const gone = classTotals.get(key)?.lastRunAt;
        if (gone && known.regularity) {
          const missed = known.regularity.missedSince(gone, now);
          missing.push(...(missed ? [{ class: key, lastRunAt: gone, ...missed }] : []));
        }
        await turns.give();
      }
    }
  }
  if (basis === null) {
    return null;
  }
  const resting = ranked('queue', 'enqueued').filter((name) => jobs.get(name) === 0);
  const missingQueues = await missingOf(reads, hour, resting, now, rhythm, turns);
  return { at: now, basis, figures, missing, missingQueues, ahead: await aheadOf(reads, hour, ranked, rhythm, turns) };
}

/** The keys that have a weight, the heaviest first. */
function byWeight(keys: readonly string[], weightOf: (key: string) => number | undefined): string[] {
  return keys
    .flatMap((key) => {
      const weight = weightOf(key);
      return weight === undefined ? [] : [{ key, weight }];
    })
    .sort((one, other) => other.weight - one.weight)
    .map(({ key }) => key);
}

interface Series {
  scope: UsualFigure['scope'];
  figure: HistoryFigure;
  key: string;
}

async function learn(
  reads: FigureReads,
  series: Series,
  seconds: number,
  until: number,
  rhythm: Rhythm,
  turns: Turns
): Promise<Known> {
  const usual = await newUsualFor(reads, series, seconds, until, rhythm, turns);
  const from = until - seconds;
  const length = HOUR / seconds + 2;
  const isRegular = series.scope === 'class' && series.figure.name === 'processedRate' && seconds === HOUR;
  return {
    basis: usual.basis,
    from,
    bands: Array.from({ length }, (_, index) => usual.at(from + index * seconds)),
    regularity:
      isRegular && usual.basis !== null
        ? regularity(usual, await slotsFor(reads, series, CLASS_SECONDS, until, rhythm))
        : null,
    changes: lastOf(await usual.changes(until + HOUR + seconds, turns), from),
  };
}

/** The slots that are looked at in the hour. The others are too many to keep. */
function lastOf(changes: Changes | null, from: number): Changes | null {
  if (!changes) {
    return null;
  }
  const { startsAt, seconds, low, high, spread, rare } = changes;
  const first = Math.max(0, Math.round((from - startsAt) / seconds) - SLOTS_BEFORE);
  const rest = (of: ArrayLike<number>) => Array.prototype.slice.call(of, first) as number[];
  return {
    startsAt: startsAt + first * seconds,
    seconds,
    low: rest(low),
    high: rest(high),
    spread: rest(spread),
    rare,
  };
}

function compare(
  reads: FigureReads,
  { scope, figure, key }: Series,
  { from, bands, changes }: Known,
  seconds: number,
  now: number,
  { sampleSeconds }: Rhythm
): UsualFigure | null {
  const valueAt = (back: number) =>
    readLatest(reads, { scope, figure, key }, now - back * seconds, seconds, sampleSeconds);
  const value = valueAt(0);
  // The middle of the time that the value is the mean of.
  const slotOf = (startsAt: number) => Math.floor((now - seconds / 2 - startsAt) / seconds);
  const slot = slotOf(from);
  const band = bands[slot];
  if (value === null || !band) {
    return null;
  }
  const near = [bands[slot - 1], band, bands[slot + 1]].flatMap((each) => each ?? []);
  return {
    scope,
    key,
    figure: figure.name,
    value: rounded(value),
    usual: rounded(band.usual),
    lower: rounded(band.lower),
    upper: rounded(band.upper),
    deviation: rounded(deviationOf(near, value, leastWidthOf(figure, seconds)) ?? 0),
    sudden: changes && isSudden(changes, valueAt, slotOf(changes.startsAt)),
  };
}

/** Of the queues without a job those whose usual work has not come. */
async function missingOf(
  reads: FigureReads,
  { until, rests }: Pick<Hour, 'until' | 'rests'>,
  queues: readonly string[],
  now: number,
  rhythm: Rhythm,
  turns: Turns
): Promise<MissingQueue[]> {
  const found: MissingQueue[] = [];
  for (const queue of queues) {
    if (!rests.has(queue)) {
      rests.set(queue, await learnRest(reads, queue, until, rhythm, turns));
    }
    const rest = rests.get(queue);
    const missing = rest && (await missingQueue(reads, queue, rest, until, now, rhythm));
    found.push(...(missing ? [missing] : []));
    await turns.give();
  }
  return found;
}

async function aheadOf(
  reads: FigureReads,
  { until, ahead }: { until: number; ahead: Map<string, number[]> },
  ranked: (scope: UsualFigure['scope'], figure: string) => readonly string[],
  rhythm: Rhythm,
  turns: Turns
): Promise<UsualAhead[]> {
  const figure = figureNamed('inRate');
  const queues = ranked('queue', figure.name);
  for (const key of queues) {
    if (!ahead.has(key)) {
      const usual = await newUsualFor(reads, { scope: 'queue', figure, key }, HOUR, until, rhythm, turns);
      const rates = Array.from({ length: AHEAD_HOURS }, (_, index) => usual.at(until + index * HOUR)?.usual);
      ahead.set(key, rates.every((rate) => rate !== undefined) ? rates.map(rounded) : []);
    }
  }
  return queues.flatMap((queue) => {
    const inRates = ahead.get(queue) ?? [];
    return inRates.length === 0 ? [] : [{ queue, inRates }];
  });
}

function rounded(value: number): number {
  return Number(value.toPrecision(DIGITS));
}
