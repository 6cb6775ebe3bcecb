import { Fault } from '../faults/fault';
import { countText, durationText, shareText } from '../findings/texts';
import { objectiveOf, DEFAULT_OBJECTIVE_SECONDS } from '../settings/workerTypes';
import { groupBy } from '../sidekiq/groupBy';
import type { Notice } from '../sidekiq/model';
import type { Range, Reads } from '../source/reads';
import { Turns } from '../turns';
import { capacityOfQueues, typeOf } from '../watch/capacity';
import type { State } from '../watch/state';
import { changed, computingShares, MOST_THREADS, type Changes, type QueuesNamed } from './changes';
import { shareThatFits } from './answer';
import { explainedContention } from './contention';
import { fitRange, fitUsual, type Fitted } from './fit';
import type { ClassDemand, Scenario, ThreadGroup } from './model';
import { withScaled } from './scaledWorkers';
import { parseScaling } from './scaling';
import { shareToSearch, type Aim } from './search';
import { topologyOf } from './topology';

/** What is asked, see the query type `what_if`. */
export interface Asked extends Changes {
  readonly arrivals: 'range' | 'usual';
  readonly search: 'none' | 'threads' | 'order' | 'threshold';
  /** Shares of run times that use the processor: `share`, or `name=share`. */
  readonly computing: readonly string[];
  /** YAML. */
  readonly scaledObject: string;
  readonly replicaStartSeconds: number;
}

const USUAL_HOURS = 1;

/** What is simulated, and what is known of it. */
export interface Prepared {
  asIs: Scenario;
  /** `null` where nothing is changed. */
  other: Scenario | null;
  /** The scenario from which a search begins. */
  searched: Scenario;
  aims: Aim[];
  fitted: Fitted;
  notices: Notice[];
}

/** Of too much work the last part, so that it can be lived through in time. A little less, as minutes are whole. */
const SHORTENED = 0.9;
/** A backlog at the beginning is not shorter for a shorter time. */
const SHORTENED_ROUNDS = 6;

/** What is simulated. `null` where nothing ran. @throws Fault `query` for changes that cannot be made */
export async function prepare(state: State, query: Asked, range: Range, reads: Reads): Promise<Prepared | null> {
  const { topology, notices } = topologyOf(state);
  const aims = aimsOf(state);
  const of = async (within: Range): Promise<Prepared | null> => {
    const fitted = await fit(state, query, within, reads);
    if (!fitted) {
      return null;
    }
    const asIs: Scenario = { topology, demand: fitted.demand };
    const queuesNamed = naming(aims);
    const contended = await withComputing(asIs, query, queuesNamed);
    const other = scenarioIf(contended, query, state, queuesNamed);
    return {
      asIs: contended,
      other,
      searched: other ?? contended,
      aims,
      fitted,
      notices: [...notices, ...fitted.notices],
    };
  };
  const whole = await of(range);
  const threadsOfAll = Math.max(0, ...scenariosOf(whole).map(({ topology: { groups } }) => threadsIn(groups)));
  if (threadsOfAll > MOST_THREADS) {
    throw new Fault({
      kind: 'query',
      message: `There are ${countText(threadsOfAll, 'thread')}; ${MOST_THREADS.toLocaleString('en')} can be simulated.`,
      remedy:
        'Check the concurrency of the processes (query type processes), and "threads" and "processes" of the query.',
    });
  }
  if (query.arrivals === 'usual') {
    return whole;
  }
  let prepared = whole;
  let seconds = Infinity;
  // The end of a range may be busier than all of it, so that its share is still too much.
  for (let round = 0; prepared && round < SHORTENED_ROUNDS && seconds > 60; round += 1) {
    const fits = shareOf(prepared, query);
    if (fits === 1) {
      break;
    }
    const { from, to } = prepared.fitted.range;
    seconds = Math.max(60, Math.floor(((to - from) * fits * SHORTENED) / 60) * 60);
    prepared = await of({ from: to - seconds, to });
  }
  if (!prepared || seconds === Infinity) {
    return prepared;
  }
  const text = `There are too many jobs to simulate all of them: simulated is the work of the last ${durationText(seconds)} of the time range.`;
  return { ...prepared, notices: [...prepared.notices, { severity: 'info', text }] };
}

