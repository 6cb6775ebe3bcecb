import type { ChainableCommander, Redis } from 'ioredis';
import { Dice } from '../engine/dice';
import { Engine, type Capsule, type Run } from '../engine/engine';
import { backtrace, FORMATS, type Format } from './format';
import { MetricsBuffer } from './metricsBuffer';
import { SimulatedProcess, type RunningJob } from './process';
import { Queues, TimedJobs, type WaitingJob } from './store';
import type { Story } from './story';
import { JOB_CLASSES, payloadOf, rhythmAt, WORKER_KINDS, type JobClass, type SidekiqVersion } from './workload';

export interface SimulatorOptions {
  version: SidekiqVersion;
  seed: number;
  /** Where its clock starts, epoch seconds. */
  startsAt: number;
  /** What happens in the past; afterwards, and without one, deploys and crashes come at an even pace. */
  story?: { story: Story; until: number };
  /** Told of every execution, as Sidekiq Pro's middleware is. */
  onFinished?: (jobClass: JobClass, seconds: number, error: string | undefined) => void;
}

/** Who jobs are for: the first has the most. */
const TENANTS = ['acme', 'acme', 'acme', 'acme', 'umbrella', 'umbrella', 'initech'] as const;
const DEAD_MAX_JOBS = 10_000;
const DEAD_TIMEOUT_SECONDS = 180 * 86_400;
const POLL_LIMIT = 100;
/** A deploy restarts every process in turn. */
const DEPLOY_EVERY_SECONDS = 900;
const CRASH_EVERY_SECONDS = 1200;
const STEP_SECONDS = 1;
/** Longer spans are written in fewer commands: nobody looks meanwhile. A heartbeat comes within. */
const LONG_SECONDS = 10;

/**
 * A simulated Sidekiq that writes to Redis what Sidekiq 7.3 or 8.1 really writes: pushes, fetches, heartbeats,
 * work, retries, deaths, scheduled jobs, job metrics, deploy marks, now and then a crash.
 *
 * Its clock is its own: `advance` moves it, so that a day can be written in seconds or lived through.
 * The same seed and steps write the same.
 */
export class Simulator {
  private readonly dice: Dice;
  private readonly format: Format;
  private readonly queues = new Queues((job) => JSON.stringify(this.newJob(job.jobClass, job.at)));
  private readonly schedule = new TimedJobs('schedule');
  private readonly retries = new TimedJobs('retry');
  private readonly engine: Engine<WaitingJob>;
  /** Whose capsule it is, and its name. */
  private readonly owners = new Map<Capsule<WaitingJob>, { process: SimulatedProcess; name: string }>();
  private processes: SimulatedProcess[];
  /** Of which Redis still has the record. */
  private killed: SimulatedProcess[] = [];
  private now: number;
  private nextId = 1000;
  private nextDeployAt: number;
  private nextCrashAt: number;
  /** Commands of the present {@link advance}. */
  private pipeline: ChainableCommander;

  constructor(
    private readonly redis: Redis,
    private readonly options: SimulatorOptions
  ) {
    this.dice = new Dice(options.seed);
    this.format = FORMATS[options.version];
    this.now = options.startsAt;
    const even = options.story?.until ?? options.startsAt;
    this.nextDeployAt = even + 300;
    this.nextCrashAt = even + CRASH_EVERY_SECONDS / 2;
    this.pipeline = redis.multi();
    this.engine = new Engine(
      {
        seconds: ({ jobClass }, _queue, startsAt) =>
          this.dice.duration(jobClass.medianSeconds) * (this.story?.troubleOf(jobClass.name, startsAt)?.slower ?? 1),
        started: (run) => this.started(run),
        finished: (run) => this.finished(run),
      },
      this.dice,
      options.startsAt
    );
    this.processes = WORKER_KINDS.flatMap((kind) =>
      Array.from({ length: kind.count }, (_, index) => this.boot(kind, index))
    );
  }

  /** Lives through a span of time and writes what is left of it. Jobs come and end at any instant within it. */
  async advance(seconds: number): Promise<void> {
    const end = this.now + seconds;
    const long = seconds > LONG_SECONDS;
    while (this.now < end - 1e-9) {
      const from = this.now;
      this.now = Math.min(end, from + STEP_SECONDS);
      this.push(from);
      this.engine.advance(this.now);
      this.enqueueDue();
      this.deployOrCrash();
      this.follow();
      if (long && Math.floor(this.now / 60) > Math.floor(from / 60)) {
        this.count(from);
      }
      // Of a long span only the last heartbeats are left.
      if (!long || end - this.now < LONG_SECONDS) {
        this.beat();
      }
    }
    if (long) {
      this.count(this.now - STEP_SECONDS);
    }
    this.queues.write(this.pipeline);
    this.schedule.write(this.pipeline);
    this.retries.write(this.pipeline);
    if (this.queues.names.length > 0) {
      this.pipeline.sadd('queues', ...this.queues.names);
    }
    const { pipeline } = this;
    // In one transaction: whoever reads between two commands would see what never was.
    this.pipeline = this.redis.multi();
    await pipeline.exec();
  }

