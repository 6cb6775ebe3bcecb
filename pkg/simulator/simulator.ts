import type { Redis } from 'ioredis';
import { Dice } from './dice';
import { backtrace, FORMATS, type Format } from './format';
import { SimulatedProcess, type RunningJob } from './process';
import { JOB_CLASSES, payloadOf, rhythmAt, WORKER_KINDS, type JobClass, type SidekiqVersion } from './workload';

export interface SimulatorOptions {
  version: SidekiqVersion;
  seed: number;
  /** Where its clock starts, epoch seconds. */
  startsAt: number;
  /** Told of every execution, as Sidekiq Pro's middleware is. */
  onFinished?: (jobClass: JobClass, seconds: number, error: string | undefined) => void;
}

type Pipeline = ReturnType<Redis['pipeline']>;

const DEAD_MAX_JOBS = 10_000;
const DEAD_TIMEOUT_SECONDS = 180 * 86_400;
const POLL_LIMIT = 100;
/** A deploy restarts every process in turn. */
const DEPLOY_EVERY_SECONDS = 900;
const CRASH_EVERY_SECONDS = 1200;

/**
 * A simulated Sidekiq that writes to Redis what Sidekiq 7.3 or 8.1 really writes: pushes, fetches, heartbeats,
 * work, retries, deaths, scheduled jobs, job metrics, deploy marks, now and then a crash.
 *
 * Its clock is its own: `advance` moves it, so that an hour can be written in seconds or lived through.
 * The same seed and steps write the same.
 */
export class Simulator {
  private readonly dice: Dice;
  private readonly format: Format;
  private processes: SimulatedProcess[];
  private now: number;
  private nextId = 1000;
  private nextDeployAt: number;
  private nextCrashAt: number;

  constructor(
    private readonly redis: Redis,
    private readonly options: SimulatorOptions
  ) {
    this.dice = new Dice(options.seed);
    this.format = FORMATS[options.version];
    this.now = options.startsAt;
    this.nextDeployAt = options.startsAt + 300;
    this.nextCrashAt = options.startsAt + CRASH_EVERY_SECONDS / 2;
    this.processes = WORKER_KINDS.flatMap((kind) =>
      Array.from({ length: kind.count }, (_, index) => this.boot(kind, index))
    );
  }

  /** Lives through a span of time, at most about a second at once. Jobs come and end at any instant within it. */
  async advance(seconds: number): Promise<void> {
    const from = this.now;
    this.now += seconds;
    await this.push(from);
    await this.enqueueDue();
    const pipeline = this.redis.pipeline();
    this.finish(pipeline);
    await this.fetch(pipeline, from);
    await pipeline.exec();
    await this.deployOrCrash();
    await this.beat();
  }

  private boot(kind: SimulatedProcess['kind'], index: number): SimulatedProcess {
    return new SimulatedProcess(kind, index, this.format, this.dice, this.now);
  }

  /** Pushes follow the hour and waves within it. */
  private async push(from: number): Promise<void> {
    const span = (this.now - from) * rhythmAt(this.now);
    const pushes = JOB_CLASSES.flatMap((jobClass) =>
      Array.from({ length: this.dice.count(jobClass.rate * span) }, () => ({
        jobClass,
        at: this.dice.between(from, this.now),
      }))
    ).sort((a, b) => a.at - b.at);
    const pipeline = this.redis.pipeline();
    for (const { jobClass, at } of pushes) {
      const job = this.newJob(jobClass, at);
      if (this.dice.chance(0.02)) {
        pipeline.zadd('schedule', at + this.dice.between(20, 1800), JSON.stringify({ ...job, enqueued_at: undefined }));
      } else {
        pipeline.sadd('queues', jobClass.queue).lpush(`queue:${jobClass.queue}`, JSON.stringify(job));
      }
    }
    await pipeline.exec();
  }

  private newJob(jobClass: JobClass, pushedAt: number): Record<string, unknown> {
    const jid = this.dice.hex(24);
    this.nextId += 1;
    const at = this.format.time(pushedAt);
    return {
      retry: jobClass.retry,
      queue: jobClass.queue,
      ...payloadOf(jobClass, this.options.version, jid, this.nextId),
      jid,
      created_at: at,
      ...(jobClass.queue === 'billing' && { tags: ['billing', 'money'] }),
      enqueued_at: at,
    };
  }

  private async enqueueDue(): Promise<void> {
    for (const set of ['schedule', 'retry']) {
      const due = await this.redis.zrangebyscore(set, '-inf', this.now, 'LIMIT', 0, POLL_LIMIT);
      const pipeline = this.redis.pipeline();
      for (const raw of due) {
        const job = JSON.parse(raw) as { queue: string };
        pipeline
          .zrem(set, raw)
          .sadd('queues', job.queue)
          .lpush(`queue:${job.queue}`, JSON.stringify({ ...job, enqueued_at: this.format.time(this.now) }));
      }
      await pipeline.exec();
    }
  }

  /** Each idle thread takes jobs until one lasts beyond the step, or none is left. */
  private async fetch(pipeline: Pipeline, from: number): Promise<void> {
    for (const process of this.processes) {
      for (const { threads, queues } of process.idle()) {
        const idle = threads.map((thread) => ({ thread, since: process.idleSince.get(thread) ?? from }));
        while (idle.length > 0) {
          const first = idle.sort((a, b) => a.since - b.since)[0]!;
          const taken = await this.pop(queues);
          if (!taken) {
            break;
          }
          const job = this.start(taken.raw, taken.queue, first.since);
          if (job.endsAt <= this.now) {
            this.end(pipeline, process, job);
            first.since = job.endsAt;
          } else {
            process.running.set(first.thread, job);
            idle.shift();
          }
        }
      }
      process.idleSince.clear();
    }
  }

