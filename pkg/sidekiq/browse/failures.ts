import type { ReadOnlyRedis } from '../../redis/readOnlyRedis';
import { Turns } from '../../turns';
import { applicationFrame, backtraceOf } from '../jobDetails';
import { keys } from '../keys';
import { scoredBetween, setSize } from '../parts/counters';
import { readPart, Trip, valueOf } from '../parts/part';
import { text } from '../payload';
import { instantOf, secondsOf } from '../plausible';
import { redact } from '../redact';
import { jobPages, type Entry, type JobPages } from './jobs';
import { storedJob } from './storedJobs';

/** A job in retry or dead: what is told of its failure. Instants are epoch seconds. */
export interface Failure {
  readonly source: 'retry' | 'dead';
  readonly class: string;
  readonly metricsClass: string;
  readonly queue: string;
  readonly errorClass: string;
  /** Without secrets. */
  readonly message: string;
  /** First line of the application in its backtrace, `''` where none is stored. */
  readonly frame: string;
  readonly firstAt: number | null;
  readonly lastAt: number | null;
  /** Failures that it stands for; 1 where it is left out. */
  readonly count?: number;
}

/** The failures of a set, and how much of it was looked at. */
export interface FailuresRead {
  readonly failures: readonly Failure[];
  readonly looked: number;
  readonly total: number;
  /** Entries that are no JSON objects, and those that are too large to be read. */
  readonly broken: number;
  readonly oversized: number;
}

/** Entries kept at most: the newest dead ones, the next ones to be retried. */
const ENTRIES_KEPT = 100_000;
const TEXTS_KEPT = 10_000;
/** Entries of one part of the set. */
const PART_ENTRIES = 250;
/** One reading looks at entries for so long; what is left is looked at by the next. */
const READ_SECONDS = 4;
/** Retries that are due soon come and go, so that their number says little. */
const SOON_SECONDS = 120;
/** What was read so recently is handed out again. */
const FRESH_MS = 1000;

type Kept = Failure | 'broken' | 'oversized';

/** A run of entries of neighbouring scores: those after the end of the one before, up to its own. */
interface Part {
  /** Score of its last entry, as Redis prints it. */
  end: string;
  entries: Kept[];
}

/**
 * The failures of the retry or the dead set, kept from one question to the next. A set of ten thousand jobs has some
 * thirty megabytes, so only what has changed is read again: the set is taken in parts, Redis counts the entries of each
 * part, and a part with another number than before is read anew. One part is read anew each time whatever its number, and
 * so are retries that are due soon.
 *
 * Questions that come together share a reading. Holds {@link ENTRIES_KEPT} entries of some 100 bytes, and their distinct
 * texts.
 */
export class Failures {
  private parts: Part[] = [];
  private next = 0;
  /** Texts that are held already: classes and messages repeat. */
  private readonly texts = new Map<string, string>();
  private latest: { read: FailuresRead; at: number; now: number } | undefined;
  private running: Promise<FailuresRead> | undefined;

  constructor(private readonly source: 'retry' | 'dead') {}

  /** @param now epoch seconds, by the clock of Redis; @throws Fault where the set cannot be read */
  async read(redis: ReadOnlyRedis, now: number): Promise<FailuresRead> {
    const { latest } = this;
    // A simulated clock goes faster.
    if (latest && performance.now() - latest.at < FRESH_MS && Math.abs(now - latest.now) * 1000 < FRESH_MS) {
      return latest.read;
    }
    this.running ??= this.refresh(redis, now).finally(() => (this.running = undefined));
    return this.running;
  }

