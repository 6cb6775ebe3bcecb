import type { Field, Frame } from '../frames/frame';
import {
  addCounts,
  HISTOGRAM_BOUNDS_MS,
  knownSeconds,
  noCounts,
  noExecutions,
  sumCounts,
  type Bucket,
  type TimedCounts,
  type Durations,
} from '../sidekiq/jobMetrics';
import type { Notice } from '../sidekiq/model';
import { Turns } from '../turns';
import type { Executions } from './jobMetricsOrigin';
import type { Column } from './table';

/** Figures of a class, queue or worker type over a span of time; the names that do not belong to it are empty. */
export interface ClassRow extends TimedCounts {
  class: string;
  queue: string;
  workerType: string;
  /** Executions of the buckets that have ended, and the time of those: what a rate is made of. */
  ended: { processed: number; milliseconds: number; seconds: number };
  /** Of one thread for an hour; 0 where none is set. */
  threadHourPrice: number;
  /** Executions per duration bucket, see HISTOGRAM_BOUNDS_MS. */
  durations: number[];
}

/** What was read, with the classes that are asked for, the first one first. */
export interface Ranked extends Executions {
  ranked: Array<[string, TimedCounts]>;
  threadHourPrice: number;
}

/** The figure of {@link seriesFrames}. */
export interface AskedSeries {
  column: Column<ClassRow>;
  /** The figure is a quantile. */
  needsDurations: boolean;
  /** What a series is: the name of its label. */
  label: 'class' | 'queue' | 'workerType';
  intervalSeconds: number;
}

/** One figure over time, a frame for each class, queue or worker type. */
export async function seriesFrames(
  { ranked, buckets, resolution, notices, now, threadHourPrice, durationsOf }: Ranked,
  { column, needsDurations, label, intervalSeconds }: AskedSeries,
  stateNotices: readonly Notice[]
): Promise<Frame[]> {
  const adds = SUMS.has(column.name);
  const grouped = group(ended(buckets, resolution, now), stepOf(resolution, intervalSeconds));
  const last = grouped.at(-1);
  // A rule takes the last value: a sum of a step that has not ended is left out.
  const groups = adds && last && knownSeconds(last.members, resolution) < last.seconds ? grouped.slice(0, -1) : grouped;
  const sums = groups.map(({ members }) => sumCounts(members));
  const read = needsDurations ? await durationsOf(ranked.map(([name]) => name)) : { durations: [], notices: [] };
  const durationsOfGroup = await durationsByGroup(read.durations, groups, ({ jobClass }) => jobClass);
  const told = [...stateNotices, ...notices, ...read.notices];
  const frames = ranked.map(([jobClass]): Frame => {
    const values = groups.map(({ startsAt, seconds, members }, index) => {
      const counts = sums[index]!.get(jobClass) ?? noExecutions();
      const lasted = knownSeconds(members, resolution);
      // A sum of less time than its neighbours would look like a fall; a rate or a mean does not.
      if (adds && lasted < seconds) {
        return null;
      }
      return column.value({
        ...{ class: '', queue: '', workerType: '', [label]: jobClass },
        ...counts,
        ended: { processed: counts.processed, milliseconds: counts.milliseconds, seconds: lasted },
        threadHourPrice,
        durations: durationsOfGroup(startsAt, jobClass),
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
          labels: { [label]: jobClass },
          config: {
            displayNameFromDS: jobClass || 'unknown queue',
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
  { ranked, buckets, resolution, notices, now, durationsOf }: Ranked,
  intervalSeconds: number,
  stateNotices: readonly Notice[]
): Promise<Frame> {
  const { durations, notices: told } = await durationsOf(ranked.map(([jobClass]) => jobClass));
  const all = group(ended(buckets, resolution, now), stepOf(resolution, intervalSeconds));
  const durationsOfGroup = await durationsByGroup(durations, all, () => '');
  const counted = all.map(({ startsAt }) => durationsOfGroup(startsAt, ''));
  // Grafana draws a scale from infinity to infinity where nothing ran.
  const isEmpty = counted.every((counts) => counts.every((count) => count === 0));
  const [groups, summed] = isEmpty ? [[], []] : [all, counted];
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
  const toTell = [...stateNotices, ...notices, ...told];
  return {
    name: 'job_metrics',
    fields: [timeField(groups.map(({ startsAt }) => startsAt)), ...rows],
    meta: {
      type: 'heatmap-rows',
      typeVersion: [0, 1],
      preferredVisualisationPluginId: 'heatmap',
      ...(toTell.length > 0 && { notices: toTell }),
    },
  };
}

/** Figures that grow with the time they are taken over. */
const SUMS: ReadonlySet<string> = new Set(['executions', 'failures', 'totalTime']);

/**
 * Buckets that have ended. Processes add to the present one every ten seconds, each at its own, so that it says little
 * before its end.
 */
export function ended<B extends Pick<Bucket, 'startsAt'>>(buckets: readonly B[], resolution: number, now: number): B[] {
  return buckets.filter(({ startsAt }) => startsAt + resolution <= now);
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

/** Sums durations once for all groups; those of buckets that are in none are left out. */
async function durationsByGroup(
  durations: readonly Durations[],
  groups: readonly Group[],
  seriesOf: (each: Durations) => string
): Promise<(startsAt: number, series: string) => number[]> {
  const groupOf = new Map(groups.flatMap(({ startsAt, members }) => members.map((each) => [each.startsAt, startsAt])));
  const sums = new Map<string, number[]>();
  const turns = new Turns();
  for (const each of durations) {
    const startsAt = groupOf.get(each.startsAt);
    if (startsAt !== undefined) {
      const key = `${startsAt}\0${seriesOf(each)}`;
      sums.set(key, addCounts(sums.get(key) ?? noCounts(), each.counts));
      await turns.give();
    }
  }
  return (startsAt, series) => sums.get(`${startsAt}\0${series}`) ?? noCounts();
}

function timeField(starts: readonly number[]): Field {
  return { name: 'time', kind: 'time', values: starts.map((at) => at * 1000), config: { displayName: 'Time' } };
}