  /** Writes what all processes have counted into the minute of an instant, at once. */
  private count(at: number): void {
    const all = new MetricsBuffer();
    this.processes.forEach(({ metrics }) => all.take(metrics));
    all.flush(this.pipeline, this.format, at);
  }

  private boot(kind: SimulatedProcess['kind'], index: number): SimulatedProcess {
    const process = new SimulatedProcess(kind, index, this.format, this.dice, this.now);
    for (const { name, concurrency, mode, weights } of kind.capsules) {
      const capsule = { threads: concurrency, mode, weights: new Map(Object.entries(weights)) };
      process.capsules.push(this.engine.addCapsule(capsule, (added) => this.owners.set(added, { process, name })));
    }
    return process;
  }

  /** What ran is lost, and its record stays in Redis until it expires. */
  private kill(process: SimulatedProcess): void {
    this.killed.push(process);
    this.remove(process);
  }

  private remove({ capsules }: SimulatedProcess): void {
    for (const capsule of capsules) {
      this.engine.removeCapsule(capsule);
      this.owners.delete(capsule);
    }
  }

  /** Pushes follow the hour and waves within it. */
  private push(from: number): void {
    const span = (this.now - from) * rhythmAt(this.now);
    const timesOf = ({ name }: JobClass) => this.story?.troubleOf(name, this.now)?.pushes ?? 1;
    const pushes = JOB_CLASSES.flatMap((jobClass) =>
      Array.from({ length: this.dice.count(jobClass.rate * span * timesOf(jobClass)) }, () => ({
        jobClass,
        at: this.dice.between(from, this.now),
      }))
    ).sort((a, b) => a.at - b.at);
    for (const job of pushes) {
      if (this.dice.chance(0.02)) {
        const raw = JSON.stringify({ ...this.newJob(job.jobClass, job.at), enqueued_at: undefined });
        this.schedule.add(job.at + this.dice.between(20, 1800), raw, job.jobClass);
      } else {
        this.enqueue(job.jobClass.queue, job);
      }
    }
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
      cattr: this.format.attributes({ tenant_id: TENANTS[this.nextId % TENANTS.length]! }),
      ...(jobClass.queue === 'billing' && { tags: ['billing', 'money'] }),
      enqueued_at: at,
    };
  }

  private enqueueDue(): void {
    for (const set of [this.schedule, this.retries]) {
      for (const { raw, jobClass } of set.takeDue(this.now, POLL_LIMIT)) {
        const job = JSON.parse(raw) as { queue: string };
        this.enqueue(job.queue, {
          jobClass,
          at: this.now,
          raw: JSON.stringify({ ...job, enqueued_at: this.format.time(this.now) }),
        });
      }
    }
  }

  /** Threads may take it at once. */
  private enqueue(queue: string, job: WaitingJob): void {
    this.engine.advance(job.at);
    this.queues.push(queue, job);
    this.engine.push(queue, job);
  }

  private started({ job: waiting, queue, capsule, thread, startsAt, endsAt }: Run<WaitingJob>): void {
    this.queues.taken(queue);
    const { process, name } = this.owners.get(capsule)!;
    const { jobClass } = waiting;
    const trouble = this.story?.troubleOf(jobClass.name, startsAt);
    const fails = this.dice.chance(trouble?.failures?.rate ?? jobClass.failureRate);
    process.running.set(`${name}-${thread}`, {
      waiting,
      raw: () => (waiting.raw ??= JSON.stringify(this.newJob(jobClass, waiting.at))),
      queue,
      jobClass,
      runAt: startsAt,
      endsAt,
      error: !fails ? undefined : (trouble?.failures?.error ?? this.dice.pick(jobClass.errors)),
    });
  }

  private finished({ capsule, thread }: Run<WaitingJob>): void {
    const { process, name } = this.owners.get(capsule)!;
    const job = process.running.get(`${name}-${thread}`)!;
    process.running.delete(`${name}-${thread}`);
    this.end(process, job);
  }

  private end(process: SimulatedProcess, job: RunningJob): void {
    process.metrics.add(job.jobClass.name, job.endsAt - job.runAt, job.error !== undefined);
    if (job.error) {
      this.fail(job, job.error);
    }
    this.options.onFinished?.(job.jobClass, job.endsAt - job.runAt, job.error?.[0]);
  }

  private fail({ raw, jobClass, endsAt }: RunningJob, [errorClass, message]: NonNullable<RunningJob['error']>): void {
    const job = JSON.parse(raw()) as { retry: number; retry_count?: number; failed_at?: number };
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
      const at = endsAt + count ** 4 + 15 + this.dice.between(0, 10 * (count + 1));
      this.retries.add(at, JSON.stringify(failed), jobClass);
      return;
    }
    this.pipeline
      .zadd('dead', endsAt, JSON.stringify(failed))
      .zremrangebyscore('dead', '-inf', endsAt - DEAD_TIMEOUT_SECONDS)
      .zremrangebyrank('dead', 0, -DEAD_MAX_JOBS);
  }

  /** What happens by itself: by the story, or at an even pace. */
  private deployOrCrash(): void {
    if (this.story?.takesDeploy(this.now) ?? this.now >= this.nextDeployAt) {
      this.nextDeployAt = Math.max(this.nextDeployAt, this.now + DEPLOY_EVERY_SECONDS);
      this.deploy();
    }
    if (!this.story && this.now >= this.nextCrashAt) {
      this.nextCrashAt = this.now + CRASH_EVERY_SECONDS;
      // Killed: no word to Redis, and what ran is lost.
      const victim = Math.floor(this.dice.between(0, this.processes.length));
      const killed = this.processes[victim]!;
      this.kill(killed);
      this.processes[victim] = this.boot(killed.kind, killed.index);
    }
    this.endQuiet();
  }

  private get story(): Story | undefined {
    const { story } = this.options;
    return story && this.now <= story.until ? story.story : undefined;
  }

  /** Takes processes away that the story takes, and brings those back that are missing. */
  private follow(): void {
    const { story } = this;
    if (!story) {
      return;
    }
    for (const kind of WORKER_KINDS) {
      const there = this.processes.filter((process) => process.kind === kind && !process.quiet);
      const away = story.away(kind.host, this.now);
      if (away?.killed) {
        there.forEach((process) => this.kill(process));
        this.processes = this.processes.filter((process) => !there.includes(process));
      } else if (away) {
        there.forEach((process) => this.quieten(process));
      } else if (there.length === 0) {
        this.processes.push(...Array.from({ length: kind.count }, (_, index) => this.boot(kind, index)));
      }
    }
  }

  private quieten(process: SimulatedProcess): void {
    process.quiet = true;
    process.nextBeatAt = this.now;
    process.quietSince = this.now;
    process.capsules.forEach((capsule) => this.engine.quiet(capsule));
  }

  /** Marks the deploy and asks every process to finish; new ones take over at once. */
  private deploy(): void {
    const minute = new Date(Math.floor(this.now / 60) * 60_000).toISOString().replace('.000', '');
    const key = `${minute.slice(0, 10).replaceAll('-', '')}-marks`;
    this.pipeline.hsetnx(key, minute, `${this.dice.hex(7)} Release`).expire(key, 90 * 86_400);
    const leaving = this.processes.filter((process) => !process.quiet);
    leaving.forEach((process) => this.quieten(process));
    this.processes.push(...leaving.map(({ kind, index }) => this.boot(kind, index)));
  }

  private endQuiet(): void {
    const ended = this.processes.filter(
      (process) => process.quiet && (process.running.size === 0 || this.now > process.quietSince + 25)
    );
    for (const process of ended) {
      this.remove(process);
      for (const { waiting, raw, queue } of process.running.values()) {
        // Hard shutdown puts unfinished jobs back at the tail, their times untouched.
        raw();
        this.queues.putBack(this.pipeline, queue, waiting);
        this.engine.putBack(queue, waiting);
      }
      process.metrics.flush(this.pipeline, this.format, this.now);
      process.stop(this.pipeline);
    }
    this.processes = this.processes.filter((process) => !ended.includes(process));
  }

  private beat(): void {
    // Redis lets keys expire by its own clock, which may stand still meanwhile.
    for (const process of this.killed.filter((each) => each.expiresAt <= this.now)) {
      process.expire(this.pipeline);
      this.killed.splice(this.killed.indexOf(process), 1);
    }
    for (const process of this.processes) {
      if (process.nextBeatAt <= this.now) {
        process.beat(this.pipeline, this.now);
      }
    }
  }
}
