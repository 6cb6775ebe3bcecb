import { Fault } from '../faults/fault';
import { instantText } from '../source/instants';
import { NotRecorded } from '../source/notRecorded';
import type { Source } from '../source/source';
import type { Severity } from '../findings/rule';
import { countText } from '../findings/texts';
import { findingRows, unreachableRow, type FindingRow } from '../queries/findings';
import type { Settings } from '../settings/settings';
import { openSource, type ReplayFlags } from './source';
import { oneLine } from '../printable';
import { versionsText } from '../sidekiq/totals';

/**
 * Prints what is wrong, the worst first, and what to do: the same findings as the query of that name.
 *
 * @returns whether nothing critical was found
 */
export async function check(settings: Settings, flags: ReplayFlags & { json?: boolean }): Promise<boolean> {
  const { json } = flags;
  const { source, now, close } = await openSource(settings, flags);
  try {
    const { head, rows } = await look(source, now());
    process.stdout.write(
      json
        ? `${JSON.stringify(rows.map(printed), null, 2)}\n`
        : [...head, ...rows.flatMap(lines)].map(oneLine).join('\n') + '\n'
    );
    return rows.every(({ severity }) => severity !== 'critical');
  } finally {
    close();
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

async function look(source: Source, at: number): Promise<{ head: string[]; rows: FindingRow[] }> {
  const { address } = source;
  try {
    const state = await source.state(at);
    const { snapshot, notices } = state;
    const { commands, roundTrips, milliseconds } = snapshot.cost;
    const head = [
      state.recorded
        ? `${address} as of ${instantText(state.now)}`
        : `Redis at ${address}: ${countText(commands, 'command')} in ${countText(roundTrips, 'round trip')}, ${milliseconds.toFixed(1)} ms`,
    ];
    const versions = snapshot.hasSidekiq === false ? [] : [versionsText(snapshot)];
    return {
      head: [...head, ...versions, ...notices.map(({ text }) => text)],
      rows: await findingRows(state, source.reads(undefined, state)),
    };
  } catch (error) {
    // That nothing was recorded is no finding.
    if (error instanceof Fault && !(error instanceof NotRecorded)) {
      return { head: [], rows: [unreachableRow(error, Date.now() / 1000)] };
    }
    throw error;
  }
}
