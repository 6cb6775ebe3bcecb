import { Fault } from '../faults/fault';
import type { FigureReads } from '../series/store';
import type { BucketsRead, DurationsRead, FailuresRecorded, Range, Reads } from '../source/reads';
import { NotRecorded } from '../source/notRecorded';
import { instantText } from '../source/instants';
import type { Snapshot } from '../sidekiq/snapshot';
import type { MinuteCounts } from '../sidekiq/jobMetrics';
import { bucketsTouched, isTouched } from '../sidekiq/minutes';
import { warning } from '../sidekiq/parts/part';
import type { BesideReads } from './besideReads';
import type { Past } from './block';
import type { Recordings } from './recordings';

const REMEDY = 'Choose a time range that ends now.';

/** What was recorded at other instants, and the figures over time. */
interface Recorded {
  readonly recordings: Recordings;
  readonly history: () => Promise<FigureReads>;
  failuresAt(asOf: number): Promise<FailuresRecorded | null>;
}

/** The reads of a state of the past, or of no state: what was recorded with it. What was not, says so by {@link NotRecorded}. */
export class PastReads implements Reads {
  readonly minutesKeptSeconds = Infinity;

  constructor(
    private readonly past: Past | null,
    private readonly recorded: Recorded,
    /** Of the present, for what carries its dates itself. */
    private readonly live?: Reads
  ) {}

  get besideAt(): number | null {
    return this.past?.beside?.at ?? null;
  }

  /** Of the whole time that the source knows. */
  history() {
    return this.recorded.history();
  }

  async jobs(): Promise<never> {
    throw new NotRecorded('Stored jobs are not recorded, as they hold arguments.', REMEDY);
  }

  async job(): Promise<never> {
    return this.jobs();
  }

  async iterations() {
    return new Map<string, never>();
  }

  async batch() {
    return null;
  }

  async dueQueues(): Promise<never> {
    throw new NotRecorded('The queues of due jobs are not recorded.', REMEDY);
  }

  async days(): Promise<never> {
    throw new NotRecorded('Sidekiq’s daily counters are not recorded.', REMEDY);
  }

  async failures() {
    return this.beside('failures', 'The failures of the retry and the dead set were');
  }

  failuresAt(asOf: number) {
    return this.recorded.failuresAt(asOf);
  }

  async info() {
    return this.beside('info', 'INFO of Redis was');
  }

  async clients(): Promise<never> {
    throw new NotRecorded('Connections are not recorded.', REMEDY);
  }

  async contexts(): Promise<never> {
    throw new NotRecorded('Contexts of jobs are not recorded.', REMEDY);
  }

  async locks() {
    return this.beside('locks', 'Locks were');
  }

  async profiles() {
    return { profiles: [...this.beside('profiles', 'Profiles were')], notices: [] };
  }

  async backlog(names: readonly string[]) {
    const { at, samples, notices } = this.beside('backlog', 'What waits in the queues was');
    return {
      at,
      samples: samples.filter(({ queue }) => names.includes(queue)),
      notices: [
        ...notices,
        { severity: 'info' as const, text: `Queues were looked into at ${instantText(at)}, the longest 20.` },
      ],
    };
  }

  async recurring() {
    const { items, whole } = this.snapshot.recurring;
    return { entries: items, notices: whole ? [] : [warning('Not all entries of the schedulers were read.')] };
  }

  async deployMarks({ from, to }: Range, now: number) {
    try {
      if (this.live) {
        return await this.live.deployMarks({ from, to }, now);
      }
    } catch (error) {
      // The past can be asked without Redis: a snapshot has the marks of two days.
      if (!(error instanceof Fault)) {
        throw error;
      }
    }
    const marks = this.snapshot.marks.items.filter(({ at }) => at >= from && at <= to);
    return { marks, notices: [] };
  }

  async buckets(range: Range): Promise<BucketsRead> {
    const { minutes, missing } = await this.recordedMinutes(range);
    const then = this.unended();
    const last = minutes.at(-1)?.startsAt ?? -Infinity;
    const recent = this.snapshot.minutes.items
      .filter(({ startsAt }) => startsAt > last && isTouched(startsAt, range.from, range.to, 60))
      .sort((a, b) => a.startsAt - b.startsAt);
    const left = missing - recent.length;
    return {
      buckets: [...minutes.map((each) => then.get(each.startsAt) ?? each), ...recent],
      notices: left > 0 ? [warning(`${left} minutes of job metrics were not recorded in this time range.`)] : [],
    };
  }

  async durations(jobClasses: readonly string[], buckets: readonly MinuteCounts[]): Promise<DurationsRead> {
    const from = buckets[0]?.startsAt ?? 0;
    const to = buckets.at(-1)?.startsAt ?? 0;
    const wanted = new Set(jobClasses);
    const { durations } = await this.recorded.recordings.minutes({ from, to: to + 60 });
    const then = this.unended();
    const ended = durations.filter(({ startsAt }) => !then.has(startsAt));
    const known = new Set(ended.map(({ startsAt, jobClass }) => `${startsAt}\0${jobClass}`));
    const recent = this.snapshot.durations.filter(
      ({ startsAt, jobClass }) => startsAt >= from && startsAt <= to && !known.has(`${startsAt}\0${jobClass}`)
    );
    return { durations: [...ended, ...recent].filter(({ jobClass }) => wanted.has(jobClass)), notices: [] };
  }

  /** The minute that went on at this state, as it was then: what is recorded of it is what it came to hold. */
  private unended(): ReadonlyMap<number, MinuteCounts> {
    const { at, minutes } = this.snapshot;
    return new Map(
      minutes.items.filter(({ startsAt }) => startsAt + 60 > at).map((minute) => [minute.startsAt, minute])
    );
  }

  async recordedMinutes(range: Range) {
    return recordedMinutes(this.recorded.recordings, { from: range.from, to: Math.min(range.to, this.snapshot.at) });
  }

  private get snapshot(): Snapshot {
    if (!this.past) {
      throw new NotRecorded('Nothing was recorded at this time.', REMEDY);
    }
    return this.past.state.snapshot;
  }

  /** @param what is told where it was not recorded, with its verb */
  private beside<K extends Exclude<keyof BesideReads, 'at'>>(part: K, what: string): NonNullable<BesideReads[K]> {
    const found = this.past?.beside?.[part];
    if (found == null) {
      throw new NotRecorded(`${what} not recorded at this time.`, REMEDY);
    }
    return found;
  }
}

/** The recorded minutes of a range, with the number of those that are missing and their durations. */
export async function recordedMinutes(recordings: Recordings, { from, to }: Range) {
  const { minutes, durations } = await recordings.minutes({ from, to });
  return { minutes, durations, missing: bucketsTouched(from, to, 60) - minutes.length };
}
