import { Fault, orNull } from '../faults/fault';
import { tooLate, within } from '../source/deadline';
import { PastStates } from '../recording/pastStates';
import { openRedis } from '../redis/client';
import type { ReadOnlyRedis } from '../redis/readOnlyRedis';
import type { BlockStore } from '../series/blockStore';
import { SeriesTaker } from '../series/figures';
import { commandLine, type Administration } from '../settings/administration';
import { queueTest } from '../settings/queueTest';
import type { Options, Secrets } from '../settings/model';
import { schedulerOptions } from './schedulers';
import type { Settings } from '../settings/settings';
import { CHANGING_SECONDS, MINUTES_KEPT_SECONDS } from '../sidekiq/minutes';
import type { Notice } from '../sidekiq/model';
import { warning } from '../sidekiq/parts/part';
import { lookedForOf } from '../observe/vanished';
import { SnapshotReader } from '../sidekiq/read';
import { withoutMasterSeconds } from '../sidekiq/replica';
import type { Snapshot } from '../sidekiq/snapshot';
import type { Reading } from '../watch/reading';
import type { StatsdIntake } from '../statsd/intake';
import { newMemory, sourceOf, type Memory } from './memory';
import { PacedRecording } from './pacedRecording';
import { RedisReads } from './redisReads';
import { rehearsalOf, rehearsed, type Rehearsal } from './rehearsal';
import { adoptTotals, restoreStates, saveClassQueueTotals, saveStates } from './savedStates';
import type { Range, Reads } from '../source/reads';
import { keptOf, NOW_SECONDS, type Kept, type Source } from '../source/source';
import type { State } from '../watch/state';

const SAVE_EVERY_SECONDS = 10;
/** For so long after the first reading another process may have begun at the same moment. */
const BEGINS_SECONDS = 120;
/** Longest time of a reading; Grafana's own requests end after 30 s. */
const READING_SECONDS = 20;
/** For so long the last figures are shown, with their age, while Redis cannot be reached. */
const LAST_STATE_SECONDS = 900;

/** A refresh of a dashboard asks panel by panel; Grafana allows none more often than this by default. */
const REFRESH_SECONDS = 5;

/** A state and when this process read it: begun at epoch milliseconds, begun and done on the monotonic clock. */
interface Latest {
  state: State;
  asOfMs: number;
  begunAt: number;
  doneAt: number;
}

/** Tells the time in epoch seconds; given by tests on recordings. */
export type Clock = () => number;

/** What an installation takes in place of its own. */
export interface Given {
  clock?: Clock;
  /** Where files may lie; any path by default. */
  administration?: Administration;
  /** Whose history and counters go on here, where both read the same source. */
  former?: Installation | undefined;
  /** Where readings are recorded; the history file or the memory where it is left out. */
  blocks?: BlockStore;
  /** What answers in place of Redis. */
  redis?: ReadOnlyRedis;
  /** Where metrics of it are served; the setting `exporterListen` where it is left out. */
  servedAt?: string;
}

/**
 * One watched Sidekiq installation: its connection, its reader and what was seen of it over time. Panels, alerts,
 * scrapes and streams of one data source share one of these, and so one reading.
 */
export class Installation implements Source {
  readonly options: Options;
  readonly secrets: Secrets;
  readonly administration: Administration;
  readonly redis: ReadOnlyRedis;
  private readonly clock: Clock | undefined;
  private readonly source: string;
  /** Label sets left out of scrapes for their number, by metric. */
  readonly droppedSeries = new Map<string, number>();
  private readonly memory: Memory;
  private readonly past: PastStates;
  private readonly reader: SnapshotReader;
  /** Other settings of the same source go on with the memory. */
  private handedOver = false;
  private running: Promise<State> | undefined;
  private latest: Latest | undefined;
  private sampler: NodeJS.Timeout | undefined;
  /** It goes on watching, so that what it knows is worth keeping; a single question keeps nothing. */
  private watches = false;
  private closed = false;
  private savedAt = 0;
  /** Instant of the first reading that was saved. */
  private firstSavedAt: number | undefined;
  private readonly recording: PacedRecording;
  private readonly taker = new SeriesTaker();

  /** @throws Fault `settings` naming the field that cannot be used */
  constructor(
    private readonly settings: Settings,
    { clock, administration = commandLine(), former, blocks, redis = openRedis(settings), servedAt }: Given = {}
  ) {
    const { options } = settings;
    this.clock = clock;
    this.administration = administration;
    this.options = options;
    this.secrets = settings.secrets;
    this.redis = redis;
    this.source = sourceOf(settings);
    if (former?.source === this.source) {
      this.memory = former.memory;
      former.handedOver = true;
    } else {
      this.memory = newMemory(options, administration, { blocks, servedAt });
    }
    this.recording = new PacedRecording(this.memory, options);
    const { recordings, recorder, statsd } = this.memory;
    this.past = new PastStates(recordings, async () => recorder, { options, statsd, recorded: true });
    this.reader = new SnapshotReader(this.redis, this.memory.minutes, {
      includesQueue: queueTest(options),
      ...schedulerOptions(options),
      ...(clock && { clock }),
    });
  }

