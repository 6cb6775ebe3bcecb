import { z } from 'zod';
import { HISTOGRAM_BOUNDS_MS, type MinuteCounts } from './jobMetrics';
import type { Snapshot } from './snapshot';

const number = z.number();
const nullable = number.nullable();
const list = <T extends z.ZodType>(item: T) => z.object({ items: z.array(item), whole: z.boolean() });
const map = <T extends z.ZodType>(value: T) =>
  z.array(z.tuple([z.string(), value])).transform((pairs) => new Map(pairs as Array<[string, z.output<T>]>));

const job = z.object({
  jid: z.string(),
  class: z.string(),
  metricsClass: z.string(),
  queue: z.string(),
  enqueuedAt: nullable,
  createdAt: nullable,
});
const queue = z.object({
  name: z.string(),
  size: nullable,
  latencySeconds: nullable,
  paused: z.boolean().nullable(),
  known: z.boolean(),
  next: job.nullable(),
});
const capsule = z.object({
  name: z.string(),
  concurrency: nullable,
  mode: z.enum(['strict', 'weighted', 'random']).nullable(),
  weights: map(number),
});
const process = z.object({
  identity: z.string(),
  host: z.string(),
  pid: nullable,
  tag: z.string(),
  labels: z.array(z.string()),
  version: z.string(),
  startedAt: nullable,
  quiet: z.boolean(),
  embedded: z.boolean(),
  beatAt: nullable,
  beatAgeSeconds: nullable,
  busy: nullable,
  concurrency: nullable,
  rssBytes: nullable,
  rttSeconds: nullable,
  queues: z.array(z.string()),
  capsules: z.array(capsule),
});
const work = z.object({
  process: z.string(),
  thread: z.string(),
  queue: z.string(),
  class: z.string(),
  metricsClass: z.string(),
  jid: z.string(),
  runAt: nullable,
  enqueuedAt: nullable,
});
const counts = z
  .tuple([number, number, number])
  .transform(([processed, failed, milliseconds]) => ({ processed, failed, milliseconds }));
const durations = z
  .tuple([number, z.string(), z.array(number).length(HISTOGRAM_BOUNDS_MS.length)])
  .transform(([startsAt, jobClass, all]) => ({ startsAt, jobClass, counts: all }));
const minute = z.object({
  startsAt: number,
  classes: map(counts),
  shapes: map(z.array(z.enum(['new', 'old']))),
});
const recurring = z.object({
  source: z.enum(['sidekiq-cron', 'sidekiq-scheduler']),
  name: z.string(),
  prefix: z.string(),
  class: z.string(),
  queue: z.string(),
  schedule: z.string(),
  enabled: z.boolean(),
  lastAt: nullable,
  nextAt: nullable,
  lateFrom: nullable,
  unreadable: z.boolean(),
  zoneKnown: z.boolean(),
});
const totals = z.object({
  processed: nullable,
  failed: nullable,
  processedToday: nullable,
  failedToday: nullable,
  scheduled: nullable,
  retry: nullable,
  dead: nullable,
  processNames: nullable,
  overdueScheduled: nullable,
  overdueRetry: nullable,
  lateScheduled: nullable,
  lateRetry: nullable,
  activeJobRetries: nullable,
  deadLastHour: nullable,
});
const notice = z.object({ severity: z.enum(['info', 'warning', 'error']), text: z.string() });

const minutesSchema = z.array(minute);
const durationsSchema = z.array(durations);
const noticesSchema = z.array(notice);
const snapshotSchema = z.object({
  at: number,
  totals,
  queues: list(queue),
  processes: list(process),
  ghosts: list(z.string()),
  work: list(work),
  leader: z.string().nullable(),
  marks: list(z.object({ at: number, label: z.string() })),
  durations: durationsSchema,
  recurring: list(recurring),
  hasSidekiq: z.boolean().nullable(),
  refused: map(number),
  notices: noticesSchema,
  cost: z.object({ roundTrips: number, commands: number, bytesIn: number, milliseconds: number }),
});

/** Parts of a snapshot as plain JSON. What was written is read back equal; unknown fields are left out. */
export interface Codec<T> {
  encode(value: T): unknown;
  /** @throws ZodError for anything that `encode` did not give */
  decode(json: unknown): T;
}

/** A snapshot but for its minutes, which repeat from snapshot to snapshot. */
export type SnapshotBody = Omit<Snapshot, 'minutes'>;

export const snapshotCodec: Codec<SnapshotBody> = {
  encode: (snapshot) => ({
    ...snapshot,
    minutes: undefined,
    processes: {
      ...snapshot.processes,
      items: snapshot.processes.items.map((each) => ({
        ...each,
        capsules: each.capsules.map((one) => ({ ...one, weights: [...one.weights] })),
      })),
    },
    durations: durationsCodec.encode(snapshot.durations),
    refused: [...snapshot.refused],
  }),
  decode: (json) => snapshotSchema.parse(json),
};

export const minutesCodec: Codec<readonly MinuteCounts[]> = {
  encode: (minutes) =>
    minutes.map(({ startsAt, classes, shapes }) => ({
      startsAt,
      classes: [...classes].map(([name, { processed, failed, milliseconds }]) => [
        name,
        [processed, failed, milliseconds],
      ]),
      shapes: [...shapes],
    })),
  decode: (json) => minutesSchema.parse(json),
};

export const durationsCodec: Codec<Snapshot['durations']> = {
  encode: (all) => all.map((each) => [each.startsAt, each.jobClass, each.counts]),
  decode: (json) => durationsSchema.parse(json),
};

export const noticesCodec: Codec<Snapshot['notices']> = {
  encode: (notices) => notices,
  decode: (json) => noticesSchema.parse(json),
};
