import { FEWEST_EXECUTIONS } from '../sidekiq/totals';
import type { State } from '../watch/state';
import type { RecurringEntry } from '../sidekiq/browse/recurring';

/** How much a finding matters; `ok` says that nothing is wrong. */
export const SEVERITIES = ['critical', 'warning', 'info', 'ok'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** 0 for the worst. */
export function severityRank(severity: Severity): number {
  return SEVERITIES.indexOf(severity);
}

/** What a finding is about. */
export const SUBJECT_KINDS = ['queue', 'worker type', 'class', 'host', 'entry', 'Redis', 'Sidekiq'] as const;
export type SubjectKind = (typeof SUBJECT_KINDS)[number];

/** Something that should run again and again: an entry of a scheduler, or a cadence of the settings. */
export interface RecurringRow extends Omit<RecurringEntry, 'source'> {
  /** `cadence` beside the schedulers: a class that the settings expect to run. */
  source: RecurringEntry['source'] | 'cadence';
  now: number;
}

/** What the rules look at. `null` where it could not be read. */
export interface Evidence {
  state: State;
  /** The lines of INFO. */
  info: ReadonlyMap<string, string> | null;
  recurring: readonly RecurringRow[] | null;
}

/** One thing that is wrong. Instants are epoch seconds. */
export interface Found {
  kind: SubjectKind;
  subject: string;
  /** A sentence. */
  text: string;
  evidence: string;
  cause: string;
  /** Since when, where that is known. */
  since: number | null;
  /** Other than the rule's. */
  severity?: Severity;
  /** Within one severity larger ones come first. */
  weight: number;
}

/** A thing that can go wrong: a row of the table from which the query, the command `check` and the docs are made. */
export interface FindingRule {
  id: string;
  severity: Severity;
  /** When it is found, for the reference page. */
  when: string;
  /** What to do. */
  remedy: string;
  find(evidence: Evidence): Found[];
}

/** Limits that the alert rules have too. */
export const LIMITS = {
  deadInAnHour: 100,
  failureShare: 0.05,
  fewestExecutions: FEWEST_EXECUTIONS,
  longRunSeconds: 3600,
  lateBeatSeconds: 30,
  slowRoundTripSeconds: 0.05,
  lateRunSeconds: 300,
  deadSetShare: 0.9,
  memoryShare: 0.9,
  memoryFullWithinSeconds: 6 * 3600,
  vanishedSeconds: 3600,
  saturatedWaitSeconds: 60,
  unusualDeviation: 1,
  /** Of what is also looked at for sudden changes. */
  unusualSlowDeviation: 1.5,
  breachWithinSeconds: 1800,
} as const;
