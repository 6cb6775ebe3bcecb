import type { Notice } from '../model';
import { parsePayload, jobOf, type Job, type JsonObject } from '../payload';
import { warning } from '../parts/part';

/** Where a stored job lies. */
export const JOB_SOURCES = ['queue', 'scheduled', 'retry', 'dead'] as const;
export type JobSource = (typeof JOB_SOURCES)[number];

/** A job that waits, or is kept: its place and its payload. */
export interface StoredJob extends Job {
  source: JobSource;
  /**
   * Epoch seconds: when it is due (scheduled, retry) or died (dead); `null` in a queue, and where the score is no
   * plausible instant.
   */
  scoreAt: number | null;
  payload: JsonObject;
  /** The payload as it is stored. */
  raw: string;
  /** Bytes of its payload. */
  bytes: number;
}

/**
 * Reads an entry; `null` where it is no JSON object.
 *
 * @param queue in which it waits, whatever its payload says
 */
export function storedJob(source: JobSource, entry: Buffer, scoreAt: number | null, queue?: string): StoredJob | null {
  const raw = entry.toString('utf8');
  const payload = parsePayload(raw);
  return payload && { ...jobOf(payload, queue), source, scoreAt, payload, raw, bytes: entry.length };
}

/** What to say of entries that are larger than a reply may be; nothing where there are none. */
export function tooLarge(entries: number): Notice[] {
  return entries === 0
    ? []
    : [warning(`${entries === 1 ? '1 entry was' : `${entries} entries were`} left out: too large to be read.`)];
}

/** What to say of entries that are no JSON objects; nothing where there are none. */
export function unreadable(entries: number): Notice[] {
  switch (entries) {
    case 0:
      return [];
    case 1:
      return [warning('1 entry is not what Sidekiq writes and was left out.')];
    default:
      return [warning(`${entries} entries are not what Sidekiq writes and were left out.`)];
  }
}
