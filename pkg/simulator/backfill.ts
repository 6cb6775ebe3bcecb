import type { Redis } from 'ioredis';
import { Dice } from './dice';
import { FORMATS } from './format';
import { MetricsBuffer } from './metricsBuffer';
import { JOB_CLASSES, type SidekiqVersion } from './workload';

const DAYS = 30;
const SECONDS_PER_DAY = 86_400;

/** Writes the past that a running Sidekiq would have left: the last minutes' job metrics and the days' counters. */
export async function backfill(
  redis: Redis,
  version: SidekiqVersion,
  seed: number,
  now: number,
  minutes = 60
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
    for (const { name, rate, medianSeconds, failureRate } of JOB_CLASSES) {
      for (let count = dice.count(rate * 60); count > 0; count -= 1) {
        buffer.add(name, dice.duration(medianSeconds), dice.chance(failureRate));
      }
    }
    buffer.flush(pipeline, FORMATS[version], now - minute * 60);
  }
  await pipeline.exec();
}
