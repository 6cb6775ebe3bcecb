import { latencyObjectiveOf, workerTypeOf, type WorkerType } from '../settings/workerTypes';
import { queueFacts, type QueueFacts } from '../sidekiq/queueFacts';
import type { Snapshot } from '../sidekiq/snapshot';
import { unknownFlow, type FlowView, type QueueFlow } from './flow';
import { derivedWorkerTypes } from './workerTypes';

/** All that is known of one queue at the instant of a snapshot. */
export interface QueueState extends QueueFacts, QueueFlow {
  /** The latency as it is shown: clocks that differ make no wait below 0. */
  readonly waitSeconds: number | null;
  /** By the map in the settings, or as it runs where there is none; `''` for a queue of no type. */
  readonly workerType: string;
  /** How late a job may be there, by the settings. */
  readonly objectiveSeconds: number;
}

/** The queues of a snapshot with their flow and what the settings say of them, in the order of the snapshot. */
export function queueStates(snapshot: Snapshot, flow: FlowView, workerTypes: readonly WorkerType[]): QueueState[] {
  const derived = workerTypes.length === 0 ? derivedWorkerTypes(snapshot.processes.items) : undefined;
  return queueFacts(snapshot).map((facts) => ({
    ...facts,
    ...flowOf(facts, flow),
    waitSeconds: facts.latencySeconds === null ? null : Math.max(0, facts.latencySeconds),
    workerType: derived ? (derived.get(facts.name) ?? '') : workerTypeOf(facts.name, workerTypes),
    objectiveSeconds: latencyObjectiveOf(facts.name, workerTypes),
  }));
}

/** A queue that nobody takes from does not drain, however fast it did in the minutes before. */
function flowOf({ name, size, paused, readyThreads }: QueueFacts, flow: FlowView): QueueFlow {
  const unknown = unknownFlow(size);
  const found = flow.get(name) ?? unknown;
  return paused === true || readyThreads === 0 ? { ...found, drainSeconds: unknown.drainSeconds } : found;
}
