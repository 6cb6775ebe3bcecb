import { Dice } from './dice';
import { Endings, type Ending } from './endings';
import { Fifo } from './fifo';

/** In which order a capsule looks at its queues, as Sidekiq names it. */
export type FetchMode = 'strict' | 'weighted' | 'random';

/** Threads that serve the same queues in the same order. */
export interface CapsuleSpec {
  readonly threads: number;
  readonly mode: FetchMode;
  /** Weight by queue, in the order of service; only `weighted` uses the weights. */
  readonly weights: ReadonlyMap<string, number>;
}

/** A job that runs. Instants are seconds of simulated time. */
export interface Run<J> extends Ending {
  readonly job: J;
  readonly queue: string;
  readonly capsule: Capsule<J>;
  /** Of the capsule, from 0. */
  readonly thread: number;
  readonly startsAt: number;
}

/** What the owner of an engine decides and hears. */
export interface EngineHooks<J> {
  /** How long an execution takes (seconds), asked when it starts; it is not among those that run in the capsule yet. */
  seconds(job: J, queue: string, startsAt: number, capsule: Capsule<J>): number;
  started?(run: Run<J>): void;
  /** The thread is not free yet: what is pushed here is taken in the order of service. */
  finished?(run: Run<J>): void;
}

interface Queue<J> {
  readonly name: string;
  readonly jobs: Fifo<J>;
  /** Those that serve it and take jobs. */
  readonly capsules: Set<LiveCapsule<J>>;
  paused: boolean;
  /** Draws which of several idle capsules takes a job. */
  readonly dice: Dice;
}

/** A capsule within an engine. */
export interface Capsule<J> {
  readonly spec: CapsuleSpec;
  /** By thread; a hole where the thread is idle. */
  readonly running: ReadonlyArray<Run<J> | undefined>;
  readonly busy: number;
  /** It takes no further jobs. */
  readonly quiet: boolean;
  readonly threads: number;
}

class LiveCapsule<J> implements Capsule<J> {
  readonly running: Array<Run<J> | undefined> = [];
  busy = 0;
  quiet = false;
  threads: number;
  /** Idle threads, the last that ran first. */
  idle: number[];
  /** Threads that end with their job. */
  surplus = 0;
  nextThread: number;
  readonly queues: ReadonlyArray<{ queue: Queue<J>; weight: number }>;

  /** @param dice draw from which queue it takes */
  constructor(
    readonly spec: CapsuleSpec,
    queueOf: (name: string) => Queue<J>,
    readonly dice: Dice
  ) {
    this.threads = spec.threads;
    this.nextThread = spec.threads;
    this.idle = Array.from({ length: spec.threads }, (_, index) => spec.threads - 1 - index);
    this.queues = [...spec.weights].map(([name, weight]) => ({
      queue: queueOf(name),
      // As Sidekiq takes a weight below 1.
      weight: spec.mode === 'weighted' ? Math.max(1, weight) : 1,
    }));
  }
}

/**
 * Queues, capsules, threads and jobs in simulated time, in Sidekiq's own order of fetching: pure, and the same for the same
 * calls and the same dice.
 *
 * - A free thread takes the oldest job of the first queue in its order that has one. The order is that of BasicFetch
 *   (`lib/sidekiq/fetch.rb` of Sidekiq 7.3): strict as the queues are named; else the list in which each queue stands as
 *   often as its weight is shuffled for each fetch, and each queue counts where it comes first. Among the queues that have
 *   jobs the first is then one of them by the share of its weight, which is what is drawn here.
 * - Where a job meets several idle threads, any of them takes it: Redis serves whoever has blocked longest, and each blocks
 *   anew every two seconds.
 */
export class Engine<J> {
  private time: number;
  private readonly queues = new Map<string, Queue<J>>();
  private readonly capsules = new Set<LiveCapsule<J>>();
  private readonly endings = new Endings<Run<J>>();
  private readonly diceOf: (name: string) => Dice;
  /** By what capsules serve, how many there were. */
  private readonly added = new Map<string, number>();

