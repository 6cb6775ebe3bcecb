import { command, type Command, type Cost, type ReadOnlyRedis } from '../redis/readOnlyRedis';
import { readMarks } from './deployMarks';
import { DurationReads } from './durationReads';
import { readCounts, type Bucket } from './jobMetrics';
import { keys, metricKeys } from './keys';
import { activeJobOf, parsePayload } from './payload';
import { processCommands, readProcess, type Process } from './process';
import { queueCommands, readQueue, type Queue } from './queue';
import { Reading, readSet, scanSet } from './reading';
import type { Snapshot, Totals } from './snapshot';
import { readWork, WORK_CAP, workCommands, type Work } from './work';

const MINUTES_KEPT = 60;
/** A heartbeat flushes into the minute it happens in; clocks may differ, so the last minutes are read again. */
const MINUTES_STILL_CHANGING = 3;

/** Payloads looked at of the scheduled jobs, the next ones due. */
const SCHEDULED_SAMPLE = 20;

/** Tells the time in epoch seconds. */
export type Clock = () => number;

export interface CollectorOptions {
  /** Given by tests on recordings; otherwise Redis' own TIME is the instant of a snapshot. */
  clock?: Clock;
  /** Seconds for which a snapshot is handed out again. */
  reuseSeconds: number;
  /** Says whether a queue is looked at (the operator's include and exclude patterns). */
  includesQueue?: (name: string) => boolean;
}

/**
 * Reads Sidekiq's state in two pipelined round trips, whatever the number of queues and processes.
 *
 * Callers share: while one reading runs all wait for it, and for `reuseSeconds` afterwards they get the
 * same snapshot. A part that Redis refuses is missing from the snapshot with a notice; what concerns
 * everything (no connection, wrong password) is thrown as a `Fault`.
 */
export class Collector {
  private running: Promise<Snapshot> | undefined;
  private latest: { snapshot: Snapshot; readAt: number } | undefined;
  private readonly finalMinutes = new Map<number, Bucket>();
  private readonly durations = new DurationReads();
  private readonly writesNewWorkKey = new Set<string>();
  private clockOffset = 0;

  constructor(
    private readonly redis: ReadOnlyRedis,
    private readonly options: CollectorOptions
  ) {}

  /** A snapshot no older than `reuseSeconds`. */
  async snapshot(): Promise<Snapshot> {
    const { latest } = this;
    if (latest && performance.now() - latest.readAt < this.options.reuseSeconds * 1000) {
      return latest.snapshot;
    }
    this.running ??= this.read().finally(() => (this.running = undefined));
    return this.running;
  }

