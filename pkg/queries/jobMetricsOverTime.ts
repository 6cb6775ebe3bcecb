import type { Field, Frame } from '../frames/frame';
import {
  HISTOGRAM_BOUNDS_MS,
  noExecutions,
  sumCounts,
  sumDurations,
  type Bucket,
  type ClassCounts,
  type Durations,
} from '../sidekiq/jobMetrics';
import { groupBy } from '../sidekiq/groupBy';
import type { Notice } from '../sidekiq/model';
import type { Executions } from './jobMetricsOrigin';
import type { Column } from './table';

/** Figures of a class over a span of time. */
export interface ClassRow extends ClassCounts {
  class: string;
  seconds: number;
  /** Executions per duration bucket, see HISTOGRAM_BOUNDS_MS. */
  durations: number[];
}

/** What was read, with the classes that are asked for, the first one first. */
export interface Ranked extends Executions {
  ranked: Array<[string, ClassCounts]>;
}

/**
 * One figure over time, a frame for each class.
 *
 * @param needsDurations the figure is a quantile
 */
export async function seriesFrames(
  { ranked, buckets, resolution, notices, now, durationsOf }: Ranked,
  column: Column<ClassRow>,
  needsDurations: boolean,
  intervalSeconds: number,
  stateNotices: readonly Notice[]
): Promise<Frame[]> {
  const groups = group(finished(buckets, resolution, now), stepOf(resolution, intervalSeconds));
  const sums = groups.map(({ members }) => sumCounts(members));
  const adds = SUMS.has(column.name) && groups.length > 1;
  const read = needsDurations ? await durationsOf(ranked.map(([name]) => name)) : { durations: [], notices: [] };
  const byClass = groupBy(read.durations, ({ jobClass }) => jobClass);
  const told = [...stateNotices, ...notices, ...read.notices];
  const frames = ranked.map(([jobClass]): Frame => {
    const durations = byClass.get(jobClass) ?? [];
    const values = groups.map(({ startsAt, seconds, members }, index) => {
      const counts = sums[index]!.get(jobClass) ?? noExecutions();
      const lasted = Math.max(1, Math.min(members.length * resolution, now - members[0]!.startsAt));
      // A sum of less time than its neighbours would look like a fall; a rate or a mean does not.
      if (adds && lasted < seconds) {
        return null;
      }
      return column.value({
        class: jobClass,
        ...counts,
        seconds: lasted,
        durations: within(durations, startsAt, seconds),
      });
    });
    return {
      name: jobClass,
      fields: [
        timeField(groups.map(({ startsAt }) => startsAt)),
        {
          name: column.name,
          kind: 'number',
          values,
          labels: { class: jobClass },
          config: {
            displayNameFromDS: jobClass,
            ...(column.unit && { unit: column.unit }),
            description: column.description,
          },
        },
      ],
      meta: {
        type: 'timeseries-multi',
        typeVersion: [0, 1],
        preferredVisualisationType: 'graph',
        ...(told.length > 0 && { notices: told }),
      },
    };
  });
  return frames.length > 0
    ? frames
    : [{ name: 'job_metrics', fields: [], meta: { type: 'timeseries-multi', typeVersion: [0, 1], notices: told } }];
}

/** Durations of all ranked classes over time, a row for each of Sidekiq's buckets. */
export async function heatmapFrame(
  { ranked, buckets, resolution, notices, durationsOf }: Ranked,
  intervalSeconds: number,
  stateNotices: readonly Notice[]
): Promise<Frame> {
  const { durations, notices: told } = await durationsOf(ranked.map(([jobClass]) => jobClass));
  const groups = group(buckets, stepOf(resolution, intervalSeconds));
  const summed = groups.map(({ startsAt, seconds }) => within(durations, startsAt, seconds));
  const rows = HISTOGRAM_BOUNDS_MS.map((bound, index): Field => {
    const name = Number.isFinite(bound) ? String(bound / 1000) : '+Inf';
    return {
      name,
      kind: 'number',
      labels: { le: name },
      values: summed.map((counts) => counts[index]!),
      // Otherwise the axis says the name and the label.
      config: { unit: 'short', displayNameFromDS: name },
    };
  });
  const all = [...stateNotices, ...notices, ...told];
  return {
    name: 'job_metrics',
    fields: [timeField(groups.map(({ startsAt }) => startsAt)), ...rows],
    meta: { type: 'heatmap-rows', typeVersion: [0, 1], ...(all.length > 0 && { notices: all }) },
  };
}

/** Figures that grow with the time they are taken over. */
const SUMS: ReadonlySet<string> = new Set(['executions', 'failures', 'totalTime']);

/**
 * Buckets that have ended. Processes add to the present one every ten seconds, each at its own, so that it says little
 * before its end; where there is no other, it is better than nothing.
 */
function finished(buckets: readonly Bucket[], resolution: number, now: number): readonly Bucket[] {
  const ended = buckets.filter(({ startsAt }) => startsAt + resolution <= now);
  return ended.length > 0 ? ended : buckets;
}

/** Whole buckets that come next to the asked interval (seconds). */
function stepOf(resolution: number, intervalSeconds: number): number {
  return Math.max(1, Math.ceil(intervalSeconds / resolution)) * resolution;
}

interface Group {
  startsAt: number;
  seconds: number;
  members: Bucket[];
}

function group(buckets: readonly Bucket[], seconds: number): Group[] {
  const groups = new Map<number, Group>();
  for (const bucket of buckets) {
    const startsAt = Math.floor(bucket.startsAt / seconds) * seconds;
    const found = groups.get(startsAt) ?? { startsAt, seconds, members: [] };
    found.members.push(bucket);
    groups.set(startsAt, found);
  }
  return [...groups.values()];
}

function within(durations: readonly Durations[], startsAt: number, seconds: number): number[] {
  return sumDurations(
    durations
      .filter((each) => each.startsAt >= startsAt && each.startsAt < startsAt + seconds)
      .map(({ counts }) => counts)
  );
}

function timeField(starts: readonly number[]): Field {
  return { name: 'time', kind: 'time', values: starts.map((at) => at * 1000), config: { displayName: 'Time' } };
}
