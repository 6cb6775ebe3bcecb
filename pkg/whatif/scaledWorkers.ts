import type { Capsule, Engine, Run } from '../engine/engine';
import { jobsOfClass, workOf, type Demand, type Scenario, type ThreadGroup, type Topology } from './model';
import { Autoscaler, WORK_SECONDS, type Scaling, type Seen } from './scaling';
import type { SimulatedJob } from './simulatedJobs';

const RATE_SECONDS = 60;

/** What happened within one step. */
interface Step {
  at: number;
  pushed: number;
  taken: number;
  workSeconds: number;
  executions: number;
}

/** Whether a group is of the workers that are scaled: it serves queues of the trigger alone. */
function isScaled({ weights }: ThreadGroup, { queues }: Scaling): boolean {
  return weights.size > 0 && [...weights.keys()].every((queue) => queues.includes(queue));
}

/** A topology that has a group for the scaled workers: without one they serve the queues of the trigger in their order. */
export function withScaled(topology: Topology, scaling: Scaling): Topology {
  const own: ThreadGroup = {
    threads: 0,
    processes: new Map(),
    mode: 'strict',
    weights: new Map(scaling.queues.map((queue) => [queue, 0])),
  };
  return topology.groups.some((group) => isScaled(group, scaling))
    ? topology
    : { ...topology, groups: [...topology.groups, own] };
}

/** The ten minutes before the beginning, of which the scaler tells too: like those that follow. */
function stepsBefore({ classes, slots, slotSeconds }: Demand, { queues }: Scaling): Step[] {
  const known = Math.min(slots, Math.ceil(WORK_SECONDS / slotSeconds));
  const first = classes
    .filter(({ queue }) => queues.includes(queue))
    .map((each) => ({ ...each, arrivals: each.arrivals.slice(0, known) }));
  const workSeconds = workOf(first) / known;
  const executions = first.reduce((sum, each) => sum + jobsOfClass(each), 0) / known;
  const before = Math.floor(WORK_SECONDS / slotSeconds);
  return Array.from({ length: before }, (_, index) => {
    const at = (index - before) * slotSeconds;
    return { at, pushed: executions, taken: executions, workSeconds, executions };
  });
}

/** Workers whose number an autoscaler sets, in the place of those that serve its queues. */
export class ScaledWorkers {
  private readonly replaced: readonly number[];
  /** The group whose order of queues they have: the largest one. */
  private readonly own: number;
  private capsule: Capsule<SimulatedJob> | undefined;
  private readonly autoscaler: Autoscaler;
  private readonly steps: Step[];
  private current: Step = { at: 0, pushed: 0, taken: 0, workSeconds: 0, executions: 0 };
  private readonly queues: ReadonlySet<string>;
  /** Replicas that take jobs, and those that start: when they are ready. */
  private ready: number;
  private starting: number[] = [];
  private lastAt = 0;
  private replicaSeconds = 0;
  private least: number;
  private most: number;

  /** Its queues without those that are paused, which the scaler takes for empty ones. */
  private readonly taken: readonly string[];

  constructor(
    private readonly scaling: Scaling,
    { topology: { groups, paused }, demand }: Scenario,
    private readonly engine: Engine<SimulatedJob>
  ) {
    this.steps = stepsBefore(demand, scaling);
    this.queues = new Set(scaling.queues);
    this.taken = scaling.queues.filter((queue) => !paused.has(queue));
    this.replaced = groups.flatMap((group, index) => (isScaled(group, scaling) ? [index] : []));
    const threadsOf = (index: number) => groups[index]!.threads;
    this.own = [...this.replaced].sort((one, other) => threadsOf(other) - threadsOf(one))[0] ?? -1;
    const now = this.replaced.reduce((sum, index) => sum + threadsOf(index), 0);
    this.ready = Math.min(scaling.most, Math.max(scaling.least, Math.ceil(now / scaling.asked.threadsPerReplica)));
    this.autoscaler = new Autoscaler(scaling, this.ready);
    this.least = this.ready;
    this.most = this.ready;
  }

  /** Whether the threads of a group are those of the scaled workers. */
  isReplaced(index: number): boolean {
    return this.replaced.includes(index);
  }

  added(index: number, capsule: Capsule<SimulatedJob>): void {
    if (index === this.own) {
      this.capsule = capsule;
      this.resize();
    }
  }

  pushed(queue: string): void {
    this.current.pushed += Number(this.queues.has(queue));
  }

  started(queue: string): void {
    this.current.taken += Number(this.queues.has(queue));
  }

  finished({ queue, startsAt, endsAt }: Run<SimulatedJob>): void {
    if (this.queues.has(queue)) {
      this.current.workSeconds += endsAt - startsAt;
      this.current.executions += 1;
    }
  }

  /** Looks and scales. */
  step(now: number): void {
    this.replicaSeconds += (now - this.lastAt) * this.all;
    this.lastAt = now;
    this.steps.push(this.current);
    this.current = { at: now, pushed: 0, taken: 0, workSeconds: 0, executions: 0 };
    while (this.steps[0] && this.steps[0].at < now - WORK_SECONDS) {
      this.steps.shift();
    }
    const isReady = this.starting.filter((at) => at <= now).length;
    this.starting = this.starting.filter((at) => at > now);
    this.ready += isReady;
    const wanted = this.autoscaler.step(this.seen(now), now);
    for (let more = this.all; more < wanted; more += 1) {
      this.starting.push(now + this.scaling.startSeconds);
    }
    // Those that start are taken away first.
    this.starting.splice(Math.max(0, this.starting.length - Math.max(0, this.all - wanted)));
    this.ready = Math.min(this.ready, Math.max(0, wanted - this.starting.length));
    this.least = Math.min(this.least, wanted);
    this.most = Math.max(this.most, wanted);
    this.resize();
  }

  /** What there was in the end. */
  end(seconds: number) {
    const all = this.replicaSeconds + (seconds - this.lastAt) * this.all;
    const threadSeconds = new Map(
      this.replaced.map((index) => [index, index === this.own ? all * this.scaling.asked.threadsPerReplica : 0])
    );
    return { least: this.least, mean: all / seconds, most: this.most, threadSeconds };
  }

  private get all(): number {
    return this.ready + this.starting.length;
  }

  private resize(): void {
    if (this.capsule) {
      this.engine.resize(this.capsule, this.ready * this.scaling.asked.threadsPerReplica);
    }
  }

  private seen(now: number): Seen {
    const queues = this.taken;
    const sum = (value: (step: Step) => number, seconds: number) =>
      this.steps.reduce((total, step) => total + (step.at >= now - seconds ? value(step) : 0), 0);
    let oldest = now;
    for (const queue of queues) {
      for (const { at } of this.engine.waiting(queue)) {
        oldest = Math.min(oldest, at);
        break;
      }
    }
    return {
      size: queues.reduce((total, queue) => total + this.engine.sizeOf(queue), 0),
      waitSeconds: now - oldest,
      busy: this.capsule?.busy ?? 0,
      workSeconds: sum(({ workSeconds }) => workSeconds, WORK_SECONDS),
      executions: sum(({ executions }) => executions, WORK_SECONDS),
      pushed: sum(({ pushed }) => pushed, RATE_SECONDS),
      taken: sum(({ taken }) => taken, RATE_SECONDS),
    };
  }
}
