const EVERY_MS = 500;
/** Ten minutes; whoever asks less often is told of these. */
const KEPT = 1200;

/**
 * How late the event loop of this process was, by a timer twice a second, which costs less than a histogram of every
 * turn.
 */
class LoopDelay {
  /** The last delays in milliseconds, each at the place of its number. */
  private readonly delays = new Float64Array(KEPT);
  private measured = 0;
  private expected = 0;
  private timer: NodeJS.Timeout | undefined;
  /** How many were measured when each last asked. */
  private readonly told = new WeakMap<object, number>();

  start(): void {
    if (this.timer) {
      return;
    }
    this.expected = performance.now() + EVERY_MS;
    this.timer = setInterval(() => {
      const now = performance.now();
      this.delays[this.measured % KEPT] = Math.max(0, now - this.expected);
      this.measured += 1;
      this.expected = now + EVERY_MS;
    }, EVERY_MS).unref();
  }

  /** Seconds by which it was late at worst since this one last asked: each who asks is told all. */
  worstSince(asker: object): number {
    const since = Math.max(this.told.get(asker) ?? 0, this.measured - KEPT);
    this.told.set(asker, this.measured);
    let worst = 0;
    for (let at = since; at < this.measured; at += 1) {
      worst = Math.max(worst, this.delays[at % KEPT]!);
    }
    return worst / 1000;
  }
}

/** Of the process, as there is one event loop. */
export const loopDelay = new LoopDelay();
