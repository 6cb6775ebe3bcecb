import { median } from 'simple-statistics';
import { z } from 'zod';
import { Fault } from '../faults/fault';
import { countText, durationText } from '../findings/texts';
import { groupBy } from '../sidekiq/groupBy';
import type { Notice } from '../sidekiq/model';
import { DEFAULT_OBJECTIVE_SECONDS, objectiveOf } from '../settings/workerTypes';
import { instantText } from '../source/instants';
import type { Range, Reads } from '../source/reads';
import { capacityOfQueues, typeOf } from '../watch/capacity';
import type { State } from '../watch/state';
import { answerOf, runs, runsFor, shareThatFits, threads, utilisation, type Runs } from '../whatif/answer';
import { checkOf } from '../whatif/check';
import { changed, MOST_THREADS, serves, type Changes } from '../whatif/changes';
import { fitRange, fitUsual, type Fitted } from '../whatif/fit';
import type { Scenario, ThreadGroup } from '../whatif/model';
import { withScaled } from '../whatif/scaledWorkers';
import { parseScaling } from '../whatif/scaling';
import { bestOrder, bestThreshold, fewestThreads, shareToSearch, type Aim } from '../whatif/search';
import { topologyOf } from '../whatif/topology';
import { baseQuerySchema } from './model';
import { tableQuery } from './table';
import { COLUMNS, IF_COLUMNS, type Figures, type Row } from './whatIfColumns';

const list = z.array(z.string().max(2000)).max(200).default([]);

const schema = baseQuerySchema.extend({
  by: z.enum(['queue', 'workerType']).default('queue').describe('What a row is.'),
  arrivals: z
    .enum(['range', 'usual'])
    .default('range')
    .describe('The work of the time range, or what is usual in the next hour, from the backlog of now.'),
  search: z
    .enum(['none', 'threads', 'order', 'threshold'])
    .default('none')
    .describe(
      'What is looked for beside the changes: fewest threads that meet the objectives, the best order for the threads, or the threshold of the scaling that meets them at the least cost.'
    ),
  // Changes, see {@link Changes}.
  threads: list.describe('Threads that serve a worker type or queue, all together: "name=threads".'),
  processes: list.describe('Processes that serve a worker type or queue: "name=processes".'),
  traffic: list.describe('Times as many jobs: "factor" of all, or "name=factor" of a queue or class.'),
  runTime: list.describe('Times as long: "factor" of all, or "name=factor" of a queue or class.'),
  own: list.describe('A queue is served by threads of its own, and by no others: "queue=threads".'),
  order: list.describe('Order of service: "name=a>b", or with weights "name=a:3>b:1".'),
  paused: list.describe('Queues of which no job is taken.'),
  scaledObject: z.string().max(20_000).default('').describe('A ScaledObject of KEDA (YAML): what it would have done.'),
  replicaStartSeconds: z.number().min(0).max(3600).default(30).describe('Seconds until a new replica takes jobs.'),
  seed: z.number().int().min(0).max(1_000_000).default(1).describe('Number from which chance is drawn.'),
});

/** A what-if query as it is saved. */
export type WhatIfQuery = z.input<typeof schema>;
type Query = z.output<typeof schema>;

const USUAL_HOURS = 1;

/** What waits, utilisation and backlogs would be with other threads, traffic, run times, orders or pauses: by simulation. */
export const whatIf = tableQuery({
  id: 'what_if',
  group: 'Over time',
  title: 'What if',
  description:
    'What waits, utilisation and backlogs would be with other threads, traffic, run times or orders of queues, by simulation of the work of the time range.',
  empty: 'No job ran in this time range, so there is nothing to simulate.',
  cost: 'as job_metrics',
  schema,
  columns: COLUMNS,
  example: '--option "threads=Default Worker=20" --option traffic=2 --from -3600',
  async rows(state, query, { range, signal }, reads) {
    const prepared = await prepare(state, query, range, reads);
    if (!prepared) {
      return { rows: [], notices: topologyOf(state).notices };
    }
    const { asIs, other, aims, fitted, notices } = prepared;
    const options = { seed: query.seed, objectiveOf: objectives(state) };
    const lived = runsFor(other ? [asIs, other] : [asIs]);
    const before = await runs(asIs, { ...options, count: lived }, signal);
    const found = query.search === 'none' ? null : await SEARCHES[query.search](other ?? asIs, aims, options, signal);
    const after = found?.runs ?? (other && (await runs(other, { ...options, count: lived }, signal)));
    return {
      rows: rowsOf(state, query, aims, before, after),
      notices: [
        ...notices,
        ...(found ? [{ severity: 'info' as const, text: found.text }] : []),
        ...(after ? scaled(after) : []),
        { severity: 'info', text: told(fitted, lived) },
        ...(query.arrivals === 'range' ? checkOf(fitted.range, before, await reads.history()) : []),
      ],
      without: [...(after ? [] : IF_COLUMNS), ...(query.by === 'queue' ? [] : ['queue'])],
    };
  },
});

const SEARCHES = { threads: fewestThreads, order: bestOrder, threshold: bestThreshold } as const;

