import type { ReadOnlyRedis } from '../redis/readOnlyRedis';
import { keys } from './keys';
import type { LookedFor } from './model';
import { Trip, valueOf, type Brought, type Ticket } from './parts/part';
import { nextJobs, setJobs, type Slice, type StoredId } from './parts/queue';

/** Queues that are looked into in one reading; of more others come with the next one. */
const QUEUES = 50;
/** Entries of each queue that are looked at: those that are taken next, since jobs are put back there. */
const QUEUE_ENTRIES = 100;
/** Entries of each set that are looked at. */
const SET_ENTRIES = 2000;
/** Entries asked for at a time: before the first nothing tells how large they are. */
const PAGES = [1, 8, 200, SET_ENTRIES];
/** Bytes that one reading looks at, where all entries of a place are as large as the largest that it has seen there. */
const MOST_BYTES = 16 * 1024 * 1024;

/** A place that is looked into. */
interface Place {
  ask(trip: Trip, slice: Slice): Ticket<StoredId[]>;
  /** Whether a job that lies there is told. */
  tells(jid: string): boolean;
  /** Entries that are looked at. */
  most: number;
}

/** What was found, by IDs of jobs, and the round trips that it took. */
export interface LostJobs {
  readonly jids: readonly string[];
  readonly trips: readonly Brought[];
}

/**
 * Looks for the jobs of processes that are gone, in up to four round trips; in none where nothing is looked for.
 *
 * @param turn number of the reading, by which queues take turns
 * @param ranks of the sets whose entries count from a rank on, by their keys; `null` where it is not known
 * @returns the jobs that are taken next in the queues, and of those in the sets the ones that are looked for
 */
export async function readLostJobs(
  redis: ReadOnlyRedis,
  { queues, privateQueues, jids }: LookedFor,
  ranks: ReadonlyMap<string, number | null>,
  turn: number,
  signal?: AbortSignal
): Promise<LostJobs> {
  const inSet = { tells: (jid: string) => jids.has(jid), most: SET_ENTRIES };
  const ofSet = (key: string, from: number | 'last'): Place => ({
    ...inSet,
    ask: (trip, slice) => trip.askApart(setJobs, { key, from, wanted: jids, ...slice }),
  });
  const places: Place[] = [
    ...[...inTurn(queues, turn), ...inTurn(privateQueues, turn)].map((queue) => ({
      tells: () => true,
      most: QUEUE_ENTRIES,
      ask: (trip: Trip, slice: Slice) => trip.askApart(nextJobs, { queue, ...slice }),
    })),
    ...[...ranks].flatMap(([key, from]) => (from === null ? [] : [ofSet(key, from)])),
    ...(jids.size === 0 ? [] : [ofSet(keys.dead, 'last')]),
  ];

  const found: string[] = [];
  const trips: Brought[] = [];
  let bytes = 0;
  let open = places.map((place) => ({ place, seen: 0, largest: 0 }));
  for (const page of PAGES) {
    const share = (MOST_BYTES - bytes) / open.length;
    const trip = new Trip();
    const asked = open.flatMap(({ place, seen, largest }) => {
      const fit = largest === 0 ? page : Math.floor(share / largest);
      const count = Math.min(page, fit, place.most - seen);
      return count < 1 ? [] : [{ place, seen, largest, count, ticket: place.ask(trip, { skip: seen, count }) }];
    });
    if (asked.length === 0) {
      break;
    }
    const brought = await trip.go(redis, signal, 'tell');
    trips.push(brought);
    open = asked.flatMap(({ place, seen, largest, count, ticket }) => {
      // A place that is refused is asked no further.
      const entries = valueOf(brought.read(ticket)) ?? [];
      found.push(...entries.flatMap(({ jid }) => (jid !== null && place.tells(jid) ? [jid] : [])));
      bytes += entries.reduce((sum, entry) => sum + entry.bytes, 0);
      const next = { place, seen: seen + count, largest: Math.max(largest, ...entries.map((entry) => entry.bytes)) };
      return entries.length < count ? [] : [next];
    });
  }
  return { jids: found, trips };
}

function inTurn(queues: readonly string[], turn: number): readonly string[] {
  if (queues.length <= QUEUES) {
    return queues;
  }
  const begin = (turn * QUEUES) % queues.length;
  return [...queues.slice(begin), ...queues.slice(0, begin)].slice(0, QUEUES);
}
