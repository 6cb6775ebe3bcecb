import type { ReadOnlyRedis } from '../redis/readOnlyRedis';
import {
  askCronEntries,
  askRecurring,
  takeRecurring,
  type DisabledUntil,
  type SchedulerOptions,
} from './browse/recurring';
import { ChangingDurations } from './changingDurations';
import { clockNotices } from './clocks';
import type { MinuteCounts } from './jobMetrics';
import { keys } from './keys';
import { askMinutes, CHANGING_SECONDS, Minutes } from './minutes';
import { POLLER_LATE_SECONDS, type Listed, type LookedFor, type Queue, type Totals } from './model';
import { activeJobRetryShare } from './parts/activeJobRetries';
import { clock } from './parts/clock';
import { counter, memberCount, scoredBetween, setSize, type Counter } from './parts/counters';
import { deployMarks } from './parts/deployMarks';
import { leader } from './parts/leader';
import { Pages } from './pages';
import { ServedQueues } from './servedQueues';
import { readProcesses } from './readProcesses';
import { pausedNames, processNames, queueNames } from './parts/members';
import { addCosts, Trip, valueOf, warning, type Brought, type Read, type Ticket } from './parts/part';
import { heartbeatExpiry, processRecord } from './parts/process';
import { readLostJobs } from './lostJobs';
import { latencyOf, markedPauses, queueSize } from './parts/queue';
import { processWork } from './parts/work';
import { QueueHeads } from './queueHeads';
import type { Snapshot } from './snapshot';

const MINUTES = 60;
/** Clocks of processes may be ahead; a score that lies further ahead is no instant, such as milliseconds. */
const CLOCKS_APART_SECONDS = 3600;
/** A clock that differs by more names other jobs as due, or another minute. */
const CLOCK_STEP_SECONDS = 1;

export interface ReaderOptions extends SchedulerOptions {
  /** Gives the instant of a snapshot in epoch seconds; without it that is the clock of Redis. */
  clock?: () => number;
  /** Says whether a queue is read (the operator's include and exclude patterns). */
  includesQueue(name: string): boolean;
}

/**
 * Reads Sidekiq's state in two pipelined round trips, whatever the number of queues and processes; a set of more than
 * 5,000 names takes further ones, and so do queues that are served though they are not in the set of queues, when they are
 * first seen, and the jobs of a process that is gone while they are looked for. A part that Redis refuses is missing from the
 * snapshot with a notice.
 *
 * One reading at a time: the reader remembers between readings what is final or unchanged.
 */
export class SnapshotReader {
  private readonly durations = new ChangingDurations();
  private readonly heads = new QueueHeads();
  private readonly served = new ServedQueues();
  /** Processes whose version is known to write the new name of the work hash. */
  private writesNewWorkKey: ReadonlySet<string> = new Set();
  /** Of processes that are gone. */
  private lookedFor: LookedFor = { queues: [], privateQueues: [], jids: new Set(), since: Infinity };
  /** Of entries of sidekiq-cron. */
  private disabledUntil: DisabledUntil = new Map();
  private clockOffset = 0;
  private readings = 0;
  /** Epoch seconds of the last reading, 0 before the first. */
  private readAt = 0;

  constructor(
    private readonly redis: ReadOnlyRedis,
    private readonly minutes: Minutes,
    private readonly options: ReaderOptions
  ) {}

  /**
   * Reads of these queues, up to fifty at a time, which jobs are taken next, and whether jobs lie in a set: those of a process
   * that is gone may be put back there, or had failed before.
   */
  lookFor(lost: LookedFor): void {
    this.lookedFor = lost;
  }

  /** Awaits no run of entries of sidekiq-cron from the time in which they were disabled. */
  awaitAfter(disabledUntil: DisabledUntil): void {
    this.disabledUntil = disabledUntil;
  }

  /**
   * @param signal ends a reading that takes too long
   * @throws Fault for what concerns everything: no connection, a wrong password, every command refused
   */
  async read(signal?: AbortSignal): Promise<Snapshot> {
    return (await this.readBy(false, signal)) ?? (await this.readBy(true, signal))!;
  }

