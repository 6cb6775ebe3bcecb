import { z } from 'zod';

/** One worker type: the queues it serves, how late a job may become there (seconds), and for which share of the time. */
const workerTypeSchema = z.object({
  name: z.string().min(1, 'a worker type needs a name'),
  queues: z.array(z.string().min(1)).default([]),
  latencyObjectiveSeconds: z.number().positive().default(300),
  /** Share of the time that should be within that latency; {@link DEFAULT_OBJECTIVE} where it is left out. */
  objectiveShare: z.number().min(0.5).max(0.99999).optional(),
  /** Days over which that share is told. */
  objectiveDays: z.number().min(1).max(90).optional(),
});

/** Of worker types and queues for which none is set. */
export const DEFAULT_OBJECTIVE = { share: 0.99, days: 30 };

/** A job class that should run at least every `everySeconds`. */
export const cadenceSchema = z.object({
  class: z.string().min(1, 'a cadence needs a job class'),
  everySeconds: z.number().positive(),
});

/** Worker types of the settings: no name twice, and no queue in two. */
export const workerTypesSchema = z.array(workerTypeSchema).superRefine((types, context) => {
  const taken = new Map<string, string>();
  types.forEach(({ name, queues }, index) => {
    if (types.findIndex((type) => type.name === name) < index) {
      context.addIssue({ code: 'custom', path: [index, 'name'], message: `there is a worker type "${name}" already` });
    }
    for (const queue of new Set(queues)) {
      const other = taken.get(queue);
      if (other !== undefined) {
        context.addIssue({
          code: 'custom',
          path: [index, 'queues'],
          message: `the queue "${queue}" is one of "${other}" already`,
        });
      }
      taken.set(queue, name);
    }
  });
});

export type WorkerType = z.infer<typeof workerTypeSchema>;
export type Cadence = z.infer<typeof cadenceSchema>;

/** The name of the worker type that serves a queue, or `''` when the map does not know the queue. */
export function workerTypeOf(queue: string, workerTypes: readonly WorkerType[]): string {
  return workerTypes.find((workerType) => workerType.queues.includes(queue))?.name ?? '';
}

/** Seconds a job may wait in a queue of no worker type. */
export const DEFAULT_OBJECTIVE_SECONDS = 300;

/** Which share of which time should be within the latency of a worker type. */
export function objectiveOf(name: string, workerTypes: readonly WorkerType[]): { share: number; days: number } {
  const type = workerTypes.find((each) => each.name === name);
  return {
    share: type?.objectiveShare ?? DEFAULT_OBJECTIVE.share,
    days: type?.objectiveDays ?? DEFAULT_OBJECTIVE.days,
  };
}

/** How long a job may wait in a queue (seconds), by the objective of its worker type. */
export function latencyObjectiveOf(queue: string, workerTypes: readonly WorkerType[]): number {
  const workerType = workerTypes.find(({ queues }) => queues.includes(queue));
  return workerType?.latencyObjectiveSeconds ?? DEFAULT_OBJECTIVE_SECONDS;
}
