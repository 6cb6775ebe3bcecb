import { ClassNames } from '../observe/classNames';
import { ClassQueues } from '../observe/classQueues';
import { ClassTotals } from '../observe/classTotals';
import { Flow } from '../observe/flow';
import { JobWaits } from '../observe/jobWaits';
import { ProcessLog } from '../observe/processLog';
import { Recorder } from '../series/recorder';
import { openSqliteStore } from '../series/sqliteStore';
import type { Administration } from '../settings/administration';
import type { Options } from '../settings/model';
import type { Settings } from '../settings/settings';
import { Failures } from '../sidekiq/browse/failures';
import { Minutes } from '../sidekiq/minutes';
import { StatsdIntake } from '../statsd/intake';

/** By which the limit on label sets of DogStatsD follows from that on series: most of its metrics are counters. */
const SERIES_OF_A_LABEL_SET = 3;

/** What is remembered between readings. */
export interface Memory {
  observers: {
    flow: Flow;
    processLog: ProcessLog;
    classTotals: ClassTotals;
    classQueues: ClassQueues;
    classNames: ClassNames;
    jobWaits: JobWaits;
  };
  minutes: Minutes;
  failures: Readonly<Record<'retry' | 'dead', Failures>>;
  recorder: Recorder;
  statsd: StatsdIntake;
}

/** An empty memory; its history lies where the administrator lets files lie. */
export function newMemory(options: Options, administration: Administration): Memory {
  const { historyFile, historyRetentionDays: retentionDays, historyFileMode: mode } = options;
  const open = async () => openSqliteStore(administration.path('historyFile', historyFile), { retentionDays, mode });
  return {
    observers: {
      flow: new Flow(),
      processLog: new ProcessLog(),
      classTotals: new ClassTotals(),
      classQueues: new ClassQueues(),
      classNames: new ClassNames(),
      jobWaits: new JobWaits(),
    },
    minutes: new Minutes(),
    failures: { retry: new Failures('retry'), dead: new Failures('dead') },
    recorder: new Recorder(historyFile === '' ? undefined : open),
    statsd: new StatsdIntake(
      {
        series: Math.ceil(options.seriesLimit / SERIES_OF_A_LABEL_SET),
        expireSeconds: options.statsdExpireSeconds,
      },
      options.statsdPrefix
    ),
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
    options.seriesLimit,
    options.statsdExpireSeconds,
    options.statsdPrefix,
  ]);
}
