import { HISTOGRAM_BOUNDS_MS, noCounts } from '../sidekiq/jobMetrics';
import { parseLine, parseTags, type StatsdLine } from './line';
import { ProMinutes } from './proMinutes';
import { proMetricOf, type ProMetric } from './proMetric';
import { SlidingSummary } from './slidingSummary';

/** One label set of a metric. */
export interface ProSeries {
  metric: ProMetric;
  labels: Readonly<Record<string, string>>;
  /** Counters and gauges. */
  value: number;
  /** Of timings: durations in seconds, and observations per duration bucket of Sidekiq (not cumulative). */
  timing: { summary: SlidingSummary; buckets: number[] } | null;
  /** Epoch seconds of the last arrival. */
  lastAt: number;
}

export interface ProLimits {
  /** Label sets at most; further ones are counted and left out. */
  series: number;
  /** Seconds after which a silent counter or timing is forgotten. */
  expireSeconds: number;
}

/** What the receiver has counted since it started. */
export interface ProCounts {
  packets: number;
  lines: number;
  malformed: number;
  /** Lines that are fine and not Sidekiq's jobs: events, checks, sets, other metrics. */
  unused: number;
  /** Lines left out because of the limit on label sets. */
  dropped: number;
  /** What the sending clients say they dropped themselves, in bytes. */
  droppedBySenders: number;
}

/** Enterprise sends its gauges every 30 seconds; one that stopped tells nothing any more. */
const GAUGE_EXPIRE_SECONDS = 300;
const LABELS = 16;
const LABEL_LENGTH = 200;
/** Names and tags remembered, so that their text is looked at once; characters, whoever sends what. */
const REMEMBERED_CHARACTERS = 8_000_000;
const SENDER_DROPS = /^datadog\.dogstatsd\.client\.bytes_dropped(?:_queue|_writer)?$/;

/**
 * What Sidekiq Pro and Enterprise send by DogStatsD: counters, gauges and durations by label set, and executions
 * by minute and class. Bounded: label sets, their size, and how long silent ones are kept.
 */
export class ProJobs {
  readonly counts: ProCounts = { packets: 0, lines: 0, malformed: 0, unused: 0, dropped: 0, droppedBySenders: 0 };
  readonly minutes = new ProMinutes();
  /** Addresses that are listened at; none where no receiver runs. */
  readonly listening: string[] = [];
  /** By metric, then by label set. */
  private readonly series = new Map<ProMetric, Map<string, ProSeries>>();
  private kept = 0;
  /** By name and tags as sent; `null` for what is not kept. */
  private readonly known = new Map<string, Map<string, ProSeries | null>>();
  private remembered = 0;
  private sweptAt = 0;

  constructor(private readonly limits: ProLimits) {}

