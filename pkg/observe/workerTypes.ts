import { groupBy } from '../sidekiq/groupBy';
import type { Process } from '../sidekiq/model';
import { namesText } from '../sidekiq/namesText';

interface Served {
  /** The queues by name, as one text. */
  key: string;
  queues: readonly string[];
  threads: number;
  tag: string;
}

/** Queues that a name of a worker type holds; more are counted. */
const NAMED = 3;

/**
 * Worker types as they run, for settings without a map: processes and capsules that serve the same queues are one type. A
 * queue that several types serve belongs to that with the most threads. A type has the tag of its processes for a name
 * where no other type has that tag, else the names of its queues.
 *
 * @returns the name of the type by queue; a queue that nobody serves is not in it
 */
export function derivedWorkerTypes(processes: readonly Process[]): ReadonlyMap<string, string> {
  const served = processes.flatMap(servedBy);
  if (served.length !== last.served.length || served.some((each, index) => each !== last.served[index])) {
    last = { served, names: namesOf(served) };
  }
  return last.names;
}

/** The worker type of each queue by its name; empty where it has none. */
export function typesByQueue(
  queues: ReadonlyArray<{ readonly name: string; readonly workerType: string }>
): ReadonlyMap<string, string> {
  return new Map(queues.map(({ name, workerType }) => [name, workerType]));
}

/** The worker types of the queues that a process serves, each once; an empty one for queues without. */
export function typesServed(queues: readonly string[], types: ReadonlyMap<string, string>): string[] {
  return [...new Set(queues.map((queue) => types.get(queue) ?? ''))];
}

/** Of the last reading: processes come and go far less often than it is asked. */
let last: { served: readonly Served[]; names: ReadonlyMap<string, string> } = { served: [], names: new Map() };

function namesOf(served: readonly Served[]): Map<string, string> {
  const types = [...groupBy(served, ({ key }) => key)].map(([, members]) => ({
    queues: members[0]!.queues,
    threads: members.reduce((sum, { threads }) => sum + threads, 0),
    tags: new Set(members.map(({ tag }) => tag)),
  }));
  const names = new Map<string, string>();
  // The largest last, so that it has the last word on a queue of several.
  for (const { queues, tags } of [...types].sort((a, b) => a.threads - b.threads)) {
    const [tag = ''] = tags;
    const isOwn =
      tag !== '' && tags.size === 1 && types.every((other) => other.queues === queues || !other.tags.has(tag));
    const name = isOwn ? tag : namesText(queues, NAMED);
    queues.forEach((queue) => names.set(queue, name));
  }
  return names;
}

/** Capsules are the same object from reading to reading while a process does not change. */
const known = new WeakMap<Process['capsules'], Served[]>();

function servedBy(process: Process): Served[] {
  const before = known.get(process.capsules);
  if (before && process.capsules.length > 0) {
    return before;
  }
  const served = readServed(process);
  known.set(process.capsules, served);
  return served;
}

function readServed({ capsules, queues, concurrency, tag }: Process): Served[] {
  const all = capsules.length > 0 ? capsules.map((each) => ({ ...each, queues: [...each.weights.keys()] })) : [];
  return (all.length > 0 ? all : [{ queues: [...queues], concurrency }])
    .filter((each) => each.queues.length > 0)
    .map((each) => {
      const names = [...each.queues].sort();
      return { key: names.join('\0'), queues: names, threads: each.concurrency ?? 0, tag };
    });
}