  get address(): string {
    return this.redis.address;
  }

  now(): number {
    return this.clock?.() ?? Date.now() / 1000;
  }

  get recorded(): Range | null {
    return this.memory.recordings.time;
  }

  get statsd(): StatsdIntake {
    return this.memory.statsd;
  }

  /**
   * The current state: a reading no older than `reuseSeconds`, or one that was begun after `asOf`, so that the panels of
   * one refresh share a reading however long Grafana takes to ask them all. While one reading runs, all who ask wait
   * for it.
   *
   * @param asOf the instant that the caller asks about, epoch seconds by the caller's clock
   * @throws Fault when Redis cannot be read
   */
  async state(asOf = Infinity, present = false): Promise<State> {
    const now = this.now();
    if (!present && asOf < now - NOW_SECONDS) {
      await this.openHistory(now);
      return this.past.at(asOf);
    }
    const state = await this.present(asOf);
    // Where the clock of this host is behind that of Redis, its future may be past.
    const isPast = !present && asOf > now + NOW_SECONDS && asOf < state.now - NOW_SECONDS;
    return isPast ? this.past.at(asOf) : state;
  }

  private async present(asOf: number): Promise<State> {
    if (this.latest && this.answers(this.latest, asOf)) {
      return this.latest.state;
    }
    return this.anew();
  }

  private anew(): Promise<State> {
    this.running ??= this.read().finally(() => (this.running = undefined));
    return this.running;
  }

  /** What is known while Redis cannot be read, with the reason among its notices. */
  async kept(fault: Fault): Promise<Kept> {
    const now = Date.now() / 1000;
    await this.openHistory(this.now());
    const last = this.latest && now - this.latest.state.now <= LAST_STATE_SECONDS ? this.latest.state : null;
    return keptOf(fault, { now, options: this.options, last });
  }

  /** Seconds since it last read Redis; endless before the first reading. */
  get idleSeconds(): number {
    return this.latest ? (performance.now() - this.latest.doneAt) / 1000 : Infinity;
  }

  reads(signal?: AbortSignal, state?: State): Reads {
    const live = this.readsOfNow(signal);
    return (state && this.past.reads(state, live)) ?? live;
  }

  private readsOfNow(signal?: AbortSignal): Reads {
    return new RedisReads(this.redis, this.memory, this.options, this.past, signal);
  }

  /** Starts to read whenever nobody else did for `sampleSeconds`, so that rates and history exist when somebody asks. */
  startSampling(): void {
    this.watches = true;
    if (!this.sampler && this.options.samplerEnabled) {
      this.sampleIn(this.options.sampleSeconds * 1000);
    }
  }

  /**
   * Reads once more, for a {@link Rehearsal} of the same settings.
   *
   * @returns `undefined` where the replies are too many to keep, or it is closed
   * @throws Fault when Redis cannot be read
   */
  async rehearsal(): Promise<Rehearsal | undefined> {
    if (this.closed) {
      return undefined;
    }
    return rehearsalOf(this.redis, (given) => new Installation(rehearsed(this.settings), given));
  }

  close(): void {
    clearTimeout(this.sampler);
    this.closed = true;
    this.redis.close();
    if (!this.handedOver) {
      if (this.watches) {
        saveStates(this.memory);
      }
      this.memory.recordings.flush();
      this.memory.recorder.close();
    }
  }

  private sampleIn(milliseconds: number): void {
    this.sampler = setTimeout(() => void this.sample(), milliseconds);
    this.sampler.unref();
  }

  private async sample(): Promise<void> {
    const every = this.options.sampleSeconds * 1000;
    const sinceLast = () => performance.now() - (this.latest?.begunAt ?? -Infinity);
    if (sinceLast() >= every) {
      // A failed reading leaves a gap; whoever asks next hears the reason.
      await this.anew().catch(() => undefined);
    }
    if (!this.closed) {
      const due = every - sinceLast();
      this.sampleIn(due > 0 ? due : every);
    }
  }

  private answers({ asOfMs, doneAt }: Latest, asOf: number): boolean {
    const { reuseSeconds } = this.options;
    const ageSeconds = (performance.now() - doneAt) / 1000;
    return ageSeconds < reuseSeconds || (reuseSeconds > 0 && ageSeconds < REFRESH_SECONDS && asOfMs >= asOf * 1000);
  }

