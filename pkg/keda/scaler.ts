import { Fault } from '../faults/fault';
import { capacityOfAll, capacityOfQueues, threadsNeededBy, typeOf, type Capacity } from '../watch/capacity';
import { noSidekiq } from '../source/health';
import type { Scale } from '../watch/hold';
import type { State } from '../watch/state';
import type { Options } from '../settings/model';
import { queueTest } from '../settings/queueTest';
import { DEFAULT_OBJECTIVE_SECONDS, latencyObjectiveOf } from '../settings/workerTypes';
import type { DueQueues } from '../sidekiq/browse/dueJobs';
import type { ScaledObject } from '../settings/scaledObject';

/** What one replica is to bear: of the metadata and the settings alone, so that it is known while Redis is away. */
export function targetOf(
  { metric, objectiveSeconds, threadsPerReplica, queues, workerType }: ScaledObject,
  options: Options
) {
  if (metric !== 'latency') {
    return threadsPerReplica;
  }
  const { workerTypes } = options;
  const ofType = workerTypes.find(({ name }) => name === workerType)?.latencyObjectiveSeconds;
  const ofQueues = queues.map((queue) => latencyObjectiveOf(queue, workerTypes));
  return objectiveSeconds ?? ofType ?? (ofQueues.length > 0 ? Math.min(...ofQueues) : DEFAULT_OBJECTIVE_SECONDS);
}

/**
 * Checks what a trigger names against the settings.
 *
 * @throws Fault `query` for a queue that the settings leave out: nothing is known of it
 */
export function checkNamed({ queues }: ScaledObject, options: Options): void {
  const includes = queueTest(options);
  const left = queues.filter((queue) => !includes(queue));
  if (left.length > 0) {
    throw new Fault({
      kind: 'query',
      message: `The settings leave out the queue ${left.join(', ')}, so that nothing is known of it.`,
      remedy: 'Correct "queueInclude" and "queueExclude", or the queues of the trigger.',
    });
  }
}

/** Whether no process is there that moves due jobs to their queues; only then they count here. */
export function needsDue({ snapshot, totals }: State): boolean {
  const { overdueScheduled, overdueRetry } = snapshot.totals;
  return totals.readyThreads === 0 && !(overdueScheduled === 0 && overdueRetry === 0);
}

/**
 * How far to scale, from one state. Paused queues neither need threads nor are late.
 *
 * @param due queues for which jobs are due that no process moves, see {@link needsDue}
 * @throws Fault `query` for a worker type that is not there, `data` where a figure is not known: KEDA then leaves the
 *   replicas as they are, so that nothing is scaled down for lack of a figure
 */
export function scaleOf(state: State, asked: ScaledObject, due?: DueQueues): Scale {
  const { rows, names } = rowsOf(state, asked);
  const all = rows.length === 0 ? undefined : capacityOfAll(state, asked.workerType, rows);
  const scale = all ? scaleBy(all, rows, asked) : { active: false, value: 0 };
  // What is due beyond what was looked at may be for this trigger: one worker moves it, and then it is known.
  const isDue = due !== undefined && (!due.whole || names.some((name) => due.since.has(name)));
  return isDue ? { active: true, value: Math.max(1, scale.value) } : scale;
}

/** Whether there must be a replica though it is not known how many, as of a class that runs for the first time. */
export function isActive(error: unknown, state: State, asked: ScaledObject): boolean {
  return (
    error instanceof Fault &&
    error.kind === 'data' &&
    state.snapshot.hasSidekiq === true &&
    state.snapshot.queues.whole &&
    state.snapshot.processes.whole &&
    rowsOf(state, asked).rows.some(isBusy)
  );
}

/** Jobs of a quiet process run too: without a replica the process that runs them may be stopped. */
function isBusy({ takeable, demand, running }: Capacity): boolean {
  return (takeable ?? 0) > 0 || (demand ?? 0) > 0 || (running ?? 0) > 0;
}

function scaleBy(all: Capacity, rows: readonly Capacity[], asked: ScaledObject): Scale {
  const { takeable, waitSeconds, demand } = all;
  if (takeable === null || (demand === null && !all.unmeasured)) {
    throw unknown(asked, 'sizes or running jobs');
  }
  const active = isBusy(all);
  if (asked.metric === 'latency') {
    if (waitSeconds === null) {
      throw unknown(asked, 'waits');
    }
    return { active, value: waitSeconds };
  }
  const needed = threadsNeededBy(all, rows, asked.metric === 'drain' ? asked.drainSeconds : asked.objectiveSeconds);
  return { active, value: needed ?? threadsToLearn(rows, asked) };
}

/** Without a thread nothing runs whose time could be known: one is needed to learn it, beside those of the other queues. */
function threadsToLearn(rows: readonly Capacity[], asked: ScaledObject): number {
  if (rows.some(({ takeable, meanSeconds, supply }) => takeable !== 0 && meanSeconds === null && supply !== 0)) {
    throw unknown(asked, 'run times of the waiting classes');
  }
  return 1 + Math.ceil(rows.reduce((sum, { demand }) => sum + (demand ?? 0), 0));
}

/** The queues that are meant, and the names of those that may take due jobs. */
function rowsOf(state: State, { workerType, queues }: ScaledObject): { rows: Capacity[]; names: string[] } {
  const { snapshot, options } = state;
  if (snapshot.hasSidekiq !== true) {
    throw new Fault({
      kind: 'data',
      message: snapshot.hasSidekiq === false ? noSidekiq('the address of the settings') : 'Not all keys could be read.',
      remedy: 'The replicas stay as they are until Sidekiq’s keys can be read.',
    });
  }
  if (!snapshot.queues.whole || !snapshot.processes.whole) {
    throw new Fault({
      kind: 'data',
      message: 'Not all queues and processes could be read.',
      remedy: 'Grant the Redis user what gpx_sidekiq acl prints.',
    });
  }
  const paused = new Set(state.queues.filter((queue) => queue.paused === true).map(({ name }) => name));
  const ofSettings = options.workerTypes.find(({ name }) => name === workerType)?.queues;
  const wanted = capacityOfQueues(state).filter((row) =>
    workerType === '' ? queues.includes(row.queue) : typeOf(row) === workerType
  );
  // Sidekiq knows a queue once something was pushed to it: until then nothing waits in it.
  if (wanted.length === 0 && workerType !== '' && ofSettings === undefined) {
    throw new Fault({
      kind: 'query',
      message: `No queue is of the worker type "${workerType}".`,
      remedy:
        'Name the queues, or a worker type of the settings: without settings a type lasts as long as its processes.',
    });
  }
  const named = workerType === '' ? queues : [...(ofSettings ?? []), ...wanted.map(({ queue }) => queue)];
  return {
    rows: wanted.map((row) => (paused.has(row.queue) ? { ...row, waitSeconds: 0 } : row)),
    names: named.filter((name) => !paused.has(name)),
  };
}

function unknown({ workerType, queues }: ScaledObject, what: string): Fault {
  return new Fault({
    kind: 'data',
    message: `The ${what} of ${workerType || queues.join(', ')} are not known now.`,
    remedy: 'The replicas stay as they are until they are known.',
  });
}