  private async refresh(redis: ReadOnlyRedis, now: number): Promise<FailuresRead> {
    const key = this.source === 'retry' ? keys.retry : keys.dead;
    const trip = new Trip();
    const size = trip.ask(setSize, key);
    const counts = this.parts.map((part, index) => trip.ask(scoredBetween, this.scores(index, part.end)));
    const brought = await trip.go(redis);
    // What is refused throws here, with its reason.
    const total = valueOf(brought.read(size)) ?? (await readPart(redis, setSize, key)).value;
    const pages = jobPages(redis, this.source);
    const turns = new Turns();
    const endsAt = performance.now() + READ_SECONDS * 1000;
    const again = this.parts.length === 0 ? -1 : this.next % this.parts.length;
    this.next += 1;
    const parts: Part[] = [];
    let position = 0;
    let whole = true;
    for (const [index, part] of this.parts.entries()) {
      const count = valueOf(brought.read(counts[index]!)) ?? part.entries.length;
      const isDue = count !== part.entries.length || index === again || this.isSoon(index, now);
      if (!isDue) {
        parts.push(part);
      } else if (performance.now() < endsAt) {
        parts.push(...(await this.readParts(pages, position, count, part.end, turns)));
      } else {
        // It is read by the next question, as its number is another one still.
        parts.push(part);
        whole = false;
      }
      position += count;
    }
    let held = parts.reduce((sum, { entries }) => sum + entries.length, 0);
    // What has come behind the last part, or all of it at first.
    while (whole && position < total && held < ENTRIES_KEPT && performance.now() < endsAt) {
      const more = await this.readParts(pages, position, Math.min(PART_ENTRIES, total - position), undefined, turns);
      const read = more.reduce((sum, { entries }) => sum + entries.length, 0);
      if (read === 0) {
        break;
      }
      parts.push(...more);
      position += read;
      held += read;
    }
    this.parts = this.bounded(parts);
    const kept = this.parts.flatMap(({ entries }) => entries);
    const read: FailuresRead = {
      failures: kept.filter((each) => typeof each === 'object'),
      looked: kept.length,
      total: Math.max(total, kept.length),
      broken: kept.filter((each) => each === 'broken').length,
      oversized: kept.filter((each) => each === 'oversized').length,
    };
    this.latest = { read, at: performance.now(), now };
    return read;
  }

  /** Scores of a part, as ZCOUNT takes them: the order of the dead is from the newest on. */
  private scores(index: number, end: string): { key: string; from: string; to: string } {
    const before = this.parts[index - 1];
    if (this.source === 'dead') {
      return { key: keys.dead, from: end, to: before ? `(${before.end}` : '+inf' };
    }
    return { key: keys.retry, from: before ? `(${before.end}` : '-inf', to: end };
  }

  private isSoon(index: number, now: number): boolean {
    const begins = Number(this.parts[index - 1]?.end ?? '-inf');
    return this.source === 'retry' && (index === 0 || begins < now + SOON_SECONDS);
  }

  /**
   * Reads entries and parts them anew. All entries of one score belong to one part, since only scores can be counted.
   *
   * @param end score at which the last part ends; without it at its last entry
   */
  private async readParts(
    pages: JobPages,
    from: number,
    count: number,
    end: string | undefined,
    turns: Turns
  ): Promise<Part[]> {
    const parts: Part[] = [];
    let part: Part | undefined;
    for (let at = from; at < from + count;) {
      const { entries, oversized, ended } = await pages.read(at, from + count - at);
      for (const entry of entries) {
        await turns.give();
        if (!part || (part.entries.length >= PART_ENTRIES && part.end !== entry.score)) {
          part = { end: entry.score, entries: [] };
          parts.push(part);
        }
        part.end = entry.score;
        part.entries.push(this.keep(entry));
      }
      if (oversized > 0) {
        part?.entries.push('oversized');
      }
      at += entries.length + oversized;
      if (ended) {
        break;
      }
    }
    if (part && end !== undefined) {
      part.end = end;
    }
    return parts;
  }

  private bounded(parts: readonly Part[]): Part[] {
    let held = 0;
    return parts.filter(({ entries }) => {
      held += entries.length;
      return entries.length > 0 && held - entries.length < ENTRIES_KEPT;
    });
  }

  private keep({ raw, score }: Entry): Kept {
    const isDead = this.source === 'dead';
    const job = storedJob(this.source, raw, secondsOf(score));
    if (job === null) {
      return 'broken';
    }
    const { payload } = job;
    const firstAt = instantOf(payload['failed_at']);
    return {
      source: this.source,
      class: this.once(job.class),
      metricsClass: this.once(job.metricsClass),
      queue: this.once(job.queue),
      errorClass: this.once(text(payload['error_class']) || 'unknown'),
      message: this.once(redact(text(payload['error_message']))),
      frame: this.once(applicationFrame(backtraceOf(payload)) ?? ''),
      firstAt,
      lastAt: (isDead ? job.scoreAt : null) ?? instantOf(payload['retried_at']) ?? firstAt,
    };
  }

  private once(value: string): string {
    const held = this.texts.get(value);
    if (held !== undefined) {
      return held;
    }
    if (this.texts.size >= TEXTS_KEPT) {
      this.texts.clear();
    }
    this.texts.set(value, value);
    return value;
  }
}
