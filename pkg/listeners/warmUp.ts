import { setTimeout as sleep } from 'node:timers/promises';
import type { Rehearsal } from '../installation/rehearsal';
import { log } from '../log';

/** Who starts a process may ask at once; the first answers come first. */
const BEGIN_MS = 2000;
/** So often Redis is tried again where it cannot be read. */
const RETRY_MS = 15_000;
/** While it is asked at a faster pace it compiles what it needs by itself, and is not to be held up. */
const IDLE_SECONDS = 1;
/** Pauses of that length at most; by then what is asked at such a pace is compiled. */
const MOST_WAITS = 600;
/** By how much the pause after a round is longer than the round: a fifth of a core is taken at most. */
const PAUSE_BY_ROUND = 4;
/** By then the runtime has compiled what a scrape needs. */
const ROUNDS = 2000;
/** Of all rounds together, where they are long. */
const MOST_MS = 10_000;

/** What can be rehearsed; `undefined` where it is too large to. */
interface Rehearsable {
  /** Seconds since it last read Redis. */
  readonly idleSeconds: number;
  rehearsal(): Promise<Rehearsal | undefined>;
}

/** Waits; a signal ends the wait with an error. */
export type Pause = (milliseconds: number, signal: AbortSignal) => Promise<unknown>;

const pauseOfProcess: Pause = async (milliseconds, signal) => sleep(milliseconds, undefined, { ref: false, signal });

/**
 * Runs what answers a scrape many times in the pauses of the first minute or two, on replies that are already there. A
 * scrape comes every 15 s: left alone, the runtime would interpret its code for hours, at three times the CPU. What is
 * asked meanwhile waits for one round at most, of some milliseconds.
 *
 * Ends by itself, by time or rounds, and never throws.
 *
 * @param work what is to be compiled, beside the reading
 * @returns a function that ends it early
 */
export function warmUp(
  installation: Rehearsable,
  work: (source: Rehearsal['source']) => Promise<unknown>,
  pause: Pause = pauseOfProcess
): () => void {
  const end = new AbortController();
  void rehearse(installation, work, async (milliseconds) => pause(milliseconds, end.signal)).catch((error: unknown) => {
    if (!end.signal.aborted) {
      log('warn', 'warming up failed', { error: String(error) });
    }
  });
  return () => end.abort();
}

async function rehearse(
  installation: Rehearsable,
  work: (source: Rehearsal['source']) => Promise<unknown>,
  pause: (milliseconds: number) => Promise<unknown>
): Promise<void> {
  let rehearsal: Rehearsal | undefined | null = null;
  for (let wait = BEGIN_MS; rehearsal === null; wait = RETRY_MS) {
    await pause(wait);
    rehearsal = await installation.rehearsal().catch(() => null);
  }
  let spent = 0;
  let waits = 0;
  try {
    for (let round = 0; rehearsal && round < ROUNDS && spent < MOST_MS; round += 1) {
      while (installation.idleSeconds < IDLE_SECONDS && waits < MOST_WAITS) {
        waits += 1;
        await pause(IDLE_SECONDS * 1000);
      }
      if (waits >= MOST_WAITS) {
        return;
      }
      const begun = performance.now();
      rehearsal.next();
      await work(rehearsal.source);
      const took = performance.now() - begun;
      spent += took;
      await pause(PAUSE_BY_ROUND * took);
    }
  } finally {
    rehearsal?.close();
  }
}
