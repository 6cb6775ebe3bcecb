import { z } from 'zod';
import type { Basis } from './usual';

const SCOPES = ['total', 'queue', 'workerType', 'class'] as const;

/** A figure of the last minutes beside what is usual for it. */
export interface UsualFigure {
  readonly scope: (typeof SCOPES)[number];
  /** `''` in total. */
  readonly key: string;
  /** Name of the history's figure. */
  readonly figure: string;
  /** Mean over the last minutes. */
  readonly value: number;
  readonly usual: number;
  readonly lower: number;
  readonly upper: number;
  /** By how many times the width of the band it lies above (below: negative) the band; 0 within. */
  readonly deviation: number;
  /** Whether it left the usual by a sudden change within the last hour; `null` where that is not looked for. */
  readonly sudden: boolean | null;
}

/** A class whose usual executions do not come. */
export interface MissingClass {
  readonly class: string;
  /** Epoch seconds of the minute in which it was last seen to run. */
  readonly lastRunAt: number;
  /** Executions that would be usual since then. */
  readonly expected: number;
  /** Executions that are usual in this hour. */
  readonly perHour: number;
}

/** A queue in which no job is seen though it usually has some. Counted by intervals of minutes in which one was seen. */
export interface MissingQueue {
  readonly queue: string;
  /** Epoch seconds of the end of the last interval in which a job was seen, waiting or running. */
  readonly lastSeenAt: number;
  /** Intervals with a job that would be usual since then. */
  readonly expected: number;
  /** Intervals with a job that are usual in this hour. */
  readonly perHour: number;
}

/** What is usual at an instant, and what is not: plain data, as it is recorded. */
export interface UsualView {
  /** Epoch seconds. */
  readonly at: number;
  readonly basis: NonNullable<Basis>;
  /** In total and of queues; of worker types and classes those that lie outside their band. */
  readonly figures: readonly UsualFigure[];
  readonly missing: readonly MissingClass[];
  readonly missingQueues: readonly MissingQueue[];
  /** Jobs pushed per second that are usual in this hour and in the hours after it, by queue. */
  readonly ahead: readonly UsualAhead[];
}

export interface UsualAhead {
  readonly queue: string;
  /** This hour first. */
  readonly inRates: readonly number[];
}

const number = z.number();

/** As it is recorded. */
export const usualSchema: z.ZodType<UsualView> = z.object({
  at: number,
  basis: z.enum(['week', 'day']),
  figures: z.array(
    z.object({
      scope: z.enum(SCOPES),
      key: z.string(),
      figure: z.string(),
      value: number,
      usual: number,
      lower: number,
      upper: number,
      deviation: number,
      // Earlier versions did not look for it.
      sudden: z.boolean().nullable().default(null),
    })
  ),
  missing: z.array(z.object({ class: z.string(), lastRunAt: number, expected: number, perHour: number })),
  // Earlier versions did not look for them.
  missingQueues: z
    .array(z.object({ queue: z.string(), lastSeenAt: number, expected: number, perHour: number }))
    .default([]),
  ahead: z.array(z.object({ queue: z.string(), inRates: z.array(number) })),
});