  /**
   * One attempt: the keys that it asks for depend on the clock of Redis, which is known from the readings before.
   *
   * @returns `undefined` where that clock proves to be another, unless this is the second attempt
   */
  private async readBy(again: boolean, signal?: AbortSignal): Promise<Snapshot | undefined> {
    const guess = this.options.clock?.() ?? Date.now() / 1000 + this.clockOffset;
    const first = new Trip();
    const tickets = askFirst(first);
    const dated = askAt(first, guess, this.minutesToRead(guess));
    const schedulers = askRecurring(first, this.options);
    const { jids, since } = this.lookedFor;
    const ranks = (jids.size === 0 ? [] : [keys.retry, keys.schedule]).map((key) => ({
      key,
      rank: first.ask(scoredBetween, { key, from: '-inf', to: `(${since}` }),
    }));
    const one = await first.go(this.redis, signal);
    const at = this.options.clock?.() ?? valueOf(one.read(tickets.time)) ?? guess;
    this.clockOffset = at - Date.now() / 1000;
    if (!again && Math.abs(at - guess) > CLOCK_STEP_SECONDS) {
      return undefined;
    }
    const pages = new Pages(this.redis, signal);
    const queuesRead = await pages.rest(queueNames, keys.queues, one.read(tickets.queues));
    const processesRead = await pages.rest(processNames, keys.processes, one.read(tickets.processes));
    const paused = await this.readPaused(pages, one, tickets.paused);

    const pushed = new Set(queuesRead.items.filter(this.options.includesQueue));
    const included = [...pushed, ...this.served.beside(pushed)];
    const identities = [...processesRead.items].sort(byteOrder);
    const second = new Trip();
    const minutes = this.takeMinutes(one, dated.minutes, guess, at);
    const asked = {
      queues: included.map((name) => ({ name, size: second.ask(queueSize, name) })),
      heads: this.heads.ask(second, included, at),
      pauses: second.ask(markedPauses, included),
      processes: identities.map((identity) => ({
        identity,
        record: second.ask(processRecord, identity),
        expiry: second.ask(heartbeatExpiry, identity),
        work: (this.writesNewWorkKey.has(identity) ? (['new'] as const) : (['new', 'old'] as const)).map((shape) =>
          second.ask(processWork, { identity, shape })
        ),
      })),
      durations: this.askDurations(second, minutes, at),
    };
    const processed = one.read(tickets.processed);
    const recount = processed.ok && !processed.value.missing ? second.ask(counter, keys.processed) : undefined;
    const cron = askCronEntries(second, schedulers, one);
    const two = await second.go(this.redis, signal);
    this.readAt = at;

    const torn = recount !== undefined && isGone(two.read(recount));
    const found = readProcesses(two, asked.processes, processesRead.whole && !torn, at);
    this.writesNewWorkKey = new Set(
      // `version` is written since 7.0.2, the new key name since 6.4.2.
      found.processes.items.filter(({ version }) => version !== '').map(({ identity }) => identity)
    );
    const limitFetch = two.read(asked.pauses);
    const isPaused = (name: string): boolean | null =>
      paused.items.has(name) || (limitFetch.ok && limitFetch.value.has(name))
        ? true
        : paused.whole && limitFetch.ok
          ? false
          : null;
    const sizes = new Map(asked.queues.map(({ name, size }) => [name, valueOf(two.read(size))]));
    const { heads, notices: largeJobs } = this.heads.settle(asked.heads, two, at, (name) => sizes.get(name) ?? null);
    const knownQueues = included.map((name): Queue => {
      const head = heads.get(name)!;
      return {
        name,
        size: sizes.get(name) ?? null,
        latencySeconds: head.ok ? latencyOf(head.value, at) : null,
        paused: isPaused(name),
        known: pushed.has(name),
        next: head.ok ? head.value.next : null,
      };
    });
    const totals = readTotals(one, tickets, dated);
    const { unread, left } = this.served.settle(found.processes.items, pushed, sizes, this.options.includesQueue);
    const third = new Trip();
    const newlyServed = unread.map((name) => ({ name, size: third.ask(queueSize, name) }));
    const three = await third.go(this.redis, signal, 'tell');
    const lost = await readLostJobs(
      this.redis,
      this.lookedFor,
      new Map(ranks.map(({ key, rank }) => [key, valueOf(one.read(rank))])),
      (this.readings += 1),
      signal
    );
    const servedQueues = newlyServed.map(({ name, size: ticket }): Queue => {
      const size = valueOf(three.read(ticket));
      // Its oldest job is read from the next reading on.
      return { name, size, latencySeconds: size === 0 ? 0 : null, paused: isPaused(name), known: false, next: null };
    });
    return {
      at,
      totals: totals.value,
      queues: {
        items: [...knownQueues.filter(({ name }) => !left.has(name)), ...servedQueues].sort((a, b) =>
          byteOrder(a.name, b.name)
        ),
        whole: queuesRead.whole,
      },
      ...found,
      work: { ...found.work, items: found.work.items.filter(({ queue }) => this.options.includesQueue(queue)) },
      nextJobs: lost.jids,
      leader: valueOf(one.read(tickets.leader)),
      marks: readMarks(one, dated.marks),
      recurring: takeRecurring(schedulers, one, cron, two, at, this.disabledUntil),
      minutes,
      durations: this.durations.settle(asked.durations, two),
      hasSidekiq: hasSidekiq(queuesRead, processesRead, totals),
      refused: sumRefused([one, two, three, ...lost.trips]),
      notices: [
        ...one.notices,
        ...pages.notices,
        ...two.notices,
        ...three.notices.filter(({ text }) => two.notices.every((told) => told.text !== text)),
        ...lost.trips.flatMap(({ notices }) => notices),
        ...asked.durations.notices,
        ...largeJobs,
        ...(torn ? [warning(TORN)] : []),
        ...clockNotices(found.processes.items, at, this.options.clock ? 0 : this.clockOffset),
      ],
      cost: [one, pages, two, three, ...lost.trips].map(({ cost }) => cost).reduce(addCosts),
    };
  }

