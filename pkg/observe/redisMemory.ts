import { linearRegression } from 'simple-statistics';
import { z } from 'zod';
import { numberOf } from '../sidekiq/plausible';

/** The memory of Redis, in bytes, and when it is full. */
export interface RedisMemoryView {
  readonly usedBytes: number;
  /** maxmemory. */
  readonly limitBytes: number;
  /** Seconds until then, if it goes on growing as in the last minutes or as in the last hours; `null` within no day. */
  readonly full: { readonly earliest: number; readonly latest: number } | null;
}

/** INFO is read once a minute. */
const SAMPLE_SECONDS = 60;
/** The two spans of time by whose growth is told. */
const RECENT_SECONDS = 900;
const KEPT_SECONDS = 7200;
const LEAST_SECONDS = 600;
const HORIZON_SECONDS = 86_400;

const savedSchema = z.object({
  limit: z.number(),
  samples: z.array(z.tuple([z.number(), z.number()])),
});

/**
 * Learns how the memory of Redis grows, where INFO may be read and Redis has a limit: samples a minute apart of the last two
 * hours. A limit that was changed and a clock that was put back begin anew.
 */
export class RedisMemory {
  private limit = 0;
  /** Instants (epoch seconds) and bytes. */
  private samples: Array<[at: number, used: number]> = [];

  /** @param info lines of INFO; `null` where they may not be read */
  next(info: ReadonlyMap<string, string> | null, now: number): RedisMemoryView | null {
    const [used, limit] = [numberOf(info?.get('used_memory')), numberOf(info?.get('maxmemory'))];
    if (used === null || limit === null || limit <= 0) {
      this.samples = [];
      return null;
    }
    if (limit !== this.limit || now < (this.samples.at(-1)?.[0] ?? now)) {
      this.samples = [];
    }
    this.limit = limit;
    if (now - (this.samples.at(-1)?.[0] ?? -Infinity) >= SAMPLE_SECONDS) {
      this.samples.push([now, used]);
      this.samples = this.samples.filter(([at]) => now - at <= KEPT_SECONDS);
    }
    const [recent, all] = [this.fullAfter(used, RECENT_SECONDS, now), this.fullAfter(used, KEPT_SECONDS, now)];
    const known = recent !== null && all !== null && Math.min(recent, all) <= HORIZON_SECONDS;
    return {
      usedBytes: used,
      limitBytes: limit,
      full: known ? { earliest: Math.min(recent, all), latest: Math.max(recent, all) } : null,
    };
  }

  save(): z.input<typeof savedSchema> {
    return { limit: this.limit, samples: this.samples };
  }

  restore(saved: unknown): void {
    const { limit, samples } = savedSchema.parse(saved);
    this.limit = limit;
    this.samples = samples;
  }

  /** Seconds until the limit is reached by the line through the samples of a span; `null` where there are too few or none grows. */
  private fullAfter(used: number, seconds: number, now: number): number | null {
    const within = this.samples.filter(([at]) => now - at <= seconds);
    const [first] = within;
    if (!first || now - first[0] < LEAST_SECONDS) {
      return null;
    }
    if (used >= this.limit) {
      return 0;
    }
    const { m: bytesPerSecond } = linearRegression(within.map(([at, bytes]) => [at - now, bytes]));
    return bytesPerSecond > 0 ? (this.limit - used) / bytesPerSecond : null;
  }
}
