import type { LocksAsked, LocksBounds } from '../sidekiq/browse/locks';
import type { Process } from '../sidekiq/model';
import type { State } from './state';

/** Each takes one command. */
const PRIVATE_MOST = 1000;
/** super_fetch looks for the jobs of processes that are gone at least so often, and a little later. */
const ORPHANS_SECONDS = 2 * 3600;

/** What is asked of the locks of a state: its classes, queues and running jobs are what locks are compared with. */
export function locksAsked(
  { snapshot, queues, totals, processLog, options, now }: State,
  most: LocksBounds
): LocksAsked {
  const gone = processLog.vanished
    .filter(({ returnedAt, lastBeatAt }) => returnedAt === null && now - lastBeatAt < ORPHANS_SECONDS)
    .map(({ process }) => process.identity);
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
    privateQueues: privateQueues(snapshot.processes.items, gone, queues),
    most,
  };
}

/** What a killed process had taken stays in its queues until another one looks for orphans, within the hour. */
function privateQueues(
  processes: readonly Process[],
  gone: readonly string[],
  queues: ReadonlyArray<{ name: string }>
): string[] {
  const names: string[] = [];
  const add = (identity: string, served: readonly string[]) => {
    names.push(...served.slice(0, PRIVATE_MOST - names.length).map((queue) => `sq|${identity}|${queue}`));
  };
  const all = queues.map(({ name }) => name);
  gone.forEach((identity) => add(identity, all));
  processes.forEach(({ identity, queues: served }) => add(identity, served));
  return names;
}