  /**
   * Of every minute whose counts are read anew: those that were not final at the last reading. Minutes of a longer pause
   * are read by whoever counts it.
   */
  private askDurations(trip: Trip, minutes: Listed<MinuteCounts>, at: number) {
    const before = Math.min(at, Math.max(this.readAt, at - CHANGING_SECONDS));
    return this.durations.ask(
      trip,
      minutes.items.filter(({ startsAt }) => startsAt >= before - CHANGING_SECONDS - 60),
      at
    );
  }

  private minutesToRead(now: number): number[] {
    return lastMinutes(now).filter((startsAt) => !this.minutes.known(startsAt, 60));
  }

  private takeMinutes(one: Brought, tickets: DatedTickets['minutes'], guess: number, at: number): Listed<MinuteCounts> {
    const read = new Map<number, MinuteCounts>();
    for (const ticket of tickets) {
      const found = one.read(ticket);
      if (found.ok) {
        read.set(found.value.startsAt, found.value);
        this.minutes.keep(found.value, 60, at);
      }
    }
    const wanted = lastMinutes(guess);
    const items = wanted.flatMap((startsAt) => read.get(startsAt) ?? this.minutes.known(startsAt, 60) ?? []);
    return { items, whole: items.length === wanted.length };
  }

  private async readPaused(
    pages: Pages,
    one: Brought,
    tickets: FirstTickets['paused']
  ): Promise<{ items: ReadonlySet<string>; whole: boolean }> {
    const names = new Set<string>();
    let whole = true;
    for (const [index, ticket] of tickets.entries()) {
      const read = await pages.rest(pausedNames, keys.pausedSets[index]!, one.read(ticket));
      read.items.forEach((name) => names.add(name));
      whole &&= read.whole;
    }
    return { items: names, whole };
  }
}

type FirstTickets = ReturnType<typeof askFirst>;
type DatedTickets = ReturnType<typeof askAt>;

function askFirst(trip: Trip) {
  return {
    processed: trip.ask(counter, keys.processed),
    failed: trip.ask(counter, keys.failed),
    scheduled: trip.ask(setSize, keys.schedule),
    retry: trip.ask(setSize, keys.retry),
    dead: trip.ask(setSize, keys.dead),
    processCount: trip.ask(memberCount, keys.processes),
    retryShare: trip.ask(activeJobRetryShare, undefined),
    queues: trip.ask(queueNames, { key: keys.queues, cursor: '0' }),
    processes: trip.ask(processNames, { key: keys.processes, cursor: '0' }),
    paused: keys.pausedSets.map((key) => trip.ask(pausedNames, { key, cursor: '0' })),
    leader: trip.ask(leader, undefined),
    time: trip.ask(clock, undefined),
  };
}

