const EVERY_MS = 500;

/**
 * How late the event loop of this process was, at worst, since it was last asked: by a timer twice a second, which costs
 * less than a histogram of every turn.
 */
class LoopDelay {
  private worst = 0;
  private expected = 0;
  private timer: NodeJS.Timeout | undefined;

  start(): void {
    if (this.timer) {
      return;
    }
    this.expected = performance.now() + EVERY_MS;
    this.timer = setInterval(() => {
      const now = performance.now();
      this.worst = Math.max(this.worst, now - this.expected);
      this.expected = now + EVERY_MS;
    }, EVERY_MS).unref();
  }

  /** Seconds. */
  takeWorst(): number {
    const { worst } = this;
    this.worst = 0;
    return worst / 1000;
  }
}

/** Of the process, as there is one event loop. */
export const loopDelay = new LoopDelay();
