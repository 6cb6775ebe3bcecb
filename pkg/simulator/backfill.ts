import type { Redis } from 'ioredis';
import { Dice } from '../engine/dice';
import { FORMATS } from './format';
import { MetricsBuffer } from './metricsBuffer';
import { JOB_CLASSES, rhythmAt, type SidekiqVersion } from './workload';

const DAYS = 30;
const SECONDS_PER_DAY = 86_400;

/** Minutes of job metrics that Sidekiq keeps. */
const MINUTES_KEPT = 480;

/**
 * Writes the past that a running Sidekiq would have left: job metrics of the last minutes, as many as Sidekiq keeps, and
 * counters of the days. The same workload as the simulator's makes both.
 */
export async function backfill(
  redis: Redis,
  version: SidekiqVersion,
  seed: number,
  now: number,
  minutes = MINUTES_KEPT
): Promise<void> {
  const dice = new Dice(seed);
  const pipeline = redis.pipeline();
  let processed = 0;
  let failed = 0;
  for (let day = DAYS; day >= 1; day -= 1) {
    const date = new Date((now - day * SECONDS_PER_DAY) * 1000).toISOString().slice(0, 10);
    const done = Math.floor(dice.between(900_000, 1_400_000));
    const raised = Math.floor(done * dice.between(0.015, 0.03));
    pipeline.set(`stat:processed:${date}`, done).set(`stat:failed:${date}`, raised);
    processed += done;
    failed += raised;
  }
  pipeline.set('stat:processed', processed).set('stat:failed', failed);
  const buffer = new MetricsBuffer();
  for (let minute = minutes; minute >= 1; minute -= 1) {
    const at = now - minute * 60;
    for (const { name, rate, medianSeconds, failureRate } of JOB_CLASSES) {
      for (let count = dice.count(rate * rhythmAt(at) * 60); count > 0; count -= 1) {
        buffer.add(name, dice.duration(medianSeconds), dice.chance(failureRate));
      }
    }
    buffer.flush(pipeline, FORMATS[version], at);
  }
  await pipeline.exec();
}

/** Deletes what Sidekiq no longer has of a past that was written in a moment: Redis lets keys expire by its own clock. */
export async function forgetOldMinutes(
  redis: Redis,
  version: SidekiqVersion,
  from: number,
  now: number
): Promise<void> {
  const format = FORMATS[version];
  const classes = new Set(JOB_CLASSES.map(({ name }) => name));
  const pipeline = redis.pipeline();
  for (let at = Math.floor(from / 60) * 60; at < now - MINUTES_KEPT * 60; at += 60) {
    pipeline.del(format.minuteKey(at), ...[...classes].map((name) => format.histogramKey(name, at)));
  }
  await pipeline.exec();
}