  private async read(): Promise<State> {
    const asOfMs = Date.now();
    const begunAt = performance.now();
    const { snapshot, missed, told } = await this.readSnapshot();
    const { recorder, watch } = this.memory;
    // A clock of tests is the only one there.
    recorder.follow(snapshot.at, this.clock ? snapshot.at : performance.now() / 1000);
    const reading: Reading = {
      snapshot,
      missed,
      ...this.recording.lastRead,
      notices: [
        ...told,
        ...recorder.notices,
        ...(this.redis.warning === undefined ? [] : [warning(this.redis.warning)]),
      ],
      historyFile: this.options.historyFile === '' ? null : recorder.usesFile,
    };
    if (this.watches) {
      this.recording.add(reading);
    }
    const state = watch.next(reading, { statsd: this.statsd, options: this.options, recorded: false });
    this.reader.lookFor(lookedForOf(state.processLog, state.now));
    recorder.append(snapshot.at, this.taker.take(state));
    if (this.watches && Math.abs(snapshot.at - this.savedAt) >= SAVE_EVERY_SECONDS) {
      this.savedAt = snapshot.at;
      this.firstSavedAt ??= snapshot.at;
      if (snapshot.at - this.firstSavedAt < BEGINS_SECONDS) {
        adoptTotals(this.memory);
      }
      saveStates(this.memory);
    } else if (this.watches && state.classQueueTotals !== this.latest?.state.classQueueTotals) {
      // How they are divided by queue cannot be found out anew: after a crash they would be less than what was scraped.
      saveClassQueueTotals(this.memory);
    }
    if (this.watches && !this.closed) {
      this.recording.readBeside(state, this.readsOfNow());
    }
    this.latest = { state, asOfMs, begunAt, doneAt: performance.now() };
    return state;
  }

  /** A peer that answers byte by byte ends no reading by itself. */
  private readSnapshot(): Promise<Pick<Reading, 'snapshot' | 'missed'> & { told: readonly Notice[] }> {
    const remedy = 'Check whether Redis is blocked by a slow command (SLOWLOG GET), and the network between.';
    const late = () => tooLate(this, { span: `${READING_SECONDS} s`, remedy });
    return within(READING_SECONDS, late, async (signal) => {
      await this.openHistory(this.now());
      this.reader.awaitAfter(this.memory.watch.observers.disabledEntries.view());
      const snapshot = await this.reader.read(signal);
      if (snapshot.hasSidekiq === false) {
        await this.checkSynchronised(signal);
      }
      if (this.latest && snapshot.at < this.latest.state.now) {
        this.memory.minutes.forget();
      }
      return { snapshot, ...(await this.catchUp(snapshot, signal)) };
    });
  }

  /** @throws Fault `connection` where a replica has not got its data yet: nothing of it is a zero */
  private async checkSynchronised(signal: AbortSignal): Promise<void> {
    if (withoutMasterSeconds(await orNull(this.reads(signal).info())) !== null) {
      throw new Fault({
        kind: 'connection',
        message: 'The replica that is read has not been synchronised with its master yet, so that it holds nothing.',
        remedy: 'Wait until INFO replication says master_link_status:up, or read from the master.',
      });
    }
  }

  private async openHistory(now: number): Promise<void> {
    if (await this.memory.recorder.ready(now)) {
      restoreStates(this.memory);
    }
  }

  /** Reads what ran while nobody looked, as far back as Sidekiq keeps it. */
  private async catchUp(
    { at }: Snapshot,
    signal: AbortSignal
  ): Promise<Pick<Reading, 'missed'> & { told: readonly Notice[] }> {
    const { lastAt } = this.memory.watch.observers.classTotals;
    // Of the minutes since then a snapshot has the counts and the durations.
    if (lastAt === 0 || at - lastAt <= CHANGING_SECONDS) {
      return { missed: null, told: [] };
    }
    try {
      const range = { from: Math.max(lastAt - CHANGING_SECONDS - 60, at - MINUTES_KEPT_SECONDS), to: at };
      const reads = this.reads(signal);
      const { buckets } = await reads.buckets(range, 60, at);
      const classes = new Set(buckets.flatMap((bucket) => [...bucket.classes.keys()]));
      const { durations } = await reads.durations([...classes], buckets, at);
      return { missed: { minutes: buckets, durations }, told: [] };
    } catch (error) {
      if (!(error instanceof Fault)) {
        throw error;
      }
      const text = `Executions since the last reading could not be counted. ${error.explanation}`;
      return { missed: null, told: [{ severity: 'warning', text }] };
    }
  }
}
