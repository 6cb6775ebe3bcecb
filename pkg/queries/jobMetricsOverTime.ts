import type { Field, Frame } from '../frames/frame';
import { HISTOGRAM_BOUNDS_MS, sumCounts, sumDurations, type Bucket, type ClassCounts } from '../sidekiq/jobMetrics';
import type { Histogram } from '../sidekiq/jobMetricsReader';
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
  { ranked, buckets, resolution, notices, now, histogramsOf }: Ranked,
  column: Column<ClassRow>,
  needsDurations: boolean,
  intervalSeconds: number
): Promise<Frame[]> {
  const groups = group(buckets, stepOf(resolution, intervalSeconds));
  const frames = await Promise.all(
    ranked.map(async ([jobClass]): Promise<Frame> => {
      const histograms = needsDurations ? await histogramsOf(jobClass) : [];
      const values = groups.map(({ startsAt, seconds, members }) => {
        const counts = sumCounts(members).get(jobClass) ?? { processed: 0, failed: 0, milliseconds: 0 };
        const durations = within(histograms, startsAt, seconds);
        // The bucket that is still filling counts for the time it has lasted.
        const lasted = Math.max(1, Math.min(seconds, now - startsAt));
        return column.value({ class: jobClass, ...counts, seconds: lasted, durations });
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
          ...(notices.length > 0 && { notices }),
        },
      };
    })
  );
  return frames.length > 0
    ? frames
    : [{ name: 'job_metrics', fields: [], meta: { type: 'timeseries-multi', typeVersion: [0, 1], notices } }];
}

/** Durations of all ranked classes over time, a row for each of Sidekiq's buckets. */
export async function heatmapFrame(
  { ranked, buckets, resolution, notices, histogramsOf }: Ranked,
  intervalSeconds: number
): Promise<Frame> {
  const read = await Promise.all(ranked.map(([jobClass]) => histogramsOf(jobClass)));
  const histograms = read.flat();
  const groups = group(buckets, stepOf(resolution, intervalSeconds));
  const summed = groups.map(({ startsAt, seconds }) => within(histograms, startsAt, seconds));
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
  return {
    name: 'job_metrics',
    fields: [timeField(groups.map(({ startsAt }) => startsAt)), ...rows],
    meta: { type: 'heatmap-rows', typeVersion: [0, 1], ...(notices.length > 0 && { notices }) },
  };
}

/** Whole buckets that come next to the asked interval (seconds). */
function stepOf(resolution: number, intervalSeconds: number): number {
  return Math.max(resolution, Math.ceil(intervalSeconds / resolution) * resolution);
}

interface Group {
  startsAt: number;
  seconds: number;
  members: Bucket[];
}

function group(buckets: Bucket[], seconds: number): Group[] {
  const groups = new Map<number, Group>();
  for (const bucket of buckets) {
    const startsAt = Math.floor(bucket.startsAt / seconds) * seconds;
    const found = groups.get(startsAt) ?? { startsAt, seconds, members: [] };
    found.members.push(bucket);
    groups.set(startsAt, found);
  }
  return [...groups.values()];
}

function within(histograms: readonly Histogram[], startsAt: number, seconds: number): number[] {
  return sumDurations(
    histograms
      .filter((histogram) => histogram.startsAt >= startsAt && histogram.startsAt < startsAt + seconds)
      .map(({ counts }) => counts)
  );
}

function timeField(starts: readonly number[]): Field {
  return { name: 'time', kind: 'time', values: starts.map((at) => at * 1000), config: { displayName: 'Time' } };
}
