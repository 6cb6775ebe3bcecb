import { z } from 'zod';

/** One worker type: the queues it serves and how late a job may become there (seconds). */
export const workerTypeSchema = z.object({
  name: z.string().min(1, 'a worker type needs a name'),
  queues: z.array(z.string().min(1)).default([]),
  latencyObjectiveSeconds: z.number().positive().default(300),
});

/** A job class that should run at least every `everySeconds`. */
export const cadenceSchema = z.object({
  class: z.string().min(1, 'a cadence needs a job class'),
  everySeconds: z.number().positive(),
});

export type WorkerType = z.infer<typeof workerTypeSchema>;
export type Cadence = z.infer<typeof cadenceSchema>;

/** The name of the worker type that serves a queue, or `''` when the map does not know the queue. */
export function workerTypeOf(queue: string, workerTypes: readonly WorkerType[]): string {
  return workerTypes.find((workerType) => workerType.queues.includes(queue))?.name ?? '';
}

/** Seconds a job may wait in a queue of no worker type. */
export const DEFAULT_OBJECTIVE_SECONDS = 300;

/** How long a job may wait in a queue (seconds), by the objective of its worker type. */
export function latencyObjectiveOf(queue: string, workerTypes: readonly WorkerType[]): number {
  const workerType = workerTypes.find(({ queues }) => queues.includes(queue));
  return workerType?.latencyObjectiveSeconds ?? DEFAULT_OBJECTIVE_SECONDS;
}
