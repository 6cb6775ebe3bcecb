import type { ReadOnlyRedis } from '../../redis/readOnlyRedis';
import { groupBy } from '../groupBy';
import type { Notice } from '../model';
import { jobOf, parsePayload, waitingSince, type Job } from '../payload';
import { Trip, type Part } from '../parts/part';
import { endsCommands, readEnds } from '../parts/queueEnds';

/** Payloads looked at from each end of a queue. */
export const BACKLOG_END = 100;

/** Jobs of one class that were seen in a queue. */
export interface BacklogClass {
  class: string;
  metricsClass: string;
  jobs: number;
  /** When the oldest was enqueued, epoch seconds; `null` where no job tells. */
  oldestAt: number | null;
  /** Of all their payloads. */
  bytes: number;
}

/** What was seen of a queue: all of it where it is short, else both of its ends. */
export interface BacklogSample {
  queue: string;
  size: number;
  /** The jobs that were seen, by class in the order in which they were seen. */
  classes: BacklogClass[];
  /** Entries that are no JSON object. */
  broken: number;
}

/** Both ends of a queue; never more than {@link BACKLOG_END} payloads of each, however long the queue. */
export const queueEnds: Part<string, BacklogSample> = {
  what: 'waiting jobs',
  commands: (name) => endsCommands(name, BACKLOG_END),
  parse(values, queue) {
    const { size, entries } = readEnds(values);
    const payloads = entries.map((raw) => ({ payload: parsePayload(raw), bytes: raw.length }));
    return {
      value: {
        queue,
        size,
        classes: byClass(payloads.flatMap(({ payload, bytes }) => (payload ? [{ ...jobOf(payload), bytes }] : []))),
        broken: payloads.filter(({ payload }) => payload === null).length,
      },
    };
  },
};

function byClass(jobs: ReadonlyArray<Job & { bytes: number }>): BacklogClass[] {
  return [...groupBy(jobs, (job) => job.class)].map(([name, members]) => {
    const times = members.flatMap((job) => waitingSince(job) ?? []);
    return {
      class: name,
      metricsClass: members[0]!.metricsClass,
      jobs: members.length,
      oldestAt: times.length === 0 ? null : Math.min(...times),
      bytes: members.reduce((sum, { bytes }) => sum + bytes, 0),
    };
  });
}

/** Looks at both ends of some queues in one round trip. A queue that is refused is left out with a notice. @throws Fault */
export async function sampleBacklog(
  redis: ReadOnlyRedis,
  names: readonly string[],
  signal?: AbortSignal
): Promise<{ samples: BacklogSample[]; notices: readonly Notice[] }> {
  const trip = new Trip();
  const tickets = names.map((name) => trip.ask(queueEnds, name));
  const brought = await trip.go(redis, signal);
  return {
    samples: tickets.flatMap((ticket) => {
      const read = brought.read(ticket);
      return read.ok ? [read.value] : [];
    }),
    notices: brought.notices,
  };
}
