import type { FetchMode } from '../engine/engine';
import { countText } from '../findings/texts';
import type { Notice, Process } from '../sidekiq/model';
import type { State } from '../watch/state';
import type { Topology, ThreadGroup } from './model';

/** Who serves what in a state, by the processes that take jobs; what is not known is told. */
export function topologyOf({ snapshot, queues }: Pick<State, 'snapshot' | 'queues'>): {
  topology: Topology;
  notices: Notice[];
} {
  const groups = new Map<string, ThreadGroup>();
  let unknown = 0;
  let assumed = 0;
  for (const process of snapshot.processes.items.filter(({ quiet }) => !quiet)) {
    const capsules = capsulesOf(process);
    if (!capsules) {
      unknown += 1;
      continue;
    }
    for (const { threads, mode, weights, isAssumed } of capsules) {
      assumed += Number(isAssumed);
      const key = JSON.stringify([mode, [...weights]]);
      const former = groups.get(key);
      groups.set(key, {
        mode,
        weights,
        threads: (former?.threads ?? 0) + threads,
        processes: new Map([
          ...(former?.processes ?? []),
          [process.identity, (former?.processes.get(process.identity) ?? 0) + threads],
        ]),
      });
    }
  }
  const notices: Notice[] = [];
  if (!snapshot.processes.whole) {
    notices.push({ severity: 'warning', text: 'Not all processes could be read: threads are missing in the model.' });
  }
  if (unknown > 0) {
    notices.push({
      severity: 'warning',
      text: `${countText(unknown, 'process', 'processes')} left out: the number of threads by capsule is not written before Sidekiq 8.0.9.`,
    });
  }
  if (assumed > 0) {
    notices.push({
      severity: 'warning',
      text: 'The order in which queues are served is not known of all processes; strict order is assumed for them.',
    });
  }
  if (snapshot.processes.whole && unknown === 0 && groups.size === 0) {
    notices.push({
      severity: 'warning',
      text: 'No process takes jobs at the end of the time range, so that nothing runs in the model. Choose a range that ends while processes run.',
    });
  }
  const paused = new Set(queues.filter((queue) => queue.paused === true).map(({ name }) => name));
  return { topology: { groups: [...groups.values()], paused }, notices };
}

interface Served {
  threads: number;
  mode: FetchMode;
  weights: ReadonlyMap<string, number>;
  isAssumed: boolean;
}

function capsulesOf({ capsules, concurrency, queues }: Process): Served[] | null {
  if (capsules.length === 0) {
    const weights = new Map(queues.map((queue) => [queue, 0]));
    return concurrency === null ? null : [{ threads: concurrency, mode: 'strict', weights, isAssumed: true }];
  }
  const only = capsules.length === 1;
  const known = capsules.map(({ concurrency: threads, mode, weights }) => ({
    threads: threads ?? (only ? concurrency : null),
    mode: mode ?? ('strict' as const),
    weights,
    isAssumed: mode === null,
  }));
  return known.every((each): each is Served => each.threads !== null) ? known : null;
}
