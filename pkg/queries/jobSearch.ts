import { Fault } from '../faults/fault';
import type { Place } from '../sidekiq/browse/findJob';
import { NotRecorded } from '../source/notRecorded';
import type { Reads } from '../source/reads';
import { privateQueues } from '../watch/locksAsked';
import type { State } from '../watch/state';

/** Looks in the sets and queues; then, where it lies in none, in what super_fetch has taken for the processes that are known. */
export async function findJob(
  state: State,
  { jid, source, queue }: { jid: string; source: Place['source'] | undefined; queue: string },
  isKnown: boolean,
  reads: Reads
): ReturnType<Reads['job']> {
  const found = await stored(reads.job(jid, placesOf(state, source, queue)), isKnown);
  if (found.job || !found.whole || (source ?? 'queue') !== 'queue') {
    return found;
  }
  const taken = privateQueues(state)
    .filter((name) => queue === '' || name.endsWith(`|${queue}`))
    .map((name): Place => ({ source: 'queue', queue: name }));
  return stored(reads.job(jid, taken), isKnown);
}

/** Of a job that ran then its process has told, though stored jobs are not recorded. */
async function stored(finding: ReturnType<Reads['job']>, isKnown: boolean): ReturnType<Reads['job']> {
  try {
    return await finding;
  } catch (error) {
    if (error instanceof NotRecorded && isKnown) {
      return { job: null, whole: false, alsoIn: [] };
    }
    throw error;
  }
}

/** The sets first: they are where one looks for a job; then the queues, the shortest first. */
function placesOf({ queues }: State, source: Place['source'] | undefined, queue: string): Place[] {
  const inQueues = [...queues]
    .filter(({ size, name }) => size !== 0 && (queue === '' || name === queue))
    .sort((a, b) => (a.size ?? Infinity) - (b.size ?? Infinity))
    .map(({ name }): Place => ({ source: 'queue', queue: name }));
  const all = [
    ...(['retry', 'dead', 'scheduled'] as const).map((each): Place => ({ source: each, queue: '' })),
    ...inQueues,
  ];
  return all.filter((place) => source === undefined || place.source === source);
}

/** What is told of a job that was not found. @param whole whether all places were looked at */
export function notFound(jid: string, whole: boolean): Fault {
  const told = jid.slice(0, 100);
  return new Fault({
    kind: 'query',
    message: whole
      ? `There is no job "${told}": it is not waiting, scheduled, to be retried, dead or running.`
      : `The job "${told}" was not found in the time for a query.`,
    remedy: whole
      ? 'The job ended, was deleted, or never existed, of which Sidekiq keeps no record; or super_fetch (Sidekiq Pro) keeps it for a process that is gone.'
      : 'Choose the set or the queue of the job under "Jobs of".',
  });
}