  private async read(): Promise<Snapshot> {
    const guess = this.options.clock?.() ?? Date.now() / 1000 + this.clockOffset;
    const first = new Reading(this.redis.address);
    const minutes = this.minutesToRead(guess);
    const totals = askTotals(first, guess);
    const queueNames = first.ask('queues', scanSet(keys.queues), readSet);
    const processNames = first.ask('processes', scanSet(keys.processes), readSet);
    const paused = first.ask('paused queues', scanSet(keys.paused), readSet);
    const leader = first.ask('leader', command('get', keys.leader), (value) =>
      typeof value === 'string' ? value : ''
    );
    const marks = [guess - 86_400, guess].map((day) =>
      first.ask('deploy marks', command('hgetall', keys.marks(day)), readMarks)
    );
    const minuteHashes = minutes.map((minute) =>
      [metricKeys.minute(minute), metricKeys.oldMinute(minute)].map((key) =>
        first.ask('job metrics', command('hgetall', key), (hash) => hash)
      )
    );
    const time = first.ask('time', command('time'), readTime);
    const firstCost = await first.run(this.redis);

    const at = this.options.clock?.() ?? time() ?? guess;
    this.clockOffset = at - Date.now() / 1000;
    first.noteCap('queues', queueNames());
    first.noteCap('processes', processNames());
    this.keepMinutes(
      minutes,
      minuteHashes.map((pair) => readCounts(pair.map((hash) => hash() ?? {}))),
      at
    );

    const second = new Reading(this.redis.address);
    const includes = this.options.includesQueue ?? (() => true);
    const known = new Set((queueNames()?.members ?? []).filter(includes));
    const identities = [...(processNames()?.members ?? [])].sort();
    const pausedNames = new Set(paused()?.members ?? []);
    const queueReads = [...known].map((name) => this.askQueue(second, name, at));
    const processReads = identities.map((identity) => this.askProcess(second, identity, at));
    const durations = this.durations.ask(
      second,
      minutes.slice(0, MINUTES_STILL_CHANGING).map((startsAt, index) => ({
        startsAt,
        shapes: minuteHashes[index]!.map((hash) => readCounts([hash() ?? {}])),
      })),
      at
    );
    const secondCost = await second.run(this.redis);

    const processes = processReads.flatMap(({ process }) => process() ?? []);
    const alive = new Set(processes.map(({ identity }) => identity));
    this.rememberWorkKeys(processes);
    const work = processReads.flatMap(({ identity, work: parts }) =>
      alive.has(identity) ? parts.flatMap((part) => part() ?? []) : []
    );
    const served = new Set(processes.flatMap((process) => process.queues).filter(includes));
    const queues: Queue[] = [
      ...queueReads.map(({ name, queue }) => ({ ...queue(), name, known: true, paused: pausedNames.has(name) })),
      ...[...served]
        .filter((name) => !known.has(name))
        .map((name) => ({ name, size: 0, latencySeconds: 0, next: null, known: false, paused: pausedNames.has(name) })),
    ];
    const snapshot: Snapshot = {
      at,
      totals: totals(),
      queues: queues.sort((a, b) => compare(a.name, b.name)),
      processes,
      ghosts: processReads
        .filter(({ process, failed }) => process() === null && !failed())
        .map(({ identity }) => identity),
      work: work.filter((entry) => includes(entry.queue)).sort((a, b) => a.runAt - b.runAt),
      leader: leader() ?? '',
      marks: marks.flatMap((day) => day() ?? []).sort((a, b) => a.at - b.at),
      minutes: [...this.finalMinutes.values()].sort((a, b) => b.startsAt - a.startsAt),
      durations: durations(),
      hasSidekiq: known.size > 0 || identities.length > 0 || totals().processed !== null,
      notices: [...first.notices(), ...second.notices()],
      cost: addCosts(firstCost, secondCost),
    };
    this.latest = { snapshot, readAt: performance.now() };
    return snapshot;
  }

  private askQueue(reading: Reading, name: string, at: number) {
    const [length, tail] = queueCommands(name) as [Command, Command];
    const size = reading.ask(`queue ${name}`, length, (value) => value);
    const oldest = reading.ask(`queue ${name}`, tail, (value) => value);
    return {
      name,
      queue: () => {
        const queue = readQueue(name, size(), oldest(), at);
        return oldest.failed() ? { ...queue, latencySeconds: null } : queue;
      },
    };
  }

  private askProcess(reading: Reading, identity: string, at: number) {
    const [hash, ttl] = processCommands(identity) as [Command, Command];
    const fields = reading.ask('processes', hash, (value) => value);
    const remaining = reading.ask('processes', ttl, (value) => value);
    let broken = false;
    let read: Process | null | undefined;
    const work = workCommands(identity, !this.writesNewWorkKey.has(identity)).map((scan) =>
      reading.ask('work', scan, (reply): Work[] => {
        const found = readWork(identity, reply);
        if (found.broken > 0) {
          reading.note(
            'warning',
            `${found.broken} work records of ${identity} are not what Sidekiq writes and were left out.`
          );
        }
        if (found.capped) {
          reading.note('warning', `${identity} has more than ${WORK_CAP} jobs in progress; the rest was left out.`);
        }
        return found.work;
      })
    );
    const process = () => {
      if (read === undefined) {
        try {
          read = fields.failed() ? null : readProcess(identity, fields(), remaining(), at);
        } catch (error) {
          broken = true;
          read = null;
          reading.note('warning', `The process record ${identity} was left out: ${(error as Error).message}.`);
        }
      }
      return read;
    };
    return { identity, process, work, failed: () => broken || fields.failed() };
  }

