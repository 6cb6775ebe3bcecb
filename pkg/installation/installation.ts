import { ClassQueues } from '../history/classQueues';
import { seriesOf } from '../history/figures';
import { ClassTotals } from '../history/classTotals';
import { Flow } from '../history/flow';
import { LossWatch } from '../history/lossWatch';
import { MemoryStore } from '../history/memoryStore';
import { openSqliteStore } from '../history/sqliteStore';
import type { HistoryStore } from '../history/store';
import type { QueryContext } from '../queries/context';
import { openGate } from '../redis/gate';
import type { ReadOnlyRedis } from '../redis/readOnlyRedis';
import type { Options, Secrets } from '../settings/model';
import type { Settings } from '../settings/settings';
import { Collector, type Clock } from '../sidekiq/collector';
import { CHANGING_SECONDS, JobMetricsReader, MINUTES_KEPT_SECONDS } from '../sidekiq/jobMetricsReader';
import type { Durations, Snapshot } from '../sidekiq/snapshot';
import { ProJobs } from '../statsd/proJobs';

const CLASS_TOTALS = 'class totals';
const SAVE_EVERY_SECONDS = 10;

/** What a caller knows of a question besides the query itself. */
export type Asking = Pick<
  QueryContext,
  'range' | 'intervalSeconds' | 'maxDataPoints' | 'alerting' | 'dataSource' | 'signal'
>;

/**
 * One watched Sidekiq installation: its connection, its collector and what was seen of it over time.
 * Panels, alerts, scrapes and streams of one data source share one of these, and so one collector.
 */
export class Installation {
  readonly options: Options;
  readonly secrets: Secrets;
  readonly redis: ReadOnlyRedis;
  readonly flow = new Flow();
  readonly watch = new LossWatch();
  readonly classTotals = new ClassTotals();
  /** What Sidekiq Pro has sent by DogStatsD; empty where no receiver fills it. */
  readonly pro: ProJobs;
  /** Label sets left out of scrapes for their number, by metric. */
  readonly droppedSeries = new Map<string, number>();
  private readonly classQueues = new ClassQueues();
  private history: HistoryStore = new MemoryStore();
  private readonly collector: Collector;
  /** Settles when the history file, if there is one, is open. */
  private readonly opened: Promise<void>;
  private readonly jobMetrics: JobMetricsReader;
  private sampler: NodeJS.Timeout | undefined;
  private observed: Snapshot | undefined;
  private savedAt = 0;

  constructor(settings: Settings, clock?: Clock) {
    this.options = settings.options;
    this.secrets = settings.secrets;
    this.redis = openGate(settings);
    this.jobMetrics = new JobMetricsReader(this.redis);
    this.pro = new ProJobs({ series: this.options.seriesLimit, expireSeconds: this.options.statsdExpireSeconds });
    this.opened = this.openHistory();
    // Told to whoever asks next.
    this.opened.catch(() => undefined);
    this.collector = new Collector(this.redis, {
      reuseSeconds: this.options.reuseSeconds,
      includesQueue: queueTest(this.options),
      ...(clock && { clock }),
    });
  }

  /** The current snapshot, shared with whoever asks at the same time. @throws Fault */
  async snapshot(): Promise<Snapshot> {
    await this.opened;
    const snapshot = await this.collector.snapshot();
    if (snapshot !== this.observed) {
      this.observed = snapshot;
      this.flow.observe(snapshot);
      this.watch.observe(snapshot);
      this.classQueues.observe(snapshot);
      await this.countClasses(snapshot);
      this.history.append(snapshot.at, seriesOf(snapshot, this.flow, this.options.workerTypes));
    }
    return snapshot;
  }

  /** Starts to look at a fixed pace, so that rates and history exist when somebody asks. */
  startSampling(): void {
    if (this.sampler || !this.options.samplerEnabled) {
      return;
    }
    // A failed look leaves a gap; whoever asks next hears the reason.
    this.sampler = setInterval(() => void this.snapshot().catch(() => undefined), this.options.sampleSeconds * 1000);
    this.sampler.unref();
  }

  context(asking: Asking): QueryContext {
    const current = () => this.history;
    return {
      ...asking,
      snapshot: () => this.snapshot(),
      redis: this.redis,
      options: this.options,
      flow: this.flow,
      classQueues: this.classQueues,
      watch: this.watch,
      get history() {
        return current();
      },
      jobMetrics: this.jobMetrics,
      pro: this.pro,
    };
  }

  close(): void {
    clearInterval(this.sampler);
    this.redis.close();
    this.saveTotals();
    this.history.close();
  }

  private async countClasses(snapshot: Snapshot): Promise<void> {
    const { lastAt } = this.classTotals;
    const reached = snapshot.minutes[snapshot.minutes.length - 1]?.startsAt ?? snapshot.at;
    if (lastAt > 0 && lastAt < reached) {
      await this.catchUp(lastAt, reached, snapshot.at);
    }
    this.classTotals.observe(snapshot);
    if (snapshot.at - this.savedAt >= SAVE_EVERY_SECONDS) {
      this.savedAt = snapshot.at;
      this.saveTotals();
    }
  }

  /** Counts what ran while nobody looked, as far back as Sidekiq keeps it. */
  private async catchUp(from: number, to: number, now: number): Promise<void> {
    const start = Math.max(from - CHANGING_SECONDS, now - MINUTES_KEPT_SECONDS);
    const buckets = await this.jobMetrics.read(start, to, 60, now);
    const classes = new Set(buckets.flatMap((bucket) => [...bucket.classes.keys()]));
    const durations: Durations[] = [];
    for (const jobClass of classes) {
      for (const { startsAt, counts } of await this.jobMetrics.readHistograms(jobClass, buckets, now)) {
        durations.push({ startsAt, jobClass, counts });
      }
    }
    this.classTotals.absorb(buckets, durations);
  }

  private saveTotals(): void {
    if (this.classTotals.lastAt > 0) {
      this.history.saveState(CLASS_TOTALS, () => this.classTotals.save());
    }
  }

  private async openHistory(): Promise<void> {
    const { historyFile, historyRetentionDays } = this.options;
    if (historyFile !== '') {
      this.history = await openSqliteStore(historyFile, historyRetentionDays);
      const saved = this.history.loadState(CLASS_TOTALS);
      if (saved !== null) {
        this.classTotals.restore(saved);
      }
    }
  }
}

function queueTest({ queueInclude, queueExclude }: Options): (name: string) => boolean {
  const include = new RegExp(queueInclude);
  const exclude = queueExclude === '' ? undefined : new RegExp(queueExclude);
  return (name) => include.test(name) && !exclude?.test(name);
}
