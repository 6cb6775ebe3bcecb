import { randomBytes } from 'node:crypto';
import type { Recorded } from '../../pkg/recording/recordedReading';
import type { MinuteCounts } from '../../pkg/sidekiq/jobMetrics';
import type { Work } from '../../pkg/sidekiq/model';
import { Dice } from '../../pkg/engine/dice';
import { aCapsule, aJob, aMinute, aProcess, aQueue, aSnapshot, listed, NOW } from '../support/state';

export const QUEUES = 24;
export const PROCESSES = 16;
export const THREADS = 10;
export const CLASSES = 20;

/** A busy installation of the size of memory.md, made up reading by reading. */
export class Life {
  private readonly dice = new Dice(1);
  private sizes = Array.from({ length: QUEUES }, () => 0);
  private running: Work[] = [];
  private readonly minutes = new Map<number, MinuteCounts>();
  /** As long as the record of a process stays, its layout is the same object. */
  private readonly layouts = [0, 1].map((odd) => {
    const queues = Array.from({ length: QUEUES / 2 }, (_, queue) => `queue_${queue * 2 + odd}`);
    return { queues, capsules: [aCapsule(THREADS, Object.fromEntries(queues.map((queue) => [queue, 1])))] };
  });
  private readonly random = Array.from({ length: PROCESSES }, () => randomBytes(6).toString('hex'));

  reading(at: number): Recorded['reading'] {
    this.sizes = this.sizes.map((size, queue) =>
      queue % 3 === 0 ? Math.max(0, size + Math.round(this.dice.between(-6, 6))) : 0
    );
    this.running = Array.from(
      { length: PROCESSES * THREADS },
      (_, index) => this.running[index] ?? this.start(index, at)
    ).map((job, index) => (this.dice.chance(0.5) ? this.start(index, at) : job));
    const current = Math.floor(at / 60) * 60;
    const starts = Array.from({ length: 60 }, (_, index) => current - index * 60);
    const minutes = starts.map((startsAt) => this.minute(startsAt, at));
    const changing = minutes.slice(0, 4);
    return {
      snapshot: aSnapshot({
        at,
        queues: listed(
          ...this.sizes.map((size, index) =>
            aQueue(`queue_${index}`, {
              size,
              latencySeconds: size === 0 ? 0 : Math.round(this.dice.between(100, 40_000)) / 1000,
              next:
                size === 0
                  ? null
                  : aJob({ jid: this.dice.hex(24), class: `Class${index % CLASSES}`, enqueuedAt: at - 5 }),
            })
          )
        ),
        processes: listed(
          ...Array.from({ length: PROCESSES }, (_, index) =>
            aProcess(`worker-${index}:${100 + index}:${this.random[index]}`, {
              beatAt: Math.round((at - this.dice.between(0, 10)) * 1e6) / 1e6,
              beatAgeSeconds: Math.floor(this.dice.between(0, 10)),
              busy: THREADS,
              concurrency: THREADS,
              rssBytes: Math.round(this.dice.between(3e5, 4e5)) * 1024,
              rttSeconds: Math.round(this.dice.between(100, 500)) / 1e6,
              ...this.layouts[index % 2],
            })
          )
        ),
        work: listed(...this.running),
        minutes: listed(...minutes),
        durations: changing.flatMap(({ startsAt, classes }) =>
          [...classes].map(([jobClass, { processed }]) => ({
            startsAt,
            jobClass,
            counts: Array.from({ length: 26 }, (_, bucket) =>
              bucket < 8 ? Math.round((processed * (8 - bucket)) / 36) : 0
            ),
          }))
        ),
        totals: { processed: Math.round((at - NOW) * 50), failed: Math.round(at - NOW), retry: 40, dead: 300 },
      }),
      missed: null,
      notices: [],
      historyFile: null,
    };
  }

  private start(index: number, at: number): Work {
    const process = Math.floor(index / THREADS);
    return {
      process: `worker-${process}:${100 + process}:${this.random[process]}`,
      thread: `t${index % THREADS}`,
      queue: `queue_${index % QUEUES}`,
      class: `Class${index % CLASSES}`,
      metricsClass: `Class${index % CLASSES}`,
      jid: this.dice.hex(24),
      // Whole seconds, and milliseconds, as Sidekiq 8 writes them.
      runAt: Math.floor(at - this.dice.between(0, 10)),
      enqueuedAt: Math.round((at - this.dice.between(10, 20)) * 1000) / 1000,
    };
  }

  private minute(startsAt: number, at: number): MinuteCounts {
    const known = this.minutes.get(startsAt);
    if (known && at - startsAt > 240) {
      return known;
    }
    const share = Math.min(1, (at - startsAt) / 60);
    const made = aMinute(
      startsAt,
      Object.fromEntries(
        Array.from({ length: CLASSES }, (_, index) => {
          const jobs = Math.round((100 + ((startsAt / 60 + index * 7) % 50)) * share);
          return [`Class${index}`, [jobs, Math.round(jobs / 50), jobs * 130] as [number, number, number]];
        })
      )
    );
    this.minutes.set(startsAt, made);
    if (this.minutes.size > 200) {
      this.minutes.delete(Math.min(...this.minutes.keys()));
    }
    return made;
  }
}