function scenariosOf(prepared: Prepared | null): Scenario[] {
  return prepared ? [prepared.asIs, ...(prepared.other ? [prepared.other] : [])] : [];
}

/** The share of the time of what was prepared that can be lived through; 1 where all of it can. */
function shareOf(prepared: Prepared | null, { search }: Asked): number {
  const scenarios = scenariosOf(prepared);
  return Math.min(shareThatFits(scenarios), ...(search === 'none' ? [] : scenarios.map(shareToSearch)));
}

function threadsIn(groups: readonly ThreadGroup[]): number {
  return groups.reduce((sum, group) => sum + group.threads, 0);
}

/** @throws Fault `query` where it is not known what is usual */
async function fit(state: State, { arrivals }: Asked, range: Range, reads: Reads): Promise<Fitted | null> {
  const fitted = await fitRange(state, range, reads);
  if (arrivals === 'range' || !fitted) {
    return fitted;
  }
  const usual = fitUsual(state, fitted, USUAL_HOURS);
  if (!usual) {
    throw new Fault({
      kind: 'query',
      message: 'There is not enough history to tell which work is usual: it takes two days.',
      remedy: 'Set "arrivals" to range.',
    });
  }
  return usual;
}

/** Which queues a name stands for. */
function naming(aims: readonly Aim[]): QueuesNamed {
  const byName = new Map(aims.map(({ name, queues }) => [name, queues]));
  const all = new Set(aims.flatMap(({ queues }) => queues));
  return (name) => byName.get(name) ?? (all.has(name) ? [name] : []);
}

/** @throws Fault `query` for shares that cannot be used */
async function withComputing(
  asIs: Scenario,
  { computing, scaledObject }: Asked,
  queuesNamed: QueuesNamed
): Promise<Scenario> {
  const shares = computingShares(computing, queuesNamed, asIs.demand.classes);
  if (shares.size === 0) {
    return asIs;
  }
  if (scaledObject.trim() !== '') {
    throw new Fault({
      kind: 'query',
      message:
        'The option "computing" cannot be used with a ScaledObject: how many jobs run in a replica changes all the time.',
      remedy: 'Leave one of "computing" and "scaledObject" empty.',
    });
  }
  const { topology, demand } = asIs;
  const shareOf = (of: ClassDemand) => shares.get(of) ?? 0;
  const { computing: known, explained } = await explainedContention(topology, demand, shareOf, new Turns());
  if (explained < 1) {
    throw new Fault({
      kind: 'query',
      message:
        'The option "computing" cannot be used: executions that compute so much would have taken longer beside each other than was measured.',
      remedy: `Lower the shares to ${shareText(explained)} of what is given, or check them: the share is processor time by run time.`,
    });
  }
  return { ...asIs, computing: known };
}

/** `null` where nothing is changed. */
function scenarioIf(asIs: Scenario, query: Asked, state: State, queuesNamed: QueuesNamed): Scenario | null {
  const changes: Changes = query;
  const fields = [query.threads, query.processes, query.traffic, query.runTime, query.own, query.order, query.paused];
  const isScaled = query.scaledObject.trim() !== '';
  if (!isScaled && fields.every((each) => each.every((text) => text.trim() === ''))) {
    return null;
  }
  const other = { ...asIs, ...changed(asIs, changes, queuesNamed) };
  if (!isScaled) {
    return other;
  }
  const scaling = parseScaling(query.scaledObject, query.replicaStartSeconds, queuesNamed, objectives(state));
  return { ...other, topology: withScaled(other.topology, scaling), scaling };
}

/** Seconds that a job of a queue may wait. */
export function objectives({ queues }: State): (queue: string) => number {
  const known = new Map(queues.map(({ name, objectiveSeconds }) => [name, objectiveSeconds]));
  return (queue) => known.get(queue) ?? DEFAULT_OBJECTIVE_SECONDS;
}

/** Worker types, and queues of none, with their objectives. */
function aimsOf(state: State): Aim[] {
  return [...groupBy(capacityOfQueues(state), typeOf)].map(([name, members]) => ({
    name,
    queues: members.map(({ queue }) => queue),
    objectiveSeconds: members[0]!.objectiveSeconds,
    share: objectiveOf(members[0]!.workerType, state.options.workerTypes).share,
  }));
}
