import { Fault } from '../faults/fault';
import { WHERE_SIDEKIQ_IS } from '../findings/texts';
import { missesTotals } from '../sidekiq/refusals';
import { versionsOf, versionsText } from '../sidekiq/totals';
import { stateWithin } from './deadline';
import type { State } from '../watch/state';
import type { Source } from './source';

/** How an installation is, in a sentence and as figures. */
export interface Health {
  ok: boolean;
  message: string;
  details: Record<string, unknown>;
}

/** Longest time for an answer, whatever the state of Redis. */
const HEALTH_SECONDS = 4.5;

/** Reads once and says what was found: Sidekiq's versions, queues and processes, or what to do about a failure. */
export async function checkHealth(source: Source): Promise<Health> {
  try {
    const state = await stateWithin(HEALTH_SECONDS, source, {
      span: `${HEALTH_SECONDS} seconds`,
      remedy: 'Check firewalls, and whether Redis is blocked by a slow command (SLOWLOG GET).',
    });
    return describe(state, source.address);
  } catch (error) {
    if (error instanceof Fault) {
      return { ok: false, message: error.explanation, details: { kind: error.kind } };
    }
    throw error;
  }
}

const NO_QUEUE = 'No queue is shown: check the settings "queueInclude" and "queueExclude" if there should be some.';

/** What to say of a Redis in which nothing is Sidekiq's. */
export function noSidekiq(address: string): string {
  return `Redis answers at ${address}, but this database holds no Sidekiq. Check the database number and the key prefix.`;
}

function describe({ snapshot, totals, queues, notices: all, options }: State, address: string): Health {
  const chosen = options.queueInclude !== '' || options.queueExclude !== '';
  const notices = [...all.map(({ text }) => text), ...(chosen && queues.length === 0 ? [NO_QUEUE] : [])];
  const { hasSidekiq, cost } = snapshot;
  if (hasSidekiq === false) {
    return {
      ok: false,
      message: `${noSidekiq(address)} ${WHERE_SIDEKIQ_IS}`,
      details: { kind: 'data' },
    };
  }
  if (hasSidekiq === null || missesTotals(snapshot)) {
    return {
      ok: false,
      message: [`Redis answers at ${address}, but not everything may be read.`, ...notices].join(' '),
      details: { kind: 'permission', notices, cost },
    };
  }
  const parts = [
    `${versionsText(snapshot)} at ${address}`,
    count(queues.length, 'queue'),
    `${count(totals.processes, 'process', 'processes')} with ${count(totals.threads, 'thread')}`,
    `${count(totals.enqueued, 'job')} waiting`,
  ];
  return {
    ok: true,
    message: [`${parts.join(' · ')}.`, ...notices].join(' '),
    details: {
      versions: versionsOf(snapshot),
      queues: queues.length,
      processes: totals.processes,
      threads: totals.threads,
      enqueued: totals.enqueued,
      notices,
      cost,
    },
  };
}

function count(number: number | null, noun: string, plural = `${noun}s`): string {
  return number === null
    ? `an unknown number of ${plural}`
    : `${number.toLocaleString('en')} ${number === 1 ? noun : plural}`;
}
