import { z } from 'zod';
import {
  HISTOGRAM_BOUNDS_MS,
  SHAPES,
  type ClassCounts,
  type Durations,
  type MinuteCounts,
  type Shape,
} from './jobMetrics';
import type { Capsule, Process } from './model';
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
  // Both left out where they are those of the snapshot before.
  queues: z.array(z.string()).nullable(),
  capsules: z.array(capsule).nullable(),
});
/** A running job, as it is saved. */
export const workSchema = z.object({
  process: z.string(),
  thread: z.string(),
  queue: z.string(),
  class: z.string(),
  metricsClass: z.string(),
  jid: z.string(),
  runAt: nullable,
  enqueuedAt: nullable,
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
export const noticeSchema = z.object({ severity: z.enum(['info', 'warning', 'error']), text: z.string() });

const noticesSchema = z.array(noticeSchema);
const minutesSchema = z.object({ starts: z.array(number), changed: z.unknown(), whole: z.boolean() });
const snapshotSchema = z.object({
  at: number,
  totals,
  queues: list(queue),
  processes: list(process),
  ghosts: list(z.string()),
  work: list(workSchema),
  nextJobs: z.array(z.string()).default([]),
  leader: z.string().nullable(),
  marks: list(z.object({ at: number, label: z.string() })),
  recurring: list(recurring),
  hasSidekiq: z.boolean().nullable(),
  refused: map(number),
  notices: noticesSchema,
  cost: z.object({ roundTrips: number, commands: number, bytesIn: number, milliseconds: number }),
});

/** Parts of a snapshot as plain JSON. What was written is read back equal; unknown fields are left out. */
export interface Codec<T> {
  encode(value: T): unknown;
  /** @throws Error for anything that `encode` did not give */
  decode(json: unknown): T;
}

/** What a snapshot is likely to have in common with the one before: it is not written again. */
export interface Known {
  readonly minutes: ReadonlyMap<number, MinuteCounts>;
  readonly processes: ReadonlyMap<string, Process>;
  /** Counts by {@link durationsKey}. */
  readonly durations: ReadonlyMap<string, readonly number[]>;
}

export const NOTHING_KNOWN: Known = { minutes: new Map(), processes: new Map(), durations: new Map() };

/** What of a snapshot may come again. */
export function knownOf({ minutes, processes, durations }: Snapshot): Known {
  return {
    minutes: minutesByStart(minutes.items),
    processes: new Map(processes.items.map((process) => [process.identity, process])),
    durations: new Map(durations.map((each) => [durationsKey(each), each.counts])),
  };
}

/** Minutes by their beginning. */
export function minutesByStart(minutes: readonly MinuteCounts[]): Known['minutes'] {
  return new Map(minutes.map((minute) => [minute.startsAt, minute]));
}

function durationsKey({ startsAt, jobClass }: Pick<Durations, 'startsAt' | 'jobClass'>): string {
  return `${startsAt}\0${jobClass}`;
}

/** A snapshot as plain JSON, but for what is known. Parts that do not change are the same objects from one to the next. */
export function encodeSnapshot(snapshot: Snapshot, known: Known): Record<string, unknown> {
  const { items, whole } = snapshot.minutes;
  return {
    ...snapshot,
    processes: {
      ...snapshot.processes,
      items: snapshot.processes.items.map((each) => ({ ...each, ...encodeLayout(each, known) })),
    },
    minutes: {
      starts: items.map(({ startsAt }) => startsAt),
      changed: minutesCodec.encode(items.filter((minute) => known.minutes.get(minute.startsAt) !== minute)),
      whole,
    },
    durations: snapshot.durations.map((each) => [
      each.startsAt,
      each.jobClass,
      known.durations.get(durationsKey(each)) === each.counts ? null : each.counts,
    ]),
    refused: [...snapshot.refused],
  };
}

/** @throws Error for what {@link encodeSnapshot} did not give, or that does not follow what is known */
export function decodeSnapshot(json: unknown, known: Known): Snapshot {
  const { durations: encoded, minutes, ...rest } = json as Record<string, unknown>;
  const { processes, ...body } = snapshotSchema.parse(rest);
  const { starts, changed, whole } = minutesSchema.parse(minutes);
  const read = minutesByStart(minutesCodec.decode(changed));
  return {
    ...body,
    processes: {
      ...processes,
      items: processes.items.map((each): Process => {
        const before = known.processes.get(each.identity);
        const queues = each.queues ?? before?.queues ?? refuse('a process');
        return { ...each, queues, capsules: each.capsules ?? before?.capsules ?? refuse('a process') };
      }),
    },
    minutes: {
      items: starts.map((startsAt) => read.get(startsAt) ?? known.minutes.get(startsAt) ?? refuse('a minute')),
      whole,
    },
    durations: decodeDurations(encoded, known.durations),
  };
}

function encodeLayout({ identity, queues, capsules }: Process, known: Known) {
  const before = known.processes.get(identity);
  if (before && before.queues === queues && sameCapsules(before.capsules, capsules)) {
    return { queues: null, capsules: null };
  }
  return { queues, capsules: capsules.map((one) => ({ ...one, weights: [...one.weights] })) };
}

/** Weights are the same object while the record of a process stays. */
function sameCapsules(one: readonly Capsule[], other: readonly Capsule[]): boolean {
  return (
    one === other ||
    (one.length === other.length &&
      one.every((each, index) => {
        const { name, concurrency, mode, weights } = other[index]!;
        return each.name === name && each.concurrency === concurrency && each.mode === mode && each.weights === weights;
      }))
  );
}

function decodeDurations(json: unknown, known: Known['durations']): Durations[] {
  return listIn(json, 'durations').map((each) => {
    const [startsAt, jobClass, counts] = listIn(each, 'durations');
    const named = { startsAt: numberIn(startsAt, 'durations'), jobClass: nameIn(jobClass, 'durations') };
    if (counts === null) {
      return { ...named, counts: known.get(durationsKey(named)) ?? refuse('durations') };
    }
    const all = listIn(counts, 'durations');
    if (all.length !== HISTOGRAM_BOUNDS_MS.length) {
      refuse('durations');
    }
    return { ...named, counts: all.map((count) => numberIn(count, 'durations')) };
  });
}

// Minutes and durations are most of a recording, and zod takes as long for them as all else: they are checked by hand.
function refuse(what: string): never {
  throw new Error(`${what} cannot be read`);
}

function listIn(json: unknown, what: string): readonly unknown[] {
  return Array.isArray(json) ? (json as readonly unknown[]) : refuse(what);
}

function numberIn(json: unknown, what: string): number {
  return typeof json === 'number' ? json : refuse(what);
}

function nameIn(json: unknown, what: string): string {
  return typeof json === 'string' ? json : refuse(what);
}

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
  decode: (json) =>
    listIn(json, 'minutes').map((each) => {
      const { startsAt, classes, shapes } = (each ?? {}) as Record<string, unknown>;
      const counted = new Map<string, ClassCounts>();
      for (const pair of listIn(classes, 'classes')) {
        const [name, counts] = listIn(pair, 'a class');
        const [processed, failed, milliseconds] = listIn(counts, 'counts');
        counted.set(nameIn(name, 'a class'), {
          processed: numberIn(processed, 'counts'),
          failed: numberIn(failed, 'counts'),
          milliseconds: numberIn(milliseconds, 'counts'),
        });
      }
      const known = new Map<string, readonly Shape[]>();
      for (const pair of listIn(shapes, 'shapes')) {
        const [name, all] = listIn(pair, 'shapes');
        known.set(
          nameIn(name, 'shapes'),
          SHAPES.filter((shape) => listIn(all, 'shapes').includes(shape))
        );
      }
      return { startsAt: numberIn(startsAt, 'a minute'), classes: counted, shapes: known };
    }),
};

export const durationsCodec: Codec<Snapshot['durations']> = {
  encode: (all) => all.map((each) => [each.startsAt, each.jobClass, each.counts]),
  decode: (json) => decodeDurations(json, NOTHING_KNOWN.durations),
};

export const noticesCodec: Codec<Snapshot['notices']> = {
  encode: (notices) => notices,
  decode: (json) => noticesSchema.parse(json),
};
