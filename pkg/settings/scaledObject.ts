import { z } from 'zod';
import { Fault } from '../faults/fault';
import { problemOf } from '../faults/problemOf';
import { commaSeparated } from './endpoint';

/** What a ScaledObject is scaled by. */
export const SCALED_BY = ['threads', 'latency', 'drain'] as const;

/** A decimal number as text, as KEDA sends it: no `0x10`, which JavaScript would take. */
const decimal = z
  .string()
  .regex(/^\s*\d+(?:\.\d+)?(?:[eE][+-]?\d+)?\s*$/, 'expected a number')
  .transform(Number);
const positive = decimal.pipe(z.number().positive().max(1e9));
const number = (fallback: number) => positive.default(fallback);

/** Of names in a trigger. */
const LONGEST_TEXT = 4096;

/** The metadata of a trigger; KEDA sends every value as text, and its own `scalerAddress` among them. */
const schema = z.object({
  /** The queues that the scaled workers serve: a worker type of the settings, or the queues by name. */
  workerType: z.string().max(LONGEST_TEXT).default(''),
  queues: z.string().max(LONGEST_TEXT).default(''),
  metric: z.enum(SCALED_BY).default('threads'),
  /** Threads of one replica: the target of `threads` and `drain`. */
  threadsPerReplica: number(10),
  /** How late a job may be: the target of `latency`; by default the objective of the settings. */
  objectiveSeconds: positive.optional(),
  /** In so long `drain` works off the backlog. */
  drainSeconds: number(300),
  /** For so long a larger value stands before a smaller one is told. */
  holdSeconds: decimal.pipe(z.number().min(0).max(86_400)).default(120),
});

export interface ScaledObject extends Omit<z.output<typeof schema>, 'queues'> {
  queues: readonly string[];
}

/** Reads the metadata of a trigger. @throws Fault `query` naming the field that is wrong */
export function parseScaledObject(metadata: Readonly<Record<string, string>>): ScaledObject {
  const parsed = schema.safeParse(metadata);
  if (!parsed.success) {
    const { path, reason } = problemOf(parsed.error);
    throw new Fault({
      kind: 'query',
      message: `The metadata "${String(path[0] ?? '')}" of the trigger is not valid: ${reason}.`,
      remedy: 'Correct the trigger of the ScaledObject; docs/autoscaling.md names every field.',
    });
  }
  const queues = commaSeparated(parsed.data.queues);
  if ((parsed.data.workerType === '') === (queues.length === 0)) {
    throw new Fault({
      kind: 'query',
      message: 'The trigger names no queues, or names them twice.',
      remedy: 'Give either "workerType" or "queues" in the metadata of the trigger.',
    });
  }
  return { ...parsed.data, queues };
}
