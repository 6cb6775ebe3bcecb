import { ValueType, type Attributes, type HrTime } from '@opentelemetry/api';
import {
  AggregationTemporality,
  DataPointType,
  type DataPoint,
  type Histogram,
  type MetricData,
} from '@opentelemetry/sdk-metrics';
import type { Family, HistogramSample, NumberSample, Sample } from '../metrics/metric';
import type { Labels } from '../statsd/labels';

/** UCUM units of metrics that name theirs. */
const UNITS: Readonly<Record<NonNullable<Family['unit']>, string>> = { seconds: 's', bytes: 'By', ratio: '1' };

/** Series that are remembered though they are missing. */
const SERIES_KEPT = 20_000;

/**
 * Families as OpenTelemetry's metrics: under their names at /metrics, with the labels as attributes. A counter is a
 * monotonic sum, a histogram has its buckets; both go on from when they were first seen, and begin anew where they fall.
 * Summaries are left out: each has a histogram beside it.
 *
 * Remembers one number for each series of a counter or a histogram, of {@link SERIES_KEPT} that are missing for a time.
 */
export class MetricDataOf {
  private begun = new Map<string, { value: number; at: number }>();

  /** @param now epoch milliseconds */
  metrics(families: readonly Family[], now: number): MetricData[] {
    const begun = new Map<string, { value: number; at: number }>();
    const startOf = (name: string, labels: Labels, value: number): number => {
      const key = `${name}\0${labels.flat().join('\0')}`;
      const before = this.begun.get(key);
      const at = before && value >= before.value ? before.at : now;
      begun.set(key, { value, at });
      return at;
    };
    const data = families.flatMap((family) => dataOf(family, now, startOf));
    // Those that could not be read for a time go on where they were; the ones that are missing longest come first.
    const missing = [...this.begun].filter(([key]) => !begun.has(key)).slice(-SERIES_KEPT);
    this.begun = new Map([...missing, ...begun]);
    return data;
  }
}

type StartOf = (name: string, labels: Labels, value: number) => number;

function dataOf(family: Family, now: number, startOf: StartOf): MetricData[] {
  const { name, type, help, unit, samples } = family;
  const shared = {
    descriptor: { name, description: help, unit: unit ? UNITS[unit] : '', valueType: ValueType.DOUBLE },
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
  };
  const point = <T>({ labels = [] }: Sample, value: T, start: number): DataPoint<T> => ({
    startTime: timeOf(start),
    endTime: timeOf(now),
    attributes: attributesOf(labels),
    value,
  });
  switch (type) {
    case 'summary':
      return [];
    case 'histogram': {
      const dataPoints = samples.filter(isHistogram).map((sample) => {
        const value = histogramOf(sample);
        return point(sample, value, startOf(name, sample.labels ?? [], value.count));
      });
      return dataPoints.length === 0 ? [] : [{ ...shared, dataPointType: DataPointType.HISTOGRAM, dataPoints }];
    }
    case 'counter':
    case 'gauge': {
      const numbers = samples.filter(isNumber).flatMap((sample) => {
        const value = Number(sample.value);
        const start = type === 'counter' ? startOf(name, sample.labels ?? [], value) : now;
        return Number.isNaN(value) ? [] : [point(sample, value, start)];
      });
      if (numbers.length === 0) {
        return [];
      }
      return type === 'counter'
        ? [{ ...shared, dataPointType: DataPointType.SUM, isMonotonic: true, dataPoints: numbers }]
        : [{ ...shared, dataPointType: DataPointType.GAUGE, dataPoints: numbers }];
    }
  }
}

function isHistogram(sample: Sample): sample is HistogramSample {
  return 'bounds' in sample;
}

function isNumber(sample: Sample): sample is NumberSample {
  return 'value' in sample;
}

/** The bound of the last bucket, which is infinite, is not written. */
function histogramOf({ bounds, counts, sum }: HistogramSample): Histogram {
  const all = bounds.map((_, index) => counts[index] ?? 0);
  return {
    buckets: { boundaries: bounds.slice(0, -1), counts: all },
    sum,
    count: all.reduce((total, each) => total + each, 0),
  };
}

function attributesOf(labels: Labels): Attributes {
  return Object.fromEntries(labels);
}

function timeOf(milliseconds: number): HrTime {
  const seconds = Math.floor(milliseconds / 1000);
  return [seconds, Math.round((milliseconds - seconds * 1000) * 1e6)];
}
