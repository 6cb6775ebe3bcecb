import { command, type ReadOnlyRedis } from '../../redis/readOnlyRedis';
import { keys } from '../keys';
import { nameOf } from '../name';
import { countOf, instantOf, numberOf } from '../plausible';
import { pairsOf, textOf, Trip, valueOf, type Part } from './part';

/** How far an IterableJob has come (Sidekiq 7.3 and later). */
export interface Iteration {
  executions: number | null;
  /** As it is stored: JSON. */
  cursor: string;
  /** Seconds that its ended executions took. */
  runtimeSeconds: number | null;
  /** Epoch seconds. */
  cancelledAt: number | null;
}

/** The state of an IterableJob, by job id; `null` where there is none. */
export const iteration: Part<string, Iteration | null> = {
  what: 'iteration states',
  commands: (jid) => [command('hgetall', keys.iteration(jid))],
  parse([value]) {
    const fields = new Map(pairsOf(value).map(([field, each]) => [nameOf(field), textOf(each) ?? '']));
    return {
      value:
        fields.size === 0
          ? null
          : {
              executions: countOf(fields.get('ex')),
              cursor: fields.get('c') ?? '',
              runtimeSeconds: numberOf(fields.get('rt')),
              cancelledAt: instantOf(fields.get('cancelled')),
            },
    };
  },
};

/** States that one query reads. */
const STATES_CAP = 1000;

/** The states of some jobs, by id; those that have none are left out. One round trip. @throws Fault where none may be read */
export async function readIterations(
  redis: ReadOnlyRedis,
  jids: readonly string[],
  signal?: AbortSignal
): Promise<ReadonlyMap<string, Iteration>> {
  const trip = new Trip();
  const tickets = [...new Set(jids)].slice(0, STATES_CAP).map((jid) => [jid, trip.ask(iteration, jid)] as const);
  if (tickets.length === 0) {
    return new Map();
  }
  const brought = await trip.go(redis, signal);
  return new Map(
    tickets.flatMap(([jid, ticket]) => {
      const found = valueOf(brought.read(ticket));
      return found ? [[jid, found] as const] : [];
    })
  );
}
