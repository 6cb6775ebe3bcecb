import { deflateSync } from 'node:zlib';
import { metricKeys } from '../sidekiq/keys';
import type { SidekiqVersion, WorkerKind } from './workload';

/** How one version of Sidekiq writes what the versions write differently (spec: launcher, client, metrics/tracking). */
export interface Format {
  version: string;
  /** An instant in a payload: float seconds up to 7.3, integer milliseconds since 8.0. */
  time(epochSeconds: number): number;
  /** The instant of such a time, in epoch seconds. */
  seconds(time: number): number;
  /** CurrentAttributes of a job: an object up to 7.3, what ActiveJob makes of its pairs since 8.0. */
  attributes(all: Record<string, string>): unknown;
  minuteKey(epochSeconds: number): string;
  /** The ten-minute key that 8.x keeps beside. */
  tenMinutesKey?(epochSeconds: number): string;
  histogramKey(jobClass: string, epochSeconds: number): string | Buffer;
  /** Where a process writes its threads: in its info up to 8.1.1, as a field of its hash since 8.1.2. */
  process(kind: WorkerKind, concurrency: number): { info: Record<string, unknown>; fields: Record<string, string> };
}

export const FORMATS: Record<SidekiqVersion, Format> = {
  '7.3': {
    version: '7.3.10',
    time: (seconds) => seconds,
    seconds: (time) => time,
    attributes: (all) => all,
    minuteKey: metricKeys.oldMinute,
    histogramKey: metricKeys.oldHistogram,
    process: (kind, concurrency) => ({
      info: { concurrency, weights: kind.capsules.map(({ weights }) => weights) },
      fields: {},
    }),
  },
  '8.1': {
    version: '8.1.7',
    time: (seconds) => Math.round(seconds * 1000),
    seconds: (time) => time / 1000,
    attributes: (all) =>
      Object.entries(all).map(([name, value]) => [
        { _aj_serialized: 'ActiveJob::Serializers::SymbolSerializer', value: name },
        value,
      ]),
    minuteKey: metricKeys.minute,
    tenMinutesKey: metricKeys.tenMinutes,
    histogramKey: metricKeys.histogram,
    process: (kind, concurrency) => ({
      info: {
        capsules: Object.fromEntries(kind.capsules.map(({ name, ...capsule }) => [name, capsule])),
        weights: kind.capsules.map(({ weights }) => weights),
      },
      fields: { concurrency: String(concurrency) },
    }),
  },
};

/** A backtrace as Sidekiq ≥ 7.2.1 stores it: strict base64 of a deflated JSON array. */
export function backtrace(lines: readonly string[]): string {
  return deflateSync(JSON.stringify(lines)).toString('base64');
}