  private async pop(queues: readonly string[]): Promise<{ raw: string; queue: string } | undefined> {
    for (const queue of queues) {
      const raw = await this.redis.rpop(`queue:${queue}`);
      if (raw !== null) {
        return { raw, queue };
      }
    }
    return undefined;
  }

  private start(raw: string, queue: string, idleSince: number): RunningJob {
    const job = JSON.parse(raw) as { class: string; wrapped?: string; enqueued_at: number };
    const jobClass = JOB_CLASSES.find(({ name }) => name === (job.wrapped ?? job.class)) ?? JOB_CLASSES[0]!;
    const runAt = Math.max(idleSince, this.format.seconds(job.enqueued_at));
    const seconds = this.dice.duration(jobClass.medianSeconds);
    return { raw, queue, jobClass, runAt, endsAt: runAt + seconds, fails: this.dice.chance(jobClass.failureRate) };
  }

  private finish(pipeline: Pipeline): void {
    for (const process of this.processes) {
      for (const [thread, job] of process.running) {
        if (job.endsAt <= this.now) {
          process.running.delete(thread);
          process.idleSince.set(thread, job.endsAt);
          this.end(pipeline, process, job);
        }
      }
    }
  }

  private end(pipeline: Pipeline, process: SimulatedProcess, job: RunningJob): void {
    process.metrics.add(job.jobClass.name, job.endsAt - job.runAt, job.fails);
    const error = job.fails ? this.fail(pipeline, job) : undefined;
    this.options.onFinished?.(job.jobClass, job.endsAt - job.runAt, error);
  }

  /** @returns the class of the error */
  private fail(pipeline: Pipeline, { raw, jobClass, endsAt }: RunningJob): string {
    const job = JSON.parse(raw) as { retry: number; retry_count?: number; failed_at?: number };
    const [errorClass, message] = this.dice.pick(jobClass.errors);
    const count = job.retry_count === undefined ? 0 : job.retry_count + 1;
    const failed = {
      ...job,
      error_class: errorClass,
      error_message: message,
      failed_at: job.failed_at ?? this.format.time(endsAt),
      ...(count > 0 && { retried_at: this.format.time(endsAt) }),
      retry_count: count,
      error_backtrace: backtrace([`app/jobs/${jobClass.queue}.rb:12:in \`perform'`]),
    };
    if (count < job.retry) {
      pipeline.zadd('retry', endsAt + count ** 4 + 15 + this.dice.between(0, 10 * (count + 1)), JSON.stringify(failed));
      return errorClass;
    }
    pipeline
      .zadd('dead', endsAt, JSON.stringify(failed))
      .zremrangebyscore('dead', '-inf', endsAt - DEAD_TIMEOUT_SECONDS)
      .zremrangebyrank('dead', 0, -DEAD_MAX_JOBS);
    return errorClass;
  }

  private async deployOrCrash(): Promise<void> {
    if (this.now >= this.nextDeployAt) {
      this.nextDeployAt = this.now + DEPLOY_EVERY_SECONDS;
      await this.deploy();
    }
    if (this.now >= this.nextCrashAt) {
      this.nextCrashAt = this.now + CRASH_EVERY_SECONDS;
      // Killed: no word to Redis, and what ran is lost.
      const victim = Math.floor(this.dice.between(0, this.processes.length));
      const { kind } = this.processes[victim]!;
      this.processes[victim] = this.boot(kind, victim);
    }
    await this.endQuiet();
  }

  /** Marks the deploy and asks every second process to finish; new ones take over at once. */
  private async deploy(): Promise<void> {
    const minute = new Date(Math.floor(this.now / 60) * 60_000).toISOString().replace('.000', '');
    const key = `${minute.slice(0, 10).replaceAll('-', '')}-marks`;
    await this.redis
      .pipeline()
      .hsetnx(key, minute, `${this.dice.hex(7)} Release`)
      .expire(key, 90 * 86_400)
      .exec();
    const leaving = this.processes.filter((process) => !process.quiet);
    for (const process of leaving) {
      process.quiet = true;
      process.nextBeatAt = this.now;
    }
    this.processes.push(...leaving.map(({ kind }, index) => this.boot(kind, index)));
  }

  private async endQuiet(): Promise<void> {
    const ended = this.processes.filter(
      (process) => process.quiet && (process.running.size === 0 || this.now > process.nextBeatAt + 15)
    );
    if (ended.length === 0) {
      return;
    }
    const pipeline = this.redis.pipeline();
    for (const process of ended) {
      for (const { raw, queue } of process.running.values()) {
        // Hard shutdown puts unfinished jobs back at the tail, their times untouched.
        pipeline.rpush(`queue:${queue}`, raw);
      }
      process.metrics.flush(pipeline, this.format, this.now);
      process.stop(pipeline);
    }
    await pipeline.exec();
    this.processes = this.processes.filter((process) => !ended.includes(process));
  }

  private async beat(): Promise<void> {
    const due = this.processes.filter(({ nextBeatAt }) => nextBeatAt <= this.now);
    if (due.length === 0) {
      return;
    }
    const transaction = this.redis.multi();
    for (const process of due) {
      process.beat(transaction, this.now);
    }
    await transaction.exec();
  }
}
