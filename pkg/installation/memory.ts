import { Recordings } from '../recording/recordings';
import type { BlockStore } from '../series/blockStore';
import { Recorder } from '../series/recorder';
import { openSqliteStore } from '../series/sqliteStore';
import type { Administration } from '../settings/administration';
import type { Options } from '../settings/model';
import type { Settings } from '../settings/settings';
import { Failures } from '../sidekiq/browse/failures';
import { LockLooks } from '../sidekiq/browse/locks';
import { Minutes } from '../sidekiq/minutes';
import { StatsdIntake } from '../statsd/intake';
import { Watch } from '../watch/watch';

/** By which the limit on label sets of DogStatsD follows from that on series: most of its metrics are counters. */
const SERIES_OF_A_LABEL_SET = 3;

const UNLIMITED = { seconds: Infinity, bytes: Infinity };
const MIB = 1024 * 1024;

/** What is remembered between readings. */
export interface Memory {
  watch: Watch;
  minutes: Minutes;
  failures: Readonly<Record<'retry' | 'dead', Failures>>;
  locks: LockLooks;
  recorder: Recorder;
  recordings: Recordings;
  statsd: StatsdIntake;
  /** Where this process serves metrics, which tells its counters from those of others on one history file; empty where it does not. */
  servedAt: string;
}

/** An empty memory; its history lies where the administrator lets files lie. */
export function newMemory(
  options: Options,
  administration: Administration,
  { blocks, servedAt = options.exporterListen }: { blocks: BlockStore | undefined; servedAt: string | undefined }
): Memory {
  const { historyFile, historyRetentionDays: retentionDays, historyFileMode: mode } = options;
  const open = async () => openSqliteStore(administration.path('historyFile', historyFile), { retentionDays, mode });
  const recorder = new Recorder(historyFile === '' ? undefined : open);
  return {
    watch: new Watch(),
    minutes: new Minutes(),
    failures: { retry: new Failures('retry'), dead: new Failures('dead') },
    locks: new LockLooks(),
    recorder,
    recordings: new Recordings(
      {
        memory: { seconds: options.recordHours * 3600, bytes: options.recordMemory * MIB },
        file: blocks ? UNLIMITED : { seconds: options.recordDays * 86_400, bytes: options.recordFileSize * MIB },
      },
      () => blocks ?? (options.recordDays > 0 ? recorder.blocks : null)
    ),
    statsd: new StatsdIntake(
      {
        series: Math.ceil(options.seriesLimit / SERIES_OF_A_LABEL_SET),
        expireSeconds: options.statsdExpireSeconds,
      },
      options.statsdPrefix
    ),
    servedAt,
  };
}

/** What makes a memory another one: which Sidekiq is read, and what bounds the memory itself. */
export function sourceOf({ url, options }: Settings): string {
  return JSON.stringify([
    url,
    options.topology,
    options.sentinels,
    options.sentinelMaster,
    options.clusterNodes,
    options.database ?? null,
    options.keyPrefix,
    options.queueInclude,
    options.queueExclude,
    options.historyFile,
    options.historyFileMode,
    options.historyRetentionDays,
    options.recordHours,
    options.recordMemory,
    options.recordDays,
    options.recordFileSize,
    options.seriesLimit,
    options.statsdExpireSeconds,
    options.statsdPrefix,
  ]);
}
