import type { LocksAsked, LocksBounds } from '../sidekiq/browse/locks';
import type { State } from './state';

/** What is asked of the locks of a state: its classes, queues and running jobs are what locks are compared with. */
export function locksAsked({ snapshot, queues, totals, options, now }: State, most: LocksBounds): LocksAsked {
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
    most,
  };
}