  /**
   * @param dice from which all is drawn, or those of each queue and of each capsule by its queues, so that what happens to one
   *   does not change what is drawn of another
   * @param startsAt seconds of simulated time
   */
  constructor(
    private readonly hooks: EngineHooks<J>,
    dice: Dice | ((name: string) => Dice),
    startsAt = 0
  ) {
    this.diceOf = typeof dice === 'function' ? dice : () => dice;
    this.time = startsAt;
  }

  get now(): number {
    return this.time;
  }

  /** Jobs that wait in a queue. */
  sizeOf(queue: string): number {
    return this.queues.get(queue)?.jobs.size ?? 0;
  }

  /** Jobs that wait in a queue, the oldest first. */
  waiting(queue: string): Iterable<J> {
    return this.queues.get(queue)?.jobs ?? [];
  }

  /** @param added called before the capsule takes its first job */
  addCapsule(spec: CapsuleSpec, added?: (capsule: Capsule<J>) => void): Capsule<J> {
    const serves = [...spec.weights.keys()].join('\0');
    const number = this.added.get(serves) ?? 0;
    this.added.set(serves, number + 1);
    const dice = this.diceOf(`capsule ${number} of ${serves}`);
    const capsule = new LiveCapsule<J>(spec, (name) => this.queueOf(name), dice);
    added?.(capsule);
    this.capsules.add(capsule);
    capsule.queues.forEach(({ queue }) => queue.capsules.add(capsule));
    this.fill(capsule);
    return capsule;
  }

  /** Takes a capsule away at once. @returns what ran in it; where those jobs go is for the caller to say */
  removeCapsule(capsule: Capsule<J>): Array<Run<J>> {
    const live = this.live(capsule);
    live.queues.forEach(({ queue }) => queue.capsules.delete(live));
    this.capsules.delete(live);
    const runs = live.running.filter((run) => run !== undefined);
    runs.forEach((run) => (run.gone = true));
    live.running.length = 0;
    live.busy = 0;
    live.idle = [];
    return runs;
  }

  /** From now on it takes no further jobs; what runs ends. */
  quiet(capsule: Capsule<J>): void {
    const live = this.live(capsule);
    live.quiet = true;
    live.queues.forEach(({ queue }) => queue.capsules.delete(live));
  }

  /** Gives a capsule another number of threads. Threads beyond it end with the job that they run. */
  resize(capsule: Capsule<J>, threads: number): void {
    const live = this.live(capsule);
    let more = threads - (live.threads - live.surplus);
    while (more < 0 && live.idle.length > 0) {
      live.idle.pop();
      live.threads -= 1;
      more += 1;
    }
    live.surplus = Math.max(0, live.surplus - more);
    const there = live.threads - live.surplus;
    for (let added = there; added < threads; added += 1) {
      live.idle.push(live.nextThread);
      live.nextThread += 1;
      live.threads += 1;
    }
    this.fill(live);
  }

  /** No job of a paused queue is taken. */
  pause(name: string, paused = true): void {
    const queue = this.queueOf(name);
    queue.paused = paused;
    if (!paused) {
      [...queue.capsules].forEach((capsule) => this.fill(capsule));
    }
  }

  /** A job comes now. */
  push(name: string, job: J): void {
    const queue = this.queueOf(name);
    const capsule = queue.paused || queue.jobs.size > 0 ? undefined : this.idleOf(queue);
    if (capsule) {
      this.start(capsule, capsule.idle.pop()!, queue, job);
    } else {
      queue.jobs.push(job);
    }
  }

  /** Puts a job back to where the next one is taken, as a process does that must end. */
  putBack(name: string, job: J): void {
    const queue = this.queueOf(name);
    queue.jobs.unshift(job);
    const capsule = queue.paused ? undefined : this.idleOf(queue);
    if (capsule) {
      this.start(capsule, capsule.idle.pop()!, queue, queue.jobs.shift()!);
    }
  }