interface Prepared {
  asIs: Scenario;
  /** `null` where nothing is changed. */
  other: Scenario | null;
  aims: Aim[];
  fitted: Fitted;
  notices: Notice[];
}

/** Of too much work the last part, so that it can be lived through in time. A little less, as minutes are whole. */
const SHORTENED = 0.9;
/** A backlog at the beginning is not shorter for a shorter time. */
const SHORTENED_ROUNDS = 6;

/** What is simulated. `null` where nothing ran. @throws Fault `query` for changes that cannot be made */
async function prepare(state: State, query: Query, range: Range, reads: Reads): Promise<Prepared | null> {
  const { topology, notices } = topologyOf(state);
  const aims = aimsOf(state);
  const of = async (within: Range): Promise<Prepared | null> => {
    const fitted = await fit(state, query, within, reads);
    if (!fitted) {
      return null;
    }
    const asIs: Scenario = { topology, demand: fitted.demand };
    return {
      asIs,
      other: scenarioIf(asIs, query, state, aims),
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
function shareOf(prepared: Prepared | null, { search }: Query): number {
  const scenarios = scenariosOf(prepared);
  return Math.min(shareThatFits(scenarios), ...(search === 'none' ? [] : scenarios.map(shareToSearch)));
}

function threadsIn(groups: readonly ThreadGroup[]): number {
  return groups.reduce((sum, group) => sum + group.threads, 0);
}

/** @throws Fault `query` where it is not known what is usual */
async function fit(state: State, { arrivals }: Query, range: Range, reads: Reads): Promise<Fitted | null> {
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

/** `null` where nothing is changed. */
function scenarioIf(asIs: Scenario, query: Query, state: State, aims: readonly Aim[]): Scenario | null {
  const changes: Changes = query;
  const fields = [query.threads, query.processes, query.traffic, query.runTime, query.own, query.order, query.paused];
  const isScaled = query.scaledObject.trim() !== '';
  if (!isScaled && fields.every((each) => each.every((text) => text.trim() === ''))) {
    return null;
  }
  const byName = new Map(aims.map(({ name, queues }) => [name, queues]));
  const all = new Set(aims.flatMap(({ queues }) => queues));
  const queuesNamed = (name: string) => byName.get(name) ?? (all.has(name) ? [name] : []);
  const other = changed(asIs, changes, queuesNamed);
  if (!isScaled) {
    return other;
  }
  const scaling = parseScaling(query.scaledObject, query.replicaStartSeconds, queuesNamed, objectives(state));
  return { ...other, topology: withScaled(other.topology, scaling), scaling };
}

/** Seconds that a job of a queue may wait. */
function objectives({ queues }: State): (queue: string) => number {
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

function rowsOf(state: State, { by }: Query, aims: readonly Aim[], before: Runs, after: Runs | null): Row[] {
  const rows = aims.flatMap(({ name, queues, objectiveSeconds }) =>
    (by === 'queue' ? queues.map((queue) => [queue]) : [queues]).map((members): Row => ({
      workerType: by === 'queue' && name.startsWith('other: ') ? '' : name,
      queue: by === 'queue' ? members[0]! : '',
      objectiveSeconds,
      asIs: figuresOf(state, before, members),
      changed: after && figuresOf(state, after, members),
    }))
  );
  const worst = ({ asIs, changed: other, objectiveSeconds }: Row) =>
    ((other ?? asIs).p95?.median ?? (other ?? asIs).backlogEnd.median) / objectiveSeconds;
  return rows.filter(({ asIs }) => asIs.jobs.median > 0 || asIs.threads > 0).sort((a, b) => worst(b) - worst(a));
}

function figuresOf({ options }: State, lived: Runs, queues: readonly string[]): Figures {
  const isCounted = (group: Runs['groups'][number]) => serves(group, queues);
  return {
    ...answerOf(lived, queues),
    threadHourPrice: options.threadHourPrice,
    threads: threads(lived, isCounted),
    utilisation: utilisation(lived, isCounted),
  };
}

/** What a scaling did: the medians of the runs. */
function scaled({ outcomes, seconds: lasted }: Runs): Notice[] {
  const replicas = outcomes.flatMap(({ replicas: each }) => each ?? []);
  if (replicas.length === 0) {
    return [];
  }
  const of = (value: (each: (typeof replicas)[number]) => number) => median(replicas.map(value));
  const mean = of((each) => each.mean);
  const text = `With the ScaledObject: ${of((each) => each.least)} to ${of((each) => each.most)} replicas, ${mean.toFixed(1)} on average, ${((mean * lasted) / 3600).toFixed(1)} replica-hours.`;
  return [{ severity: 'info', text }];
}

function told({ range, demand }: Fitted, lived: number): string {
  const minutes = (demand.slots * demand.slotSeconds) / 60;
  return `${countText(lived, 'run')} of ${countText(minutes, 'minute')}, by the work from ${instantText(range.from)} to ${instantText(range.to)}. Assumed: run times do not depend on the number of threads (jobs that compute share a processor and take longer), as many executions are retries as fail, which Sidekiq fetches together every five seconds, and failed executions take as long as others.`;
}
