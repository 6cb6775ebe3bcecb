import type { LocksAsked, LocksBounds } from '../sidekiq/browse/locks';
import { privateQueue } from '../sidekiq/keys';
import type { State } from './state';

/** Each takes one command. */
const PRIVATE_MOST = 1000;
/** super_fetch looks for the jobs of processes that are gone at least so often, and a little later. */
const ORPHANS_SECONDS = 2 * 3600;

/** What is asked of the locks of a state: its classes, queues and running jobs are what locks are compared with. */
export function locksAsked(state: State, most: LocksBounds): LocksAsked {
  const { snapshot, queues, totals, options, now } = state;
  const classes = new Set([
    ...(totals.lastHour?.keys() ?? []),
    ...snapshot.work.items.map(({ metricsClass }) => metricsClass),
    ...snapshot.queues.items.flatMap(({ next }) => (next ? [next.metricsClass] : [])),
  ]);
  return {
    now,
    classes: [...classes].filter((name) => name !== ''),
    work: snapshot.work.items,
    // What was refused, cut or left out by a filter may hold the job of a lock.
    isWhole:
      snapshot.work.whole &&
      snapshot.processes.whole &&
      snapshot.queues.whole &&
      options.queueInclude === '' &&
      options.queueExclude === '',
    queues: queues.filter(({ size }) => size !== 0).map(({ name }) => name),
    privateQueues: privateQueues(state),
    most,
  };
}

/**
 * Names of the queues in which super_fetch (Sidekiq Pro) keeps what processes have taken: most do not exist. What a killed process had taken stays there until another one looks for orphans, within the hour.
 */
export function privateQueues({ snapshot, processLog, queues, now }: State): string[] {
  const names: string[] = [];
  const add = (identity: string, served: readonly string[]) => {
    names.push(...served.slice(0, PRIVATE_MOST - names.length).map((queue) => privateQueue(identity, queue)));
  };
  const all = queues.map(({ name }) => name);
  for (const { returnedAt, lastBeatAt, process } of processLog.vanished) {
    if (returnedAt === null && now - lastBeatAt < ORPHANS_SECONDS) {
      add(process.identity, all);
    }
  }
  snapshot.processes.items.forEach(({ identity, queues: served }) => add(identity, served));
  return names;
}
