import { Fault } from '../faults/fault';
import type { Snapshot } from '../sidekiq/snapshot';
import { installationTotals, versionsOf } from '../sidekiq/totals';
import { snapshotWithin } from './deadline';
import type { Installation } from './installation';

/** How an installation is, in a sentence and as figures. */
export interface Health {
  ok: boolean;
  message: string;
  details: Record<string, unknown>;
}

/** Longest time for an answer, whatever the state of Redis. */
const HEALTH_SECONDS = 4.5;

/** Looks once and says what it found: Sidekiq's versions, queues and processes, or what to do about a failure. */
export async function checkHealth(installation: Installation): Promise<Health> {
  try {
    const snapshot = await snapshotWithin(HEALTH_SECONDS, installation, {
      span: `${HEALTH_SECONDS} seconds`,
      remedy: 'Check firewalls, and whether Redis is blocked by a slow command (SLOWLOG GET).',
    });
    return describe(snapshot, installation);
  } catch (error) {
    if (error instanceof Fault) {
      return { ok: false, message: error.explanation, details: { kind: error.kind } };
    }
    throw error;
  }
}

/** What to say of a Redis in which nothing is Sidekiq's. */
export function noSidekiq(address: string): string {
  return `Redis answers at ${address}, but this database holds no Sidekiq. Check the database number and the key prefix.`;
}

function describe(snapshot: Snapshot, installation: Installation): Health {
  const { address } = installation.redis;
  if (!snapshot.hasSidekiq) {
    return {
      ok: false,
      message: `${noSidekiq(address)} The applications name theirs in REDIS_URL.`,
      details: { kind: 'data' },
    };
  }
  const totals = installationTotals(snapshot);
  const versions = versionsOf(snapshot);
  const sidekiq = versions.length > 0 ? `Sidekiq ${versions.join(', ')}` : 'Sidekiq (no process is running)';
  const parts = [
    `${sidekiq} at ${address}`,
    count(snapshot.queues.length, 'queue'),
    `${count(totals.processes, 'process')} with ${count(totals.threads, 'thread')}`,
    `${totals.enqueued.toLocaleString('en')} jobs waiting`,
  ];
  const notices = snapshot.notices.map(({ text }) => text);
  return {
    ok: true,
    message: [`${parts.join(' · ')}.`, ...notices].join(' '),
    details: {
      versions,
      queues: snapshot.queues.length,
      processes: totals.processes,
      threads: totals.threads,
      enqueued: totals.enqueued,
      notices,
      cost: snapshot.cost,
    },
  };
}

function count(number: number, noun: string): string {
  return `${number.toLocaleString('en')} ${noun}${number === 1 ? '' : noun.endsWith('s') ? 'es' : 's'}`;
}