  /**
   * Takes a packet of lines.
   *
   * @param now epoch seconds
   * @returns the first malformed line and what is wrong with it
   */
  receive(packet: string, now: number): { text: string; problem: string } | undefined {
    this.counts.packets += 1;
    let bad: { text: string; problem: string } | undefined;
    for (let start = 0; start < packet.length;) {
      const newline = packet.indexOf('\n', start);
      const end = newline < 0 ? packet.length : newline;
      const text = packet.slice(start, end);
      start = end + 1;
      const parsed = parseLine(text);
      if ('line' in parsed) {
        this.counts.lines += 1;
        this.take(parsed.line, now);
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

  /** Series of a metric that still live, in the order of their first arrival. */
  seriesOf(metric: ProMetric, now: number): ProSeries[] {
    this.sweep(now);
    return [...(this.series.get(metric)?.values() ?? [])];
  }

  get size(): number {
    return this.kept;
  }

  /** Characters of names and tags held; what their bound is about. */
  get rememberedCharacters(): number {
    return this.remembered;
  }

  private take(line: StatsdLine, now: number): void {
    const series = this.find(line);
    if (!series) {
      return;
    }
    series.lastAt = now;
    const weight = 1 / line.rate;
    for (const value of line.values) {
      if (series.timing) {
        const milliseconds = Math.max(0, value);
        series.timing.summary.observe(milliseconds / 1000, weight, now);
        // Inclusive, as Prometheus' `le` is.
        series.timing.buckets[HISTOGRAM_BOUNDS_MS.findIndex((bound) => milliseconds <= bound)]! += weight;
      } else if (line.type === 'g') {
        series.value = value;
      } else {
        series.value += value * weight;
      }
    }
    this.countMinute(series, line, weight, now);
  }

  private countMinute({ metric, labels }: ProSeries, { values }: StatsdLine, weight: number, now: number): void {
    const worker = labels['worker'];
    if (!worker) {
      return;
    }
    if (metric.wire === 'jobs.perform') {
      values.forEach((value) => this.minutes.duration(worker, Math.max(0, value), weight, now));
    } else if (metric.wire === 'jobs.count' || metric.wire === 'jobs.failure') {
      const amount = values.reduce((sum, value) => sum + value * weight, 0);
      this.minutes.count(worker, metric.wire === 'jobs.count' ? 'processed' : 'failed', amount, now);
    }
  }

  private find(line: StatsdLine): ProSeries | null {
    let byTags = this.known.get(line.name);
    const known = byTags?.get(line.tags);
    if (known !== undefined) {
      if (known === null) {
        this.countUnused(line);
      }
      return known;
    }
    const metric = proMetricOf(line.name);
    const found = metric ? this.seriesFor(metric, line) : null;
    if (metric && !found) {
      this.counts.dropped += 1;
      return null;
    }
    if (!metric) {
      this.countUnused(line);
    }
    const length = line.name.length + line.tags.length;
    if (this.remembered + length > REMEMBERED_CHARACTERS) {
      this.forget();
      byTags = undefined;
    }
    if (!byTags) {
      byTags = new Map();
      this.known.set(line.name, byTags);
    }
    byTags.set(line.tags, found);
    this.remembered += length;
    return found;
  }

  private countUnused(line: StatsdLine): void {
    this.counts.unused += 1;
    if (SENDER_DROPS.test(line.name)) {
      this.counts.droppedBySenders += line.values[0] ?? 0;
    }
  }

  private seriesFor(metric: ProMetric, { tags }: StatsdLine): ProSeries | null {
    const labels = labelsOf(tags);
    const key = JSON.stringify(labels);
    const siblings = this.series.get(metric) ?? new Map<string, ProSeries>();
    const known = siblings.get(key);
    if (known) {
      return known;
    }
    if (this.kept >= this.limits.series) {
      return null;
    }
    const series: ProSeries = {
      metric,
      labels,
      value: 0,
      timing: metric.kind === 'timing' ? { summary: new SlidingSummary(), buckets: noCounts() } : null,
      lastAt: 0,
    };
    siblings.set(key, series);
    this.series.set(metric, siblings);
    this.kept += 1;
    return series;
  }

  private sweep(now: number): void {
    if (now - this.sweptAt < 10) {
      return;
    }
    this.sweptAt = now;
    const before = this.kept;
    for (const [{ kind }, siblings] of this.series) {
      const expire = kind === 'gauge' ? GAUGE_EXPIRE_SECONDS : this.limits.expireSeconds;
      for (const [key, { lastAt }] of siblings) {
        if (now - lastAt > expire) {
          siblings.delete(key);
          this.kept -= 1;
        }
      }
    }
    if (this.kept < before) {
      this.forget();
    }
  }

  private forget(): void {
    this.known.clear();
    this.remembered = 0;
  }
}

/** Labels of Prometheus from tags: names made valid, values cut, sorted, and the first of each name. */
function labelsOf(tags: string): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const [tag, value] of parseTags(tags)) {
    const name = tag.replace(/[^a-zA-Z0-9_]/g, '_').replace(/^(?=\d)/, '_');
    if (value !== '' && name !== 'quantile' && name !== 'le' && !name.startsWith('__') && !(name in labels)) {
      labels[name] = value.slice(0, LABEL_LENGTH);
    }
  }
  return Object.fromEntries(
    Object.entries(labels)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .slice(0, LABELS)
  );
}
