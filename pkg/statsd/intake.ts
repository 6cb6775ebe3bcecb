import { nameOf } from '../sidekiq/name';
import { KnownLines } from './knownLines';
import { parseLine, type StatsdLine } from './line';
import { statsdNameOf, type StatsdKind } from './metrics';
import { StatsdMinutes } from './minutes';
import { StatsdRegistry, type Limits, type Series } from './registry';

/** What the receiver has counted since it started. */
export interface StatsdCounts {
  packets: number;
  lines: number;
  malformed: number;
  /** Lines that are fine and not Sidekiq's jobs: events, checks, sets, other metrics. */
  unused: number;
  /** Lines left out because of the limits on label sets, namespaces and memory. */
  dropped: number;
  /** Lines of which some tags were left out, since there were too many. */
  cut: number;
  /** What the sending clients say they dropped themselves, in bytes. */
  droppedBySenders: number;
}

/** The series of a line, and how many of its tags are not among its labels. */
interface Found {
  series: Series;
  cut: number;
}

/** Types of the wire by kind; a counter that came as a gauge could fall, which Prometheus takes for a reset. */
const TYPES: Readonly<Record<StatsdKind, ReadonlyArray<StatsdLine['type']>>> = {
  counter: ['c'],
  gauge: ['g'],
  timing: ['ms', 'h', 'd'],
};
/** Names and tags remembered, so that their text is looked at once; characters, whoever sends what. */
const REMEMBERED_CHARACTERS = 8_000_000;
/** What an entry takes beside its text, as characters; a new name has a table of its own. */
const ENTRY_CHARACTERS = 100;
const SENDER_DROPS = /^datadog\.dogstatsd\.client\.bytes_dropped(?:_queue|_writer)?$/;

/**
 * What Sidekiq Pro and Enterprise send by DogStatsD: packets are cut into lines, lines are counted, and those of Sidekiq
 * go to the registry of series and from there to its consumers.
 */
export class StatsdIntake {
  readonly counts: StatsdCounts = {
    packets: 0,
    lines: 0,
    malformed: 0,
    unused: 0,
    dropped: 0,
    cut: 0,
    droppedBySenders: 0,
  };
  readonly registry: StatsdRegistry;
  readonly minutes = new StatsdMinutes();
  /** Addresses that are listened at; none where no receiver runs. */
  readonly listening: string[] = [];
  /** By name and tags as sent; `null` for what is not kept. */
  private readonly known = new Map<string, Map<string, Found | null>>();
  /** The same by the bytes of whole lines: what most lines need. */
  private readonly lines = new KnownLines<Found & { line: StatsdLine }>();
  private generation = 0;
  private remembered = 0;

  /** @param prefix stands for the namespaces of all senders; each has its own where it is empty */
  constructor(
    limits: Limits,
    private readonly prefix = ''
  ) {
    this.registry = new StatsdRegistry(limits);
  }

  /**
   * Takes a packet of lines, ended by LF, CR LF or NUL.
   *
   * @param now epoch seconds
   * @returns the first malformed line and what is wrong with it
   */
  receive(packet: Buffer, now: number): { text: string; problem: string } | undefined {
    this.counts.packets += 1;
    let bad: { text: string; problem: string } | undefined;
    const { lines } = this;
    for (let start = 0, next = 0; start < packet.length; start = next) {
      // A line may have pushed out the series of the next one.
      this.forgetWhatIsGone();
      const isKnown = lines.look(packet, start);
      next = lines.end + 1;
      if (isKnown) {
        const { series, cut, line } = lines.kept!;
        line.values[0] = lines.value;
        this.counts.lines += 1;
        this.counts.cut += cut > 0 ? 1 : 0;
        this.registry.take(series, line, now);
        this.minutes.take(series, line, now);
        continue;
      }
      let { end } = lines;
      while (end > start && ENDS.has(packet[end - 1]!)) {
        end -= 1;
      }
      const text = textOf(packet.subarray(start, end));
      const parsed = parseLine(text);
      if ('line' in parsed) {
        this.counts.lines += 1;
        const problem = this.take(parsed.line, packet, start, now);
        if (problem !== undefined) {
          this.counts.malformed += 1;
          bad ??= { text, problem };
        }
      } else if ('malformed' in parsed) {
        this.counts.lines += 1;
        this.counts.malformed += 1;
        bad ??= { text, problem: parsed.malformed };
      } else if (parsed.unused !== 'blank') {
        this.counts.lines += 1;
        this.counts.unused += 1;
      }
    }
    return bad;
  }

  /** Characters of names and tags held; what their bound is about. */
  get rememberedCharacters(): number {
    return this.remembered;
  }

  /** @returns what is wrong with the line, where its type is not the metric's */
  private take(line: StatsdLine, packet: Buffer, start: number, now: number): string | undefined {
    const found = this.find(line, now);
    if (found) {
      const { series, cut } = found;
      if (!TYPES[series.metric.kind].includes(line.type)) {
        return `${series.metric.wire} is a ${series.metric.kind}, and was sent as type ${line.type}`;
      }
      this.counts.cut += cut > 0 ? 1 : 0;
      this.registry.take(series, line, now);
      this.minutes.take(series, line, now);
      this.lines.keep(packet, start, { series, cut, line });
    }
    return undefined;
  }

  private find(line: StatsdLine, now: number): Found | null {
    const known = this.known.get(line.name)?.get(line.tags);
    if (known !== undefined) {
      if (known === null) {
        this.countUnused(line);
      }
      return known;
    }
    const name = statsdNameOf(line.name);
    if (!name) {
      this.countUnused(line);
      this.remember(line, null);
      return null;
    }
    const found = this.registry.seriesFor(
      this.prefix === '' ? name : { ...name, namespace: this.prefix },
      line.tags,
      now
    );
    if (!found) {
      this.counts.dropped += 1;
      return null;
    }
    this.remember(line, found);
    return found;
  }

  private countUnused({ name, values }: StatsdLine): void {
    this.counts.unused += 1;
    if (SENDER_DROPS.test(name)) {
      this.counts.droppedBySenders += values[0] ?? 0;
    }
  }

  private remember({ name, tags }: StatsdLine, found: Found | null): void {
    const length = name.length + tags.length + (this.known.has(name) ? ENTRY_CHARACTERS : 3 * ENTRY_CHARACTERS);
    if (this.remembered + length > REMEMBERED_CHARACTERS) {
      this.forget();
    }
    let byTags = this.known.get(name);
    if (!byTags) {
      byTags = new Map();
      this.known.set(name, byTags);
    }
    byTags.set(tags, found);
    this.remembered += length;
  }

  private forgetWhatIsGone(): void {
    if (this.generation !== this.registry.generation) {
      this.generation = this.registry.generation;
      this.forget();
    }
  }

  private forget(): void {
    this.known.clear();
    this.lines.clear();
    this.remembered = 0;
  }
}

/** What some clients put at the end of a line beside LF: CR and NUL. */
const ENDS: ReadonlySet<number> = new Set([0, 13]);

/** Names with bytes that are no UTF-8 stay apart, as those from Redis do. */
function textOf(line: Buffer): string {
  const text = line.toString('utf8');
  return text.includes('\ufffd') ? nameOf(line) : text;
}
