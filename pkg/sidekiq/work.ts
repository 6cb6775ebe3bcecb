import { command, type Command } from '../redis/readOnlyRedis';
import { keys } from './keys';
import { jobOf, parsePayload, text } from './payload';

/** A job that runs, as its process last reported it. Instants are epoch seconds. */
export interface Work {
  process: string;
  thread: string;
  queue: string;
  class: string;
  metricsClass: string;
  jid: string;
  runAt: number;
  enqueuedAt: number | null;
}

/** Entries read of one process's work hash; a process with more threads is told about in a notice. */
export const WORK_CAP = 1000;

/** What to ask Redis about a process's work: both key names where its version is not known to be new. */
export function workCommands(identity: string, olderThan642: boolean): Command[] {
  const scan = (key: string) => command('hscan', key, 0, 'COUNT', WORK_CAP);
  return olderThan642 ? [scan(keys.work(identity)), scan(keys.oldWork(identity))] : [scan(keys.work(identity))];
}

/** What one work hash held. */
export interface WorkRead {
  work: Work[];
  /** Entries that are not what Sidekiq writes. */
  broken: number;
  /** The hash holds more than {@link WORK_CAP} entries. */
  capped: boolean;
}

/** Reads the reply to HSCAN on a work hash. */
export function readWork(process: string, reply: unknown): WorkRead {
  const [cursor, pairs] = Array.isArray(reply) ? (reply as [string, string[]]) : ['0', []];
  const work: Work[] = [];
  let broken = 0;
  for (let index = 0; index + 1 < pairs.length; index += 2) {
    const entry = parsePayload(pairs[index + 1]);
    // Up to 6.0.1 the payload is an object, since then a JSON text inside the JSON text.
    const payload = parsePayload(entry?.['payload']);
    const runAt = Number(entry?.['run_at']);
    if (entry === null || payload === null || !Number.isFinite(runAt)) {
      broken += 1;
      continue;
    }
    const job = jobOf(payload);
    work.push({
      process,
      thread: pairs[index] ?? '',
      queue: text(entry['queue']) || job.queue,
      class: job.class,
      metricsClass: job.metricsClass,
      jid: job.jid,
      runAt,
      enqueuedAt: job.enqueuedAt,
    });
  }
  return { work, broken, capped: cursor !== '0' };
}
