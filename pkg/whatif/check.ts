import { median, quantileSorted } from 'simple-statistics';
import { countText, shareText } from '../findings/texts';
import type { FigureReads } from '../series/store';
import type { Notice } from '../sidekiq/model';
import type { Range } from '../source/reads';
import { threads, utilisation, type Runs } from './answer';
import { namesText } from '../sidekiq/namesText';

/** Share of a range that must have been watched to compare the model with it. */
const MOST_OF = 0.8;

/** Queues whose backlog the model misses are named, the worst first. */
const MISSED_NAMED = 3;
/** Backlogs that differ by less, or by less than so many times, are alike: chance decides. */
const MISSED_JOBS = 20;
const MISSED_TIMES = 2;
/** An older size is not that of the end. */
const LAST_SECONDS = 120;

/**
 * Whether a model agrees with what was measured in the time range that it was fitted by.
 *
 * @param lived the range as it was, without changes
 */
export function checkOf(range: Range, lived: Runs, history: FigureReads): Notice[] {
  return [
    ...threadsCheck(range, lived, history),
    ...busyCheck(range, lived, history),
    ...backlogCheck(range, lived, history),
  ];
}

/** Threads that were there for a moment of a deploy are not those of the range. */
const OFTEN = 0.05;
/** Threads that differ by less, of those of the model, are alike. */
const THREADS_ALIKE = 0.1;

/** The model has the threads of the end of the range: whether there were others within it. */
function threadsCheck(range: Range, lived: Runs, history: FigureReads): Notice[] {
  const [ready] = history.read('total', 'readyThreads', range.from, range.to, '');
  const counts = (ready?.values ?? []).filter((_, index) => ready!.at[index]! >= range.from).sort((a, b) => a - b);
  if (counts.length === 0) {
    return [];
  }
  const least = quantileSorted(counts, OFTEN);
  const most = quantileSorted(counts, 1 - OFTEN);
  const model = threads(lived, () => true);
  if (Math.max(most - model, model - least) <= THREADS_ALIKE * model) {
    return [];
  }
  const were =
    Math.round(least) === Math.round(most)
      ? countText(least, 'thread')
      : `${Math.round(least)} to ${Math.round(most)} threads`;
  return [
    {
      severity: 'warning',
      text: `In the time range ${were} took jobs; the model has the ${Math.round(model)} of its end. Choose a range in which they do not change.`,
    },
  ];
}

function busyCheck(range: Range, lived: Runs, history: FigureReads): Notice[] {
  const [busy] = history.read('total', 'busy', range.from, range.to, '');
  const model = utilisation(lived, () => true);
  // The point before the range comes along.
  const first = busy?.at.findIndex((at) => at >= range.from) ?? -1;
  const within = first < 0 ? [] : busy!.values.slice(first);
  const watched = first < 0 ? 0 : busy!.at.at(-1)! - busy!.at[first]!;
  // Of a part of the range the mean may be another.
  if (watched < MOST_OF * (range.to - range.from) || !model) {
    return [];
  }
  const all = threads(lived, () => true);
  const measured = within.reduce((sum, each) => sum + each, 0) / within.length / all;
  return [
    {
      severity: 'info',
      text: `As it is, the model keeps ${shareText(model.median)} of the threads busy; measured were ${shareText(measured)}.`,
    },
  ];
}

/** Queues in which far more or fewer jobs waited at the end than the model has there: the busy share of all hides them. */
function backlogCheck({ from, to }: Range, lived: Runs, history: FigureReads): Notice[] {
  const queues = new Set(lived.groups.flatMap(({ weights }) => [...weights.keys()]));
  const missed = [...queues].flatMap((queue) => {
    const [series] = history.read('queue', 'enqueued', Math.max(from, to - LAST_SECONDS), to, queue);
    // The point before comes along.
    const measured = series && series.at.at(-1)! >= to - LAST_SECONDS ? series.values.at(-1) : undefined;
    const ends = lived.outcomes.map(({ queues: all }) => all.get(queue)?.backlogEnd ?? 0);
    const [least, model, most] = [Math.min(...ends), median(ends), Math.max(...ends)];
    const isAlike =
      measured === undefined ||
      (measured <= Math.max(MISSED_TIMES * most, most + MISSED_JOBS) &&
        measured >= Math.min(least / MISSED_TIMES, least - MISSED_JOBS));
    return isAlike ? [] : [{ queue, model, measured, off: Math.abs(measured - model) }];
  });
  if (missed.length === 0) {
    return [];
  }
  const named = missed
    .sort((one, other) => other.off - one.off)
    .map(
      ({ queue, model, measured }) =>
        `${queue} (${countText(Math.round(model), 'job')}; measured were ${Math.round(measured)})`
    );
  return [
    {
      severity: 'warning',
      text: `As it is, the model does not end with the backlog that was measured in ${namesText(named, MISSED_NAMED)}: run times or arrivals changed within the time range. Choose a shorter one.`,
    },
  ];
}
