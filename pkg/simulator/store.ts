import type { ChainableCommander } from 'ioredis';
import type { JobClass } from './workload';

/** A job that waits. Its payload is written only if it is still there when Redis is brought up to date. */
export interface WaitingJob {
  readonly jobClass: JobClass;
  /** Epoch seconds from which on it waits. */
  readonly at: number;
  raw?: string;
}

interface Queue {
  /** Oldest first, from `head` on. */
  jobs: WaitingJob[];
  head: number;
  /** How many of the oldest are in Redis. */
  written: number;
  /** Taken, and still in Redis. */
  taken: number;
}

/**
 * What Redis holds of the engine's queues. They are written by {@link write}, so that an hour passes in a moment: what came
 * and went in between never reaches Redis, as if nobody had looked.
 */
export class Queues {
  private readonly queues = new Map<string, Queue>();

  /** @param rawOf the payload of a job */
  constructor(private readonly rawOf: (job: WaitingJob) => string) {}

  push(name: string, job: WaitingJob): void {
    this.queue(name).jobs.push(job);
  }

  /** The oldest job of a queue was taken. */
  taken(name: string): void {
    const queue = this.queue(name);
    queue.head += 1;
    if (queue.written > 0) {
      queue.written -= 1;
      queue.taken += 1;
    }
    if (queue.head > 1000 && queue.head * 2 > queue.jobs.length) {
      queue.jobs.splice(0, queue.head);
      queue.head = 0;
    }
  }

  /** Puts a job back to where jobs are taken from, as a process does that must end. */
  putBack(pipeline: ChainableCommander, name: string, job: WaitingJob): void {
    const queue = this.queue(name);
    this.trim(pipeline, name, queue);
    pipeline.rpush(`queue:${name}`, this.raw(job));
    queue.jobs.splice(queue.head, 0, job);
    queue.written += 1;
  }

  /** Brings Redis up to date. */
  write(pipeline: ChainableCommander): void {
    for (const [name, queue] of this.queues) {
      this.trim(pipeline, name, queue);
      const added = queue.jobs.slice(queue.head + queue.written);
      if (added.length > 0) {
        pipeline.lpush(`queue:${name}`, ...added.map((job) => this.raw(job)));
        queue.written += added.length;
      }
    }
  }

  /** Names of queues that ever had a job. */
  get names(): string[] {
    return [...this.queues.keys()];
  }

  private trim(pipeline: ChainableCommander, name: string, queue: Queue): void {
    if (queue.taken > 0) {
      pipeline.ltrim(`queue:${name}`, 0, -(queue.taken + 1));
      queue.taken = 0;
    }
  }

  private raw(job: WaitingJob): string {
    return (job.raw ??= this.rawOf(job));
  }

  private queue(name: string): Queue {
    let queue = this.queues.get(name);
    if (!queue) {
      queue = { jobs: [], head: 0, written: 0, taken: 0 };
      this.queues.set(name, queue);
    }
    return queue;
  }
}

interface Due {
  /** Epoch seconds. */
  at: number;
  raw: string;
  jobClass: JobClass;
  written: boolean;
}

/** A sorted set of jobs that wait for their time, kept in memory as {@link Queues} are. */
export class TimedJobs {
  /** Soonest first. */
  private readonly jobs: Due[] = [];
  private gone: string[] = [];

  constructor(private readonly key: string) {}

  add(at: number, raw: string, jobClass: JobClass): void {
    let low = 0;
    let high = this.jobs.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.jobs[middle]!.at <= at) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    this.jobs.splice(low, 0, { at, raw, jobClass, written: false });
  }

  /** Takes those that are due. @param limit at most so many at once, as Sidekiq's poller does */
  takeDue(now: number, limit: number): Due[] {
    let count = 0;
    while (count < limit && count < this.jobs.length && this.jobs[count]!.at <= now) {
      count += 1;
    }
    const due = this.jobs.splice(0, count);
    this.gone.push(...due.filter(({ written }) => written).map(({ raw }) => raw));
    return due;
  }

  /** Brings Redis up to date. */
  write(pipeline: ChainableCommander): void {
    if (this.gone.length > 0) {
      pipeline.zrem(this.key, ...this.gone);
      this.gone = [];
    }
    for (const job of this.jobs) {
      if (!job.written) {
        pipeline.zadd(this.key, job.at, job.raw);
        job.written = true;
      }
    }
  }
}
