import type { ChainableCommander } from 'ioredis';
import { HISTOGRAM_BOUNDS_MS } from '../sidekiq/jobMetrics';
import type { Format } from './format';

const MINUTE_TTL_SECONDS = 8 * 3600;
const TEN_MINUTES_TTL_SECONDS = 72 * 3600;

/** Executions that a process has counted since its last heartbeat. */
export class MetricsBuffer {
  private readonly counts = new Map<string, number>();
  private readonly durations = new Map<string, Map<number, number>>();
  processed = 0;
  failed = 0;

  add(jobClass: string, seconds: number, failed: boolean): void {
    this.processed += 1;
    this.increase(`${jobClass}|p`, 1);
    if (failed) {
      this.failed += 1;
      this.increase(`${jobClass}|f`, 1);
      return;
    }
    const milliseconds = Math.round(seconds * 1000);
    this.increase(`${jobClass}|ms`, milliseconds);
    const buckets = this.durations.get(jobClass) ?? new Map<number, number>();
    const bucket = HISTOGRAM_BOUNDS_MS.findIndex((bound) => milliseconds < bound);
    buckets.set(bucket, (buckets.get(bucket) ?? 0) + 1);
    this.durations.set(jobClass, buckets);
  }

  /** Takes over what another has counted. */
  take(other: MetricsBuffer): void {
    this.processed += other.processed;
    this.failed += other.failed;
    other.counts.forEach((amount, field) => this.increase(field, amount));
    for (const [jobClass, buckets] of other.durations) {
      const into = this.durations.get(jobClass) ?? new Map<number, number>();
      buckets.forEach((amount, bucket) => into.set(bucket, (into.get(bucket) ?? 0) + amount));
      this.durations.set(jobClass, into);
    }
    other.clear();
  }

  /** Writes into the minute of `now` and starts anew, as Sidekiq's heartbeat does. */
  flush(pipeline: ChainableCommander, format: Format, now: number): void {
    const day = new Date(now * 1000).toISOString().slice(0, 10);
    for (const [name, amount] of [
      ['processed', this.processed],
      ['failed', this.failed],
    ] as const) {
      if (this.processed > 0) {
        pipeline
          .incrby(`stat:${name}`, amount)
          .incrby(`stat:${name}:${day}`, amount)
          .expire(`stat:${name}:${day}`, 5 * 365 * 86_400);
      }
    }
    const hashes: Array<[string, number]> = [[format.minuteKey(now), MINUTE_TTL_SECONDS]];
    if (format.tenMinutesKey) {
      hashes.push([format.tenMinutesKey(now), TEN_MINUTES_TTL_SECONDS]);
    }
    for (const [key, seconds] of this.counts.size > 0 ? hashes : []) {
      for (const [field, amount] of this.counts) {
        pipeline.hincrby(key, field, amount);
      }
      pipeline.expire(key, seconds);
    }
    for (const [jobClass, buckets] of this.durations) {
      const key = format.histogramKey(jobClass, now);
      const increments = [...buckets].flatMap(([bucket, amount]) => ['INCRBY', 'u16', `#${bucket}`, amount]);
      pipeline.call('BITFIELD', key, 'OVERFLOW', 'SAT', ...increments).expire(key, MINUTE_TTL_SECONDS);
    }
    this.clear();
  }

  private clear(): void {
    this.counts.clear();
    this.durations.clear();
    this.processed = 0;
    this.failed = 0;
  }

  private increase(field: string, amount: number): void {
    this.counts.set(field, (this.counts.get(field) ?? 0) + amount);
  }
}
