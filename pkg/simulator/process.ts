import type { ChainableCommander } from 'ioredis';
import type { Dice } from '../engine/dice';
import type { Capsule } from '../engine/engine';
import type { Format } from './format';
import { MetricsBuffer } from './metricsBuffer';
import type { WaitingJob } from './store';
import type { JobClass, WorkerKind } from './workload';

/** A job taken from a queue. Instants are epoch seconds. */
export interface RunningJob {
  waiting: WaitingJob;
  /** Its payload. */
  raw: () => string;
  queue: string;
  jobClass: JobClass;
  runAt: number;
  endsAt: number;
  /** What it will raise, if it does. */
  error: readonly [errorClass: string, message: string] | undefined;
}

const HEARTBEAT_SECONDS = 10;
const KEY_TTL_SECONDS = 60;

/** A simulated Sidekiq process and what it writes about itself. */
export class SimulatedProcess {
  readonly identity: string;
  /** By thread. */
  readonly running = new Map<string, RunningJob>();
  /** Its capsules in the engine. */
  readonly capsules: Array<Capsule<WaitingJob>> = [];
  readonly metrics = new MetricsBuffer();
  quiet = false;
  /** Epoch seconds. */
  quietSince = Infinity;
  nextBeatAt: number;
  private rssKib: number;

  constructor(
    readonly kind: WorkerKind,
    /** Among those of its kind. */
    readonly index: number,
    private readonly format: Format,
    private readonly dice: Dice,
    private readonly startedAt: number
  ) {
    const host = `${kind.host}-${index + 1}`;
    this.identity = `${host}:${Math.floor(dice.between(10, 9999))}:${dice.hex(12)}`;
    this.nextBeatAt = startedAt;
    this.rssKib = Math.floor(dice.between(180_000, 420_000));
  }

  get concurrency(): number {
    return this.kind.capsules.reduce((sum, capsule) => sum + capsule.concurrency, 0);
  }

  /** One heartbeat: counters, its hash, its work and its name in the set. */
  beat(pipeline: ChainableCommander, now: number): void {
    this.nextBeatAt = now + HEARTBEAT_SECONDS;
    this.rssKib = Math.floor(this.rssKib * this.dice.between(0.995, 1.008));
    this.metrics.flush(pipeline, this.format, now);
    const [host = '', pid = ''] = this.identity.split(':');
    const { info, fields } = this.format.process(this.kind, this.concurrency);
    const queues = [...new Set(this.kind.capsules.flatMap(({ weights }) => Object.keys(weights)))];
    const record = {
      hostname: host,
      started_at: this.startedAt,
      pid: Number(pid),
      tag: this.kind.tag,
      queues,
      labels: ['demo'],
      identity: this.identity,
      version: this.format.version,
      embedded: false,
      ...info,
    };
    const work = `${this.identity}:work`;
    pipeline.sadd('processes', this.identity).hset(this.identity, {
      info: JSON.stringify(record),
      busy: String(this.running.size),
      beat: String(now),
      rtt_us: String(Math.floor(this.dice.between(150, 900))),
      quiet: String(this.quiet),
      rss: String(this.rssKib),
      ...fields,
    });
    pipeline.expire(this.identity, KEY_TTL_SECONDS).del(work);
    for (const [thread, { raw, queue, runAt }] of this.running) {
      pipeline.hset(
        work,
        thread.replace('-', ''),
        JSON.stringify({ queue, payload: raw(), run_at: Math.floor(runAt) })
      );
    }
    pipeline.expire(work, KEY_TTL_SECONDS);
  }

  /** Epoch seconds at which its record is gone, if it sends no more heartbeats. */
  get expiresAt(): number {
    return this.nextBeatAt - HEARTBEAT_SECONDS + KEY_TTL_SECONDS;
  }

  /** What a killed process left has expired. */
  expire(pipeline: ChainableCommander): void {
    pipeline.del(this.identity, `${this.identity}:work`);
  }

  /** A clean end: the name and the work go, the hash expires by itself. */
  stop(pipeline: ChainableCommander): void {
    pipeline.srem('processes', this.identity).del(`${this.identity}:work`);
  }
}
