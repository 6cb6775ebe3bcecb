import { Fault } from '../faults/fault';
import { noSidekiq } from '../installation/health';
import { Installation } from '../installation/installation';
import type { State } from '../installation/state';
import type { QueueState } from '../observe/queueState';
import { missesTotals } from '../sidekiq/refusals';
import type { Snapshot } from '../sidekiq/snapshot';
import { versionsOf } from '../sidekiq/totals';
import type { Settings } from '../settings/settings';

/** One thing that was checked. */
interface Finding {
  what: string;
  state: 'ok' | 'warning' | 'error';
  text: string;
}

const SLOW_RTT_SECONDS = 0.05;
const LATE_BEAT_SECONDS = 30;

/** Checks Redis, rights, versions and queues, and prints one line each. @returns whether nothing is wrong */
export async function check(settings: Settings, { json }: { json?: boolean }): Promise<boolean> {
  const installation = new Installation(settings);
  try {
    const findings = await look(installation);
    process.stdout.write(json ? `${JSON.stringify(findings, null, 2)}\n` : findings.map(line).join(''));
    return findings.every(({ state }) => state !== 'error');
  } finally {
    installation.close();
  }
}

const MARKS = { ok: '✔', warning: '!', error: '✘' } as const;

function line({ what, state, text }: Finding): string {
  return `${MARKS[state]} ${what.padEnd(10)} ${text}\n`;
}

async function look(installation: Installation): Promise<Finding[]> {
  try {
    const state = await installation.state();
    return state.snapshot.hasSidekiq === false
      ? [emptyFinding(installation.redis.address)]
      : findings(state, installation.redis.address);
  } catch (error) {
    if (error instanceof Fault) {
      return [{ what: 'Redis', state: 'error', text: error.explanation }];
    }
    throw error;
  }
}

function emptyFinding(address: string): Finding {
  return {
    what: 'Sidekiq',
    state: 'error',
    text: noSidekiq(address),
  };
}

function findings({ snapshot, totals, queues, notices }: State, address: string): Finding[] {
  const { cost } = snapshot;
  const rights = missesTotals(snapshot) ? 'error' : 'warning';
  const { scheduled, retry, dead } = snapshot.totals;
  return [
    {
      what: 'Redis',
      state: 'ok',
      text: `${address} answers: ${cost.commands} commands in ${cost.roundTrips} round trips, ${cost.milliseconds.toFixed(1)} ms.`,
    },
    ...(notices.length === 0
      ? [{ what: 'Rights', state: 'ok' as const, text: 'Everything that was asked may be read.' }]
      : notices.map(({ text }): Finding => ({ what: 'Rights', state: rights, text }))),
    processFinding(snapshot),
    versionFinding(snapshot),
    ...queueFindings(queues),
    {
      what: 'Backlog',
      state: 'ok',
      text: `${shown(totals.enqueued)} waiting, ${shown(scheduled)} scheduled, ${shown(retry)} retries, ${shown(dead)} dead.`,
    },
  ];
}

/** What is not known is a question mark, never a zero. */
function shown(value: number | null): string {
  return value === null ? '?' : String(value);
}

function processFinding({ processes: { items: processes, whole }, ghosts: { items: ghosts } }: Snapshot): Finding {
  if (!whole) {
    return { what: 'Processes', state: 'error', text: `${processes.length} could be read; others were refused.` };
  }
  if (processes.length === 0) {
    return {
      what: 'Processes',
      state: 'error',
      text: 'No Sidekiq process is alive, so jobs only pile up. Start one.',
    };
  }
  const late = processes.filter(({ beatAgeSeconds }) => (beatAgeSeconds ?? 0) > LATE_BEAT_SECONDS);
  const slow = processes.filter(({ rttSeconds }) => (rttSeconds ?? 0) > SLOW_RTT_SECONDS);
  const problems = [
    ghosts.length > 0 && `${ghosts.length} ended without a clean stop (${ghosts.join(', ')})`,
    late.length > 0 &&
      `no heartbeat for ${LATE_BEAT_SECONDS} s from ${late.map(({ identity }) => identity).join(', ')}`,
    slow.length > 0 && `Redis is slow (> 50 ms) for ${slow.map(({ identity }) => identity).join(', ')}`,
  ].filter((problem) => problem !== false);
  const alive = `${processes.length} alive`;
  return problems.length === 0
    ? { what: 'Processes', state: 'ok', text: `${alive}, all with a fresh heartbeat.` }
    : { what: 'Processes', state: 'warning', text: `${alive}; ${problems.join('; ')}.` };
}

function versionFinding(snapshot: Snapshot): Finding {
  const versions = versionsOf(snapshot);
  return versions.length > 1
    ? { what: 'Versions', state: 'warning', text: `Mixed: ${versions.join(', ')}. Fine during a rollout; finish it.` }
    : { what: 'Versions', state: 'ok', text: `Sidekiq ${versions[0] ?? 'unknown'}.` };
}

function queueFindings(facts: readonly QueueState[]): Finding[] {
  const unserved = facts
    .filter((queue) => queue.unserved)
    .map(({ name, size }): Finding => ({
      what: 'Queues',
      state: 'error',
      text: `${name} has ${shown(size)} jobs and no process serves it. Start a worker for it, or stop routing jobs there.`,
    }));
  const starved = facts
    .filter((queue) => queue.starved)
    .map(({ name }): Finding => ({
      what: 'Queues',
      state: 'warning',
      text: `${name} starves: strict order keeps its workers busy with queues before it. Use weights, or a worker of its own.`,
    }));
  const found = [...unserved, ...starved];
  return found.length > 0
    ? found
    : [{ what: 'Queues', state: 'ok', text: `${facts.length}, all that hold jobs are served.` }];
}