  private minutesToRead(now: number): number[] {
    const current = Math.floor(now / 60) * 60;
    const minutes = Array.from({ length: MINUTES_KEPT }, (_, index) => current - index * 60);
    return minutes.filter((minute, index) => index < MINUTES_STILL_CHANGING || !this.finalMinutes.has(minute));
  }

  private keepMinutes(minutes: number[], counts: Array<Bucket['classes']>, now: number): void {
    minutes.forEach((startsAt, index) => this.finalMinutes.set(startsAt, { startsAt, classes: counts[index]! }));
    const oldest = Math.floor(now / 60) * 60 - (MINUTES_KEPT - 1) * 60;
    for (const startsAt of this.finalMinutes.keys()) {
      if (startsAt < oldest) {
        this.finalMinutes.delete(startsAt);
      }
    }
  }

  private rememberWorkKeys(processes: readonly Process[]): void {
    this.writesNewWorkKey.clear();
    for (const { identity, version } of processes) {
      // `version` is written since 7.0.2, the new key name since 6.4.2.
      if (version !== '') {
        this.writesNewWorkKey.add(identity);
      }
    }
  }
}

function addCosts(a: Cost, b: Cost): Cost {
  return {
    roundTrips: a.roundTrips + b.roundTrips,
    commands: a.commands + b.commands,
    bytesIn: a.bytesIn + b.bytesIn,
    milliseconds: a.milliseconds + b.milliseconds,
  };
}

function askTotals(reading: Reading, now: number): () => Totals {
  const count = (part: string, asked: Command) => {
    const answer = reading.ask(part, asked, (value) => Number(value ?? 0));
    return () => answer() ?? null;
  };
  // A missing total means that nothing was ever processed here, which tells an empty database from a new Sidekiq.
  const processed = reading.ask('totals', command('get', keys.processed), (value) =>
    value === null ? null : Number(value)
  );
  const totals = {
    failed: count('totals', command('get', keys.failed)),
    processedToday: count('totals', command('get', keys.processedOn(now))),
    failedToday: count('totals', command('get', keys.failedOn(now))),
    scheduled: count('scheduled jobs', command('zcard', keys.schedule)),
    retry: count('retries', command('zcard', keys.retry)),
    dead: count('dead jobs', command('zcard', keys.dead)),
    processNames: count('processes', command('scard', keys.processes)),
    overdueScheduled: count('scheduled jobs', command('zcount', keys.schedule, '-inf', now)),
    overdueRetry: count('retries', command('zcount', keys.retry, '-inf', now)),
    retryShare: reading.ask(
      'scheduled jobs',
      command('zrange', keys.schedule, 0, SCHEDULED_SAMPLE - 1),
      readActiveJobRetryShare
    ),
    deadLastHour: count('dead jobs', command('zcount', keys.dead, now - 3600, '+inf')),
  };
  return () => ({
    processed: processed() ?? null,
    failed: totals.failed(),
    processedToday: totals.processedToday(),
    failedToday: totals.failedToday(),
    scheduled: totals.scheduled(),
    retry: totals.retry(),
    dead: totals.dead(),
    processNames: totals.processNames(),
    overdueScheduled: totals.overdueScheduled(),
    overdueRetry: totals.overdueRetry(),
    activeJobRetries: estimate(totals.scheduled(), totals.retryShare()),
    deadLastHour: totals.deadLastHour(),
  });
}

/** ActiveJob counts its executions in its own payload; a job that is scheduled for the first time has none. */
function readActiveJobRetryShare(raws: unknown): number {
  const jobs = raws as string[];
  const retries = jobs.filter((raw) => {
    const payload = parsePayload(raw);
    return payload !== null && Number(activeJobOf(payload)?.['executions'] ?? 0) > 0;
  });
  return jobs.length === 0 ? 0 : retries.length / jobs.length;
}

function estimate(total: number | null, share: number | undefined): number | null {
  return total === null || share === undefined ? null : Math.round(total * share);
}

function readTime(reply: unknown): number {
  const [seconds, microseconds] = reply as [string, string];
  return Number(seconds) + Number(microseconds) / 1e6;
}

/** Byte order, as Ruby's sort has it. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
