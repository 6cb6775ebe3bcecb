import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { holdOut, noOutcome, type HeldOutSeries } from './heldOut';

/** A clone of numenta/NAB (the Numenta Anomaly Benchmark, AGPL), which is not part of this project. */
const FOLDER = process.env['PUBLIC_SERIES'];
/** Of its series those that count events over weeks, with the seconds between their values. */
const SERIES: ReadonlyArray<readonly [file: string, name: string, seconds: number]> = [
  ['realKnownCause/nyc_taxi.csv', 'taxi passengers of New York', 1800],
  ...['AAPL', 'AMZN', 'CRM', 'CVS', 'FB', 'GOOG', 'IBM', 'KO', 'PFE', 'UPS'].map(
    (name) => [`realTweets/Twitter_volume_${name}.csv`, `tweets about ${name}`, 300] as const
  ),
];
const HOUR = 3600;
const DAY = 24 * HOUR;
const LEARNT_DAYS = 21;

interface PublicSeries extends HeldOutSeries {
  /** Labelled anomalies (epoch seconds). */
  windows: ReadonlyArray<{ from: number; to: number }>;
}

/**
 * Accuracy of the usual band on series that others have published and labelled. Each day after the third week is held out,
 * and the model is fitted on the six weeks before it at most; nothing here passes or fails.
 */
export async function benchPublicSeries(): Promise<string[]> {
  const lines = [
    '## What is usual, on public series',
    '',
    'The series of the Numenta Anomaly Benchmark that count events over weeks, at their own pace and by the hour. Each day after the third week is held out, the model is fitted on the weeks before it (six at most), and the labelled windows are left out of all figures but the last. Scaled error: mean absolute error over that of the same time of last week, where neither is labelled. An alarm is a value that lies outside the band by at least its width, in steps of five minutes by one and a half of it or after a sudden change; of the labelled windows those are seen in which there is one.',
    '',
  ];
  if (FOLDER === undefined) {
    return [...lines, 'Not run: PUBLIC_SERIES names no folder with a clone of it.'];
  }
  lines.push(
    '| series | slots | days | within the 95% band | scaled error | alarms a week | windows seen |',
    '| -- | -- | -- | -- | -- | -- | -- |'
  );
  for (const coarse of [false, true]) {
    for (const [file, name, seconds] of SERIES) {
      const series = readSeries(FOLDER, file, seconds, coarse ? HOUR : seconds);
      lines.push(`| ${name} | ${series.seconds / 60} min | ${await heldOut(series)} |`);
    }
  }
  return lines;
}

async function heldOut(series: PublicSeries): Promise<string> {
  const { startsAt, seconds, values, windows } = series;
  const sum = noOutcome();
  const seen = new Set<number>();
  for (let day = LEARNT_DAYS; (day + 1) * (DAY / seconds) <= values.length; day += 1) {
    await holdOut(series, day, sum, (index) => seen.add(windowOf(windows, startsAt + index * seconds, seconds)));
  }
  const labelled = windows.filter(({ to }) => to >= startsAt + LEARNT_DAYS * DAY).length;
  return [
    sum.seriesDays,
    `${((100 * sum.inside) / sum.slots).toFixed(1)}%`,
    (sum.errors / sum.errorsOfLastWeek).toFixed(2),
    ((7 * sum.alarms) / sum.seriesDays).toFixed(1),
    `${seen.size} of ${labelled}`,
  ].join(' | ');
}

/** The labelled window that a slot touches; −1 for none. */
function windowOf(windows: PublicSeries['windows'], at: number, seconds: number): number {
  return windows.findIndex(({ from, to }) => at + seconds > from && at <= to);
}

/** Times of the files name no zone. */
function instantOf(text: string): number {
  return Date.parse(`${text.slice(0, 19).replace(' ', 'T')}Z`) / 1000;
}

function readSeries(folder: string, file: string, seconds: number, wanted: number): PublicSeries {
  const points = readFileSync(join(folder, 'data', file), 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line): [number, number] => {
      const [at = '', count = ''] = line.split(',');
      return [instantOf(at), Number(count) / seconds];
    });
  const startsAt = Math.ceil(points[0]![0] / DAY) * DAY;
  const sums = new Map<number, { sum: number; count: number }>();
  for (const [at, value] of points) {
    const slot = Math.floor((at - startsAt) / wanted);
    const known = sums.get(slot) ?? { sum: 0, count: 0 };
    sums.set(slot, { sum: known.sum + value, count: known.count + 1 });
  }
  const length = Math.max(...sums.keys()) + 1;
  const values = Float64Array.from({ length }, (_, slot) => {
    const known = sums.get(slot);
    return known ? known.sum / known.count : NaN;
  });
  const all = z
    .record(z.string(), z.array(z.tuple([z.string(), z.string()])))
    .parse(JSON.parse(readFileSync(join(folder, 'labels/combined_windows.json'), 'utf8')));
  const windows = (all[file] ?? []).map(([from, to]) => ({ from: instantOf(from), to: instantOf(to) }));
  const odd = Uint8Array.from(values, (_, slot) => Number(windowOf(windows, startsAt + slot * wanted, wanted) >= 0));
  return { startsAt, seconds: wanted, values, odd, scale: 1, windows };
}
