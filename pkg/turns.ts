/** Longest time of one turn: well below the 100 ms that others may have to wait. */
const TURN_MS = 10;

/** Lets others have their turn in the middle of long work, so that one query never holds up the rest. */
export class Turns {
  private since = performance.now();

  /** Returns at once within a turn; once it is over, after the event loop has served whoever waits. */
  give(): Promise<void> | undefined {
    if (performance.now() - this.since < TURN_MS) {
      return undefined;
    }
    return new Promise<void>((resolve) => {
      setImmediate(() => {
        this.since = performance.now();
        resolve();
      });
    });
  }
}
