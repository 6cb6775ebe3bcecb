import type { Fault } from '../faults/fault';
import { withoutMasterSeconds } from '../sidekiq/replica';
import { JOB_RULES } from './jobs';
import { LOCK_RULES } from './locks';
import { PROCESS_RULES } from './processes';
import { QUEUE_RULES } from './queues';
import { REDIS_RULES } from './redis';
import { USUAL_RULES } from './usual';
import { severityRank, type Evidence, type FindingRule, type Found, type Severity } from './rule';

/** All that is looked for. */
export const FINDING_RULES: readonly FindingRule[] = [
  ...REDIS_RULES,
  ...QUEUE_RULES,
  ...PROCESS_RULES,
  ...JOB_RULES,
  ...LOCK_RULES,
  ...USUAL_RULES,
];

/** What is wrong by the table, the worst first: by severity, then by weight. */
export function applyRules(evidence: Evidence): Array<Found & { rule: FindingRule; severity: Severity }> {
  // What a replica without its master says is of another time.
  const rules = withoutMasterSeconds(evidence.info) === null ? FINDING_RULES : REDIS_RULES;
  return rules
    .flatMap((rule) =>
      rule.find(evidence).map((found) => ({ ...found, rule, severity: found.severity ?? rule.severity }))
    )
    .sort((a, b) => severityRank(a.severity) - severityRank(b.severity) || b.weight - a.weight);
}

/** The one finding while Redis cannot be read. */
export function unreachable(fault: Fault, now: number): Found & { rule: FindingRule; severity: Severity } {
  return {
    kind: 'Redis',
    subject: 'Redis',
    text: fault.message,
    evidence: `tried at ${new Date(now * 1000).toISOString().slice(11, 19)} UTC`,
    cause: 'Redis is down, cannot be reached, or refuses the connection.',
    since: null,
    severity: 'critical',
    weight: Infinity,
    rule: {
      id: 'unreachable',
      severity: 'critical',
      when: 'Redis cannot be read.',
      remedy: fault.remedy,
      find: () => [],
    },
  };
}
