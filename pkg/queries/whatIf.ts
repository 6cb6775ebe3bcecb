import { median } from 'simple-statistics';
import { z } from 'zod';
import { countText } from '../findings/texts';
import type { Notice } from '../sidekiq/model';
import { namesText } from '../sidekiq/namesText';
import { instantText } from '../source/instants';
import type { State } from '../watch/state';
import { answerOf, runs, runsFor, threads, utilisation, type Runs } from '../whatif/answer';
import { checkOf } from '../whatif/check';
import { serves } from '../whatif/changes';
import { classKey } from '../whatif/contention';
import type { Fitted } from '../whatif/fit';
import type { ClassDemand } from '../whatif/model';
import { objectives, prepare } from '../whatif/prepare';
import { bestOrder, bestThreshold, fewestThreads, type Aim } from '../whatif/search';
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
  processes: list.describe(
    'Processes that serve a worker type or queue, with all of their capsules: "name=processes".'
  ),
  traffic: list.describe('Times as many jobs: "factor" of all, or "name=factor" of a queue or class.'),
  runTime: list.describe('Times as long: "factor" of all, or "name=factor" of a queue or class.'),
  own: list.describe('A queue is served by threads of its own, and by no others: "queue=threads".'),
  order: list.describe('Order of service: "name=a>b", or with weights "name=a:3>b:1".'),
  paused: list.describe('Queues of which no job is taken.'),
  computing: list.describe(
    'Share of the run time in which executions use the processor, as it is now: "share" of all, or "name=share" of a queue or class. Ruby runs one thread of a process at a time, so that they take longer with more threads.'
  ),
  scaledObject: z.string().max(20_000).default('').describe('A ScaledObject of KEDA (YAML): what it would have done.'),
  replicaStartSeconds: z.number().min(0).max(3600).default(30).describe('Seconds until a new replica takes jobs.'),
  seed: z.number().int().min(0).max(1_000_000).default(1).describe('Number from which chance is drawn.'),
});

/** A what-if query as it is saved. */
export type WhatIfQuery = z.input<typeof schema>;
type Query = z.output<typeof schema>;

/** What waits, utilisation and backlogs would be with other threads, traffic, run times, orders or pauses: by simulation. */
export const whatIf = tableQuery({
  id: 'what_if',
  group: 'Over time',
  title: 'What if',
  description:
    'Simulates the work of the time range with other threads, traffic, run times or orders of queues: waits, utilisation and backlogs.',
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
    const { asIs, other, aims, fitted, notices, searched } = prepared;
    const options = { seed: query.seed, objectiveOf: objectives(state) };
    const lived = runsFor(other ? [asIs, other] : [asIs]);
    const before = await runs(asIs, { ...options, count: lived }, signal);
    const found = query.search === 'none' ? null : await SEARCHES[query.search](searched, aims, options, signal);
    const after = found?.runs ?? (other && (await runs(other, { ...options, count: lived }, signal)));
    return {
      rows: rowsOf(state, query, aims, before, after),
      notices: [
        ...notices,
        ...(found ? [{ severity: 'info' as const, text: found.text }] : []),
        ...(after ? [...scaled(after), ...slowed(fitted.demand.classes, after)] : []),
        { severity: 'info', text: told(fitted, lived, searched.computing !== undefined) },
        ...(query.arrivals === 'range' ? checkOf(fitted.range, before, await reads.history()) : []),
      ],
      without: [...(after ? [] : IF_COLUMNS), ...(query.by === 'queue' ? [] : ['queue'])],
    };
  },
});

const SEARCHES = { threads: fewestThreads, order: bestOrder, threshold: bestThreshold } as const;

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

/** Classes named whose run times are other ones. */
const SLOWED_NAMED = 3;

/** By how much run times differ where executions compute. */
function slowed(classes: readonly ClassDemand[], { factors }: Runs): Notice[] {
  if (!factors) {
    return [];
  }
  const changedOnes = classes
    .map((of) => ({ of, factor: Number(factors.get(classKey(of))!.toPrecision(2)) }))
    .filter(({ factor }) => factor !== 1)
    .sort((one, other) => Math.abs(Math.log(other.factor)) - Math.abs(Math.log(one.factor)))
    .map(({ of, factor }) => `${of.class} ${factor} times as long`);
  const text =
    changedOnes.length === 0
      ? 'The changes leave the run times of executions that compute as they are.'
      : `With the changes, executions take, as those of a process share its processor: ${namesText(changedOnes, SLOWED_NAMED)}.`;
  return [{ severity: 'info', text }];
}

function told({ range, demand }: Fitted, lived: number, computes: boolean): string {
  const minutes = (demand.slots * demand.slotSeconds) / 60;
  return `${countText(lived, 'run')} of ${countText(minutes, 'minute')}, by the work from ${instantText(range.from)} to ${instantText(range.to)}. Assumed: ${computes ? 'executions compute for the share of their run time that is given' : 'run times do not depend on the number of threads (option computing for jobs that compute)'}, as many executions are retries as fail, which Sidekiq fetches together every five seconds, and failed executions take as long as others.`;
}
