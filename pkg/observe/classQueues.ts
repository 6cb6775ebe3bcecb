import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { servedQueues } from '../sidekiq/queueFacts';
import type { Snapshot } from '../sidekiq/snapshot';
import type { Observer } from './observer';

/** The queue that each job class runs from, as far as that is known. */
export type ClassQueuesView = ReadonlyMap<string, string>;

/** By what it is known that a class runs from a queue; what is weaker does not take the place of what is stronger. */
const EVIDENCE = {
  /** A job of it waits where no job is taken: the queue is paused, or no process serves it. */
  waits: 0,
  /** A job of it is the next of a queue that is served, or no other queue is served. */
  mayRun: 1,
  /** A job of it was seen running, or was the next of a queue that is served and is not any more. */
  ran: 2,
} as const;
type Evidence = (typeof EVIDENCE)[keyof typeof EVIDENCE];

interface Learned {
  queue: string;
  evidence: Evidence;
}

const CLASSES_KEPT = 10_000;
/** The minute that goes on and the one before: others were read before. */
const MINUTES_LEARNT = 2;

/** Earlier versions saved pairs without the evidence. */
const savedSchema = z.union([
  z.object({
    classes: z.array(z.tuple([z.string(), z.string(), z.literal([0, 1, 2])])),
    heads: z.array(z.object({ queue: z.string(), jid: z.string(), class: z.string() })),
  }),
  z.array(z.tuple([z.string(), z.string()])).transform((pairs) => ({
    classes: pairs.map(([name, queue]): [string, string, Evidence] => [name, queue, EVIDENCE.waits]),
    heads: [],
  })),
]);

/**
 * Which queue a job class runs from: Sidekiq's job metrics know classes only. A class that ran from several queues belongs to
 * the one where that was noticed last. A job that waits in a queue that is paused or not served says little: jobs of its class
 * may run from another one all the time. Holds the 10,000 classes that were seen last.
 */
export class ClassQueues implements Observer<ClassQueuesView> {
  private readonly learned = new LRUCache<string, Learned>({ max: CLASSES_KEPT });
  /** The next jobs of the queues that were served, by queue. */
  private heads = new Map<string, { jid: string; class: string }>();
  private current: ClassQueuesView = new Map();
  private changed = false;

  observe({ work, queues, processes, minutes }: Snapshot): void {
    const served = processes.whole ? servedQueues(processes.items) : null;
    const isTaken = ({ name, paused }: (typeof queues.items)[number]) => paused !== true && served?.has(name) !== false;
    const heads: typeof this.heads = new Map();
    for (const queue of queues.items) {
      const { name, next, size } = queue;
      const taken = isTaken(queue);
      const before = this.heads.get(name);
      if (!next && size !== 0) {
        // It could not be read.
        if (before && taken) {
          heads.set(name, before);
        }
        continue;
      }
      if (before && taken && next?.jid !== before.jid) {
        this.learn(before.class, name, EVIDENCE.ran);
      }
      if (next) {
        this.learn(next.metricsClass, name, taken ? EVIDENCE.mayRun : EVIDENCE.waits);
        if (taken) {
          heads.set(name, { jid: next.jid, class: next.metricsClass });
        }
      }
    }
    this.heads = heads;
    const [only, another] = served ? queues.items.filter(isTaken) : [];
    if (only && !another) {
      const lately = minutes.items.slice(0, MINUTES_LEARNT);
      lately.forEach(({ classes }) => classes.forEach((_, name) => this.learn(name, only.name, EVIDENCE.mayRun)));
    }
    for (const { metricsClass, queue } of work.items) {
      this.learn(metricsClass, queue, EVIDENCE.ran);
    }
  }

  view(): ClassQueuesView {
    if (this.changed) {
      this.current = new Map([...this.learned.entries()].map(([name, { queue }]) => [name, queue]));
      this.changed = false;
    }
    return this.current;
  }

  save(): z.input<typeof savedSchema> {
    return {
      // An LRU tells the last seen first.
      classes: [...this.learned.entries()].reverse().map(([name, { queue, evidence }]) => [name, queue, evidence]),
      heads: [...this.heads].map(([queue, head]) => ({ queue, ...head })),
    };
  }

  restore(saved: unknown): void {
    const { classes, heads } = savedSchema.parse(saved);
    classes.forEach(([name, queue, evidence]) => this.learned.set(name, { queue, evidence }));
    this.heads = new Map(heads.map(({ queue, ...head }) => [queue, head]));
    this.changed = true;
  }

  private learn(metricsClass: string, queue: string, evidence: Evidence): void {
    const before = this.learned.get(metricsClass);
    if (before && before.evidence > evidence) {
      return;
    }
    this.changed ||= before?.queue !== queue;
    this.learned.set(metricsClass, { queue, evidence });
  }
}
