import { Redis } from 'ioredis';
import type { Endpoint } from '../../settings/endpoint';
import type { Where } from './server';

/** One that does not answer gives way to the next within the time for a connection. */
export const SENTINEL_TIMEOUT_MS = 1000;
/** How often the Sentinels are asked whether they are there, while the master answers. */
const WATCH_MS = 10_000;

/** Asks the Sentinels now and then, beside the readings, since an open connection does not need them. */
export class SentinelWatch {
  warning: string | undefined;
  private lookedAt = 0;

  constructor(
    private readonly sentinels: readonly Endpoint[],
    private readonly options: Where,
    private readonly silence: string
  ) {}

  /** A Sentinel has just named a server. */
  answered(): void {
    this.warning = undefined;
    this.lookedAt = performance.now();
  }

  look(): void {
    if (performance.now() - this.lookedAt < WATCH_MS) {
      return;
    }
    this.lookedAt = performance.now();
    Promise.any(this.sentinels.map((sentinel) => this.ask(sentinel))).then(
      () => (this.warning = undefined),
      () => (this.warning = this.silence)
    );
  }

  /** Resolves where it answers, be it with a refusal. */
  private async ask({ host, port }: Endpoint): Promise<void> {
    const redis = new Redis({
      ...this.options,
      host,
      port,
      lazyConnect: true,
      enableReadyCheck: false,
      connectTimeout: SENTINEL_TIMEOUT_MS,
      commandTimeout: SENTINEL_TIMEOUT_MS,
      maxRetriesPerRequest: 0,
      retryStrategy: () => null,
    });
    redis.on('error', () => undefined);
    try {
      await redis.connect();
      await redis.ping();
    } catch (error) {
      if ((error as Error).name !== 'ReplyError') {
        throw error;
      }
    } finally {
      redis.disconnect();
    }
  }
}
