import { command } from '../../redis/readOnlyRedis';
import { keys } from '../keys';
import type { Listed, Notice, Work } from '../model';
import { escapedName, nameOf } from '../name';
import { jobOf, parsePayload, text, type JsonObject } from '../payload';
import { secondsOf } from '../plausible';
import { remembered } from '../remembered';
import { listOf, pairsOf, textOf, warning, type Part } from './part';

/** Entries read of one process's work hash; a process with more threads is told about in a notice. */
const WORK_CAP = 2000;

/** Jobs that a process runs, by its identity and the generation of the key's name (up to Sidekiq 6.4.1, and since). */
export const processWork: Part<{ identity: string; shape: 'new' | 'old' }, Listed<Work>> = {
  what: 'running jobs',
  commands: ({ identity, shape }) => [
    command('hscan', shape === 'new' ? keys.work(identity) : keys.oldWork(identity), 0, 'COUNT', WORK_CAP),
  ],
  parse([value], { identity }) {
    const [cursor, flat] = listOf(value);
    const items: Work[] = [];
    let broken = 0;
    for (const [thread, raw] of pairsOf(flat)) {
      const text = textOf(raw);
      const record = text === null ? null : readRecord(text);
      if (record) {
        items.push({ process: identity, thread: nameOf(thread), ...record });
      } else {
        broken += 1;
      }
    }
    const notices: Notice[] = [];
    if (broken > 0) {
      notices.push(warning(`${broken} work records of ${identity} are not what Sidekiq writes and were left out.`));
    }
    const whole = textOf(cursor) !== null ? textOf(cursor) === '0' : true;
    if (!whole) {
      notices.push(warning(`${identity} has more than ${WORK_CAP} jobs in progress; the rest was left out.`));
    }
    return { value: { items, whole }, notices };
  },
};

/** What a process writes of a job that it runs. */
interface WorkRecord {
  payload: JsonObject;
  /** `''` where it is not written. */
  queue: string;
  /** Epoch seconds. */
  runAt: number | null;
}

/** Reads a value of a work hash; `null` where it is not what Sidekiq writes. */
export function workRecord(raw: string | null): WorkRecord | null {
  const entry = parsePayload(raw);
  // Up to 6.0.1 the payload is an object, since then a JSON text inside the JSON text.
  const payload = parsePayload(entry?.['payload']);
  return entry === null || payload === null
    ? null
    : { payload, queue: escapedName(text(entry['queue'])), runAt: secondsOf(entry['run_at']) };
}

const readRecord = remembered((raw: string): Omit<Work, 'process' | 'thread'> | null => {
  const record = workRecord(raw);
  if (record === null) {
    return null;
  }
  const job = jobOf(record.payload, record.queue || undefined);
  return {
    queue: job.queue,
    class: job.class,
    metricsClass: job.metricsClass,
    jid: job.jid,
    runAt: record.runAt,
    enqueuedAt: job.enqueuedAt,
  };
});