  /**
   * Lives through the time up to an instant.
   *
   * @param most executions that end within this call at most
   * @returns whether that instant was reached
   */
  advance(to: number, most = Infinity): boolean {
    let count = 0;
    for (let run = this.endings.next; run && run.endsAt <= to; run = this.endings.next) {
      count += 1;
      if (count > most) {
        return false;
      }
      this.endings.pop();
      this.time = Math.max(this.time, run.endsAt);
      const capsule = run.capsule as LiveCapsule<J>;
      capsule.running[run.thread] = undefined;
      capsule.busy -= 1;
      this.hooks.finished?.(run);
      if (!this.capsules.has(capsule)) {
        continue;
      }
      if (capsule.surplus > 0) {
        capsule.surplus -= 1;
        capsule.threads -= 1;
      } else {
        capsule.idle.push(run.thread);
        this.fill(capsule);
      }
    }
    this.time = Math.max(this.time, to);
    return true;
  }

  /** Idle threads of a capsule take what waits. */
  private fill(capsule: LiveCapsule<J>): void {
    while (capsule.idle.length > 0 && !capsule.quiet) {
      const queue = this.pick(capsule);
      if (!queue) {
        return;
      }
      this.start(capsule, capsule.idle.pop()!, queue, queue.jobs.shift()!);
    }
  }

  private pick({ spec, queues, dice }: LiveCapsule<J>): Queue<J> | undefined {
    if (spec.mode === 'strict') {
      for (const { queue } of queues) {
        if (queue.jobs.size > 0 && !queue.paused) {
          return queue;
        }
      }
      return undefined;
    }
    let sum = 0;
    for (const { queue, weight } of queues) {
      sum += queue.jobs.size > 0 && !queue.paused ? weight : 0;
    }
    if (sum === 0) {
      return undefined;
    }
    let drawn = dice.between(0, sum);
    let last: Queue<J> | undefined;
    for (const { queue, weight } of queues) {
      if (queue.jobs.size > 0 && !queue.paused) {
        last = queue;
        drawn -= weight;
        if (drawn < 0) {
          break;
        }
      }
    }
    return last;
  }

  /** A capsule with an idle thread, drawn by their number. */
  private idleOf({ capsules, dice }: Queue<J>): LiveCapsule<J> | undefined {
    let sum = 0;
    let first: LiveCapsule<J> | undefined;
    for (const capsule of capsules) {
      if (capsule.idle.length > 0) {
        sum += capsule.idle.length;
        first ??= capsule;
      }
    }
    // Nothing is drawn where there is no choice.
    if (!first || first.idle.length === sum) {
      return first;
    }
    let drawn = dice.between(0, sum);
    for (const capsule of capsules) {
      drawn -= capsule.idle.length;
      if (drawn < 0) {
        return capsule;
      }
    }
    return first;
  }

  private start(capsule: LiveCapsule<J>, thread: number, { name }: Queue<J>, job: J): void {
    const startsAt = this.time;
    const endsAt = startsAt + this.hooks.seconds(job, name, startsAt, capsule);
    const run: Run<J> = { job, queue: name, capsule, thread, startsAt, endsAt };
    capsule.running[thread] = run;
    capsule.busy += 1;
    this.endings.push(run);
    this.hooks.started?.(run);
  }

  private queueOf(name: string): Queue<J> {
    let queue = this.queues.get(name);
    if (!queue) {
      queue = { name, jobs: new Fifo(), capsules: new Set(), paused: false, dice: this.diceOf(`queue ${name}`) };
      this.queues.set(name, queue);
    }
    return queue;
  }

  private live(capsule: Capsule<J>): LiveCapsule<J> {
    return capsule as LiveCapsule<J>;
  }
}
