import { z } from 'zod';
import type { Process, Work } from '../sidekiq/model';
import { workSchema } from '../sidekiq/snapshotCodec';
import type { GoneProcess, VanishedProcess } from './vanished';

/** Something that happened, for annotations. `endsAt` where it lasted. */
export interface WatchedEvent {
  readonly kind: 'start' | 'stop' | 'vanished' | 'returned' | 'version' | 'leader';
  readonly at: number;
  readonly endsAt?: number;
  readonly title: string;
  readonly host: string;
  /** Identity of the process, where the event is of one. */
  readonly process?: string;
}

/** What is known of processes that have come and gone. */
export interface ProcessLogView {
  /** When the watch began; `null` before the first snapshot. */
  readonly since: number | null;
  /** Newest first. */
  readonly vanished: readonly VanishedProcess[];
  /** In the order in which they were noticed. */
  readonly events: readonly WatchedEvent[];
  /** Vanished processes since the watch began that are confirmed, by host; hosts without a loss are not in it. */
  readonly vanishedByHost: ReadonlyMap<string, number>;
  /** Jobs that ran in those. */
  readonly lostJobsTotal: number;
}

/** What the log remembers of a live process until its next look. */
export interface KnownProcess {
  process: GoneProcess & Pick<Process, 'version' | 'beatAt' | 'beatAgeSeconds'>;
  work: readonly Work[];
  seenAt: number;
  /** Nobody watched for a while, so that it may have stopped cleanly meanwhile. */
  unwatched: boolean;
  /** Until when nothing follows from its absence: the database was emptied. */
  absentUntil: number | null;
}

const gone = z.object({ identity: z.string(), host: z.string() });

/** What a process log saves. Those of the first versions lack what has a default. */
export const savedSchema = z.object({
  since: z.number().nullable(),
  vanished: z.array(
    z.object({
      process: gone,
      lastBeatAt: z.number(),
      beatAt: z.number().nullable().default(null),
      noticedAt: z.number(),
      returnedAt: z.number().nullable().default(null),
      confirmed: z.boolean().default(true),
      jobs: z.array(workSchema.extend({ recovered: z.boolean(), usualSeconds: z.number().nullable().default(null) })),
    })
  ),
  events: z.array(
    z.object({
      kind: z.enum(['start', 'stop', 'vanished', 'returned', 'version', 'leader']),
      at: z.number(),
      endsAt: z.number().exactOptional(),
      title: z.string(),
      host: z.string(),
      process: z.string().exactOptional(),
    })
  ),
  vanishedByHost: z.array(z.tuple([z.string(), z.number()])),
  lostJobsTotal: z.number(),
  known: z
    .array(
      z.object({
        process: gone.extend({
          version: z.string(),
          beatAt: z.number().nullable(),
          beatAgeSeconds: z.number().nullable().default(null),
        }),
        work: z.array(workSchema),
        seenAt: z.number(),
        unwatched: z.boolean().default(true),
        absentUntil: z.number().nullable().default(null),
      })
    )
    .default([]),
  leader: z.string().nullable().default(null),
  hasLooked: z.boolean().default(false),
  processed: z.number().nullable().default(null),
});