/** What is asked by an instant: keys of a day or a minute, and scores. */
function askAt(trip: Trip, now: number, minutes: readonly number[]) {
  const due = { from: '-inf', to: now };
  const late = { from: '-inf', to: now - POLLER_LATE_SECONDS };
  return {
    processedToday: trip.ask(counter, keys.processedOn(now)),
    failedToday: trip.ask(counter, keys.failedOn(now)),
    overdueScheduled: trip.ask(scoredBetween, { key: keys.schedule, ...due }),
    overdueRetry: trip.ask(scoredBetween, { key: keys.retry, ...due }),
    lateScheduled: trip.ask(scoredBetween, { key: keys.schedule, ...late }),
    lateRetry: trip.ask(scoredBetween, { key: keys.retry, ...late }),
    deadLastHour: trip.ask(scoredBetween, { key: keys.dead, from: now - 3600, to: now + CLOCKS_APART_SECONDS }),
    marks: [now - 86_400, now].map((day) => trip.ask(deployMarks, day)),
    minutes: askMinutes(trip, minutes, 60),
  };
}

function readTotals(
  one: Brought,
  tickets: FirstTickets,
  dated: DatedTickets
): { value: Totals; processed: Read<Counter> } {
  const number = (ticket: Ticket<number>) => valueOf(one.read(ticket));
  const count = (ticket: Ticket<Counter>) => valueOf(one.read(ticket))?.count ?? null;
  const scheduled = number(tickets.scheduled);
  const retryShare = number(tickets.retryShare);
  return {
    processed: one.read(tickets.processed),
    value: {
      processed: count(tickets.processed),
      failed: count(tickets.failed),
      processedToday: count(dated.processedToday),
      failedToday: count(dated.failedToday),
      scheduled,
      retry: number(tickets.retry),
      dead: number(tickets.dead),
      processNames: number(tickets.processCount),
      overdueScheduled: number(dated.overdueScheduled),
      overdueRetry: number(dated.overdueRetry),
      lateScheduled: number(dated.lateScheduled),
      lateRetry: number(dated.lateRetry),
      activeJobRetries: scheduled === null || retryShare === null ? null : Math.round(scheduled * retryShare),
      deadLastHour: number(dated.deadLastHour),
    },
  };
}

function readMarks(one: Brought, tickets: DatedTickets['marks']): Snapshot['marks'] {
  const reads = tickets.map((ticket) => one.read(ticket));
  return {
    items: reads.flatMap((read) => (read.ok ? read.value : [])).sort((a, b) => a.at - b.at),
    whole: reads.every(({ ok }) => ok),
  };
}

function hasSidekiq(
  queues: Listed<string>,
  processes: Listed<string>,
  { processed, value: { scheduled, retry, dead } }: ReturnType<typeof readTotals>
): boolean | null {
  const known = [queues.items.length, processes.items.length, scheduled, retry, dead];
  if (known.some((count) => (count ?? 0) > 0) || (processed.ok && !processed.value.missing)) {
    return true;
  }
  return queues.whole && processes.whole && processed.ok ? false : null;
}

const TORN =
  'The database was emptied while it was read; processes and running jobs are unknown until the next reading.';

/** Of the counter of executions: names that were read before it went stand for nothing any more. */
function isGone(read: Read<Counter>): boolean {
  return read.ok && read.value.missing;
}

function lastMinutes(now: number): number[] {
  const current = Math.floor(now / 60) * 60;
  return Array.from({ length: MINUTES }, (_, index) => current - index * 60);
}

function sumRefused(trips: readonly Brought[]): Map<string, number> {
  const sums = new Map<string, number>();
  trips.forEach(({ refused }) => refused.forEach((count, part) => sums.set(part, (sums.get(part) ?? 0) + count)));
  return sums;
}

/** Ruby sorts by bytes; JavaScript's comparison differs from that only beyond U+FFFF. */
function byteOrder(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
