import { Fault } from '../faults/fault';
import { noSidekiq } from '../source/health';
import { Installation } from '../installation/installation';
import type { Severity } from '../queries/findingRules/rule';
import { findingRows, unreachableRow, type FindingRow } from '../queries/findings';
import type { Settings } from '../settings/settings';
import { versionsOf } from '../sidekiq/totals';

/**
 * Prints what is wrong, the worst first, and what to do: the same findings as the query of that name.
 *
 * @returns whether nothing critical was found
 */
export async function check(settings: Settings, { json }: { json?: boolean }): Promise<boolean> {
  const installation = new Installation(settings);
  try {
    const { head, rows } = await look(installation);
    process.stdout.write(
      json ? `${JSON.stringify(rows.map(printed), null, 2)}\n` : [...head, ...rows.flatMap(lines)].join('\n') + '\n'
    );
    return rows.every(({ severity }) => severity !== 'critical');
  } finally {
    installation.close();
  }
}

const MARKS: Readonly<Record<Severity, string>> = { ok: '✔', info: 'i', warning: '!', critical: '✘' };

function lines({ severity, text, evidence, cause, remedy }: FindingRow): string[] {
  const more = [evidence, cause, remedy].filter((part) => part !== '').map((part) => `  ${part}`);
  return [`${MARKS[severity]} ${text}`, ...more];
}

/** A finding as the query names its columns. */
function printed({ severity, rule, kind, subject, text, since, remedy, cause, evidence }: FindingRow) {
  return {
    severity,
    finding: text,
    since: since === null ? null : new Date(since * 1000).toISOString(),
    action: remedy,
    cause,
    evidence,
    kind,
    subject,
    rule,
  };
}

async function look(installation: Installation): Promise<{ head: string[]; rows: FindingRow[] }> {
  const { address } = installation.redis;
  try {
    const state = await installation.state();
    const { snapshot, notices } = state;
    const { commands, roundTrips, milliseconds } = snapshot.cost;
    const head = [
      `Redis at ${address}: ${commands} commands in ${roundTrips} round trips, ${milliseconds.toFixed(1)} ms`,
    ];
    if (snapshot.hasSidekiq === false) {
      const remedy = 'The applications name their database in REDIS_URL.';
      const fault = new Fault({ kind: 'data', message: noSidekiq(address), remedy });
      return { head, rows: [unreachableRow(fault, state.now)] };
    }
    return {
      head: [
        ...head,
        `Sidekiq ${versionsOf(snapshot).join(', ') || '(no process is running)'}`,
        ...notices.map(({ text }) => text),
      ],
      rows: await findingRows(state, installation.reads()),
    };
  } catch (error) {
    if (error instanceof Fault) {
      return { head: [], rows: [unreachableRow(error, Date.now() / 1000)] };
    }
    throw error;
  }
}
