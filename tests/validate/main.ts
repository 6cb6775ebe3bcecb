import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { quantileSorted } from 'simple-statistics';
import { Dice } from '../../pkg/engine/dice';
import { Engine } from '../../pkg/engine/engine';
import { rowsOf, type Value } from '../../pkg/frames/frame';
import type { Installation } from '../../pkg/installation/installation';
import { runQuery } from '../../pkg/queries/registry';
import { CASES, type Case } from './cases';
import { BACKLOG_SECONDS, realRun, specOf, type Measured, type RealJob, type RealTopology } from './real';
import { writeTable, type Line } from './table';

/**
 * Predicts what a change of a real Sidekiq does, makes it, and measures: see docs/what-if.md. Each case is run on the real
 * thing three times, once before and twice after the change, with other jobs each time.
 */
const SECONDS = Number(process.env['VALIDATE_SECONDS'] ?? 300);
/** Real runs at once; they sleep most of the time. */
const AT_ONCE = Number(process.env['VALIDATE_AT_ONCE'] ?? 5);
const SIGMA = 0.8;
/** Of app.rb: how often an execution of a job that fails raises, after how long it comes again, and how often. */
const RAISES = 0.7;
const RETRY_SECONDS = 15;
const RETRIES = 3;
/** Sidekiq's `average_scheduled_poll_interval`. */
const POLL_SECONDS = 5;
const OUT = join(__dirname, 'results.json');

if (process.argv[2] === '--table') {
  writeTable(kept());
} else {
  void main();
}

async function main(): Promise<void> {
  const only = process.argv[2];
  const queue = CASES.filter(({ name }) => only === undefined || name.includes(only));
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let next = queue.shift(); next; next = queue.shift()) {
        keep(next.name, await validate(next));
      }
    })
  );
}

/** What the file holds: in JSON a figure that is not known becomes `null`. */
function kept(): Line[] {
  return (JSON.parse(readFileSync(OUT, 'utf8')) as { lines: Line[] }).lines;
}

/** Takes the place of what a former run of the case has found. */
function keep(name: string, lines: readonly Line[]): void {
  const former = existsSync(OUT) ? kept() : [];
  const all = [...former.filter((line) => line.case !== name), ...lines];
  const place = (line: Line) => CASES.findIndex((each) => each.name === line.case);
  all.sort((one, other) => place(one) - place(other));
  writeFileSync(OUT, `${JSON.stringify({ lines: all }, null, 2)}\n`);
  writeTable(kept());
  process.stdout.write(`${JSON.stringify(lines, null, 1)}\n`);
}

async function validate(each: Case): Promise<Line[]> {
  const queues = Object.keys(each.rates);
  let predicted: Prediction[] = [];
  const run = (topology: RealTopology, seed: number) => {
    const jobs = jobsOf(each, seed, SECONDS);
    return realRun(topology, jobs, SECONDS, each.jobClass);
  };
  const seed = 100 * CASES.indexOf(each);
  // What is fitted is twice as long as what is measured; a backlog would be a smaller part of it.
  const fittedSeconds = each.backlog ? SECONDS : 2 * SECONDS;
  const before = jobsOf(each, seed + 1, fittedSeconds);
  await realRun(each.before, before, fittedSeconds, each.jobClass, async (installation, from) => {
    // Up to now: the last two minutes of a past range are not fitted.
    predicted = await predict(installation, each, { from, to: Date.now() / 1000 });
  });
  const after = await run(each.after, seed + 2);
  const again = await run(each.after, seed + 3);
  const driven = drive(each, jobsOf(each, seed + 2, SECONDS));
  return queues.map((queue) => {
    const none = { p95: { median: NaN, least: NaN, most: NaN }, drainTime: NaN, utilisation: NaN };
    const fitted = predicted.find((one) => one.queue === queue) ?? none;
    return {
      case: each.name,
      sidekiq: after.sidekiq,
      queue,
      measured: [p95(after, queue), p95(again, queue)],
      driven: p95(driven, queue),
      fitted: fitted.p95,
      utilisation: {
        measured: (after.utilisation + again.utilisation) / 2,
        driven: driven.utilisation,
        fitted: fitted.utilisation,
      },
      formula: twoMoments(each),
      ...(each.backlog && {
        drained: {
          measured: [drained(after, queue), drained(again, queue)] as const,
          driven: drained(driven, queue),
          fitted: fitted.drainTime,
        },
      }),
    };
  });
}

interface Prediction {
  queue: string;
  p95: { median: number; least: number; most: number };
  /** Seconds. */
  drainTime: number;
  utilisation: number;
}

async function predict(
  installation: Installation,
  each: Case,
  range: { from: number; to: number }
): Promise<Prediction[]> {
  const request = { range, intervalSeconds: 60, alerting: false };
  const computing = await computingOf(installation, each, request);
  const query = { queryType: 'what_if', ...each.change, computing };
  const [frame] = await runQuery(query, installation, request).catch((error: unknown) => {
    // Before Sidekiq 8.0.9 the threads of several capsules are not known.
    process.stderr.write(`${each.name}: ${String(error)}\n`);
    return [];
  });
  if (!frame) {
    return [];
  }
  for (const { text } of frame.meta?.notices ?? []) {
    process.stderr.write(`${each.name}: ${text}\n`);
  }
  return rowsOf(frame).map((row) => ({
    queue: String(row['queue']),
    p95: { median: numberOf(row['p95If']), least: numberOf(row['p95IfLeast']), most: numberOf(row['p95IfMost']) },
    drainTime: numberOf(row['drainTimeIf']),
    utilisation: numberOf(row['utilisationIf']),
  }));
}

/** The share of the measured run time in which each class uses the processor. */
async function computingOf(
  installation: Installation,
  { computes }: Case,
  request: { range: { from: number; to: number }; intervalSeconds: number; alerting: boolean }
): Promise<string[]> {
  if (computes === undefined) {
    return [];
  }
  const [frame] = await runQuery({ queryType: 'job_metrics' }, installation, request);
  return rowsOf(frame!).map(
    (row) => `${String(row['class'])}=${Math.min(1, computes / numberOf(row['meanTime'])).toFixed(3)}`
  );
}

function numberOf(value: Value | undefined): number {
  return typeof value === 'number' ? value : NaN;
}

function jobsOf({ rates, means, failing = 0, backlog = {} }: Case, seed: number, seconds: number): RealJob[] {
  const dice = new Dice(seed);
  const jobs: RealJob[] = [];
  for (const [queue, many] of Object.entries(backlog)) {
    for (let index = 0; index < many; index += 1) {
      jobs.push({ at: -BACKLOG_SECONDS, queue, seconds: takes(dice, means[queue]!), fails: false });
    }
  }
  for (const [queue, rate] of Object.entries(rates)) {
    for (let at = gap(dice, rate); at < seconds; at += gap(dice, rate)) {
      jobs.push({ at, queue, seconds: takes(dice, means[queue]!), fails: dice.chance(failing) });
    }
  }
  return jobs.sort((a, b) => a.at - b.at);
}

/** The mean of a lognormal is its median times exp(σ²/2). */
function takes(dice: Dice, mean: number): number {
  return dice.duration(mean / Math.exp(SIGMA ** 2 / 2), SIGMA);
}

function gap(dice: Dice, rate: number): number {
  return -Math.log(1 - dice.between(0, 1)) / rate;
}

/** A job of the engine: the attempt that is made, from 0, and when it was pushed. */
interface Attempt {
  job: RealJob;
  count: number;
  pushedAt: number;
}

/** The same jobs in the engine; those of the backlog are there from the beginning. Jobs that raise come again as app.rb and Sidekiq's job_retry.rb and scheduled.rb say. */
function drive({ after }: Case, jobs: readonly RealJob[]): Omit<Measured, 'sidekiq'> {
  const waits = new Map<string, number[]>();
  const drainedAt = new Map<string, number>();
  let busy = 0;
  const dice = new Dice(11);
  let retries: Array<Attempt & { due: number }> = [];
  const engine = new Engine<Attempt>(
    {
      seconds: ({ job }) => job.seconds,
      started({ job: { pushedAt }, queue, startsAt, endsAt }) {
        busy += Math.max(0, Math.min(endsAt, SECONDS) - startsAt);
        if (startsAt <= SECONDS) {
          waits.set(queue, [...(waits.get(queue) ?? []), startsAt - pushedAt]);
        }
        if (pushedAt < 0) {
          drainedAt.set(queue, startsAt);
        }
      },
      finished({ job: { job, count }, endsAt }) {
        if (job.fails && count < RETRIES && dice.chance(RAISES)) {
          const jitter = Math.floor(dice.between(0, 10)) * (count + 1);
          retries.push({ job, count: count + 1, pushedAt: NaN, due: endsAt + RETRY_SECONDS + jitter });
        }
      },
    },
    new Dice(9)
  );
  const capsules = after.flat();
  capsules.forEach((capsule) => engine.addCapsule(specOf(capsule)));
  let pollAt = POLL_SECONDS;
  const advance = (to: number) => {
    for (; pollAt <= to; pollAt += POLL_SECONDS * dice.between(0.5, 1.5)) {
      engine.advance(pollAt);
      const due = retries.filter((retry) => retry.due <= pollAt).sort((one, other) => one.due - other.due);
      retries = retries.filter((retry) => retry.due > pollAt);
      due.forEach((retry) => engine.push(retry.job.queue, { ...retry, pushedAt: pollAt }));
    }
    engine.advance(to);
  };
  for (const job of jobs) {
    advance(Math.max(0, job.at));
    engine.push(job.queue, { job, count: 0, pushedAt: job.at });
  }
  advance(SECONDS);
  const threads = capsules.reduce((sum, each) => sum + each.threads, 0);
  return { waits, drainedAt, utilisation: busy / (threads * SECONDS) };
}

/**
 * p95 of the wait by the two-moment formula for M/G/k: Erlang's C, an exponential tail, and the mean scaled by half of one
 * plus the squared variation of the run times. Infinite where it is overloaded. It knows no queues.
 */
function twoMoments({ rates, means, after }: Case): number {
  const arrivals = Object.values(rates).reduce((sum, rate) => sum + rate, 0);
  const offered = Object.entries(rates).reduce((sum, [queue, rate]) => sum + rate * means[queue]!, 0);
  const threads = after.flat().reduce((sum, each) => sum + each.threads, 0);
  if (offered >= threads) {
    return Infinity;
  }
  let term = 1;
  let sum = 1;
  for (let index = 1; index < threads; index += 1) {
    term *= offered / index;
    sum += term;
  }
  const last = ((term * offered) / threads) * (threads / (threads - offered));
  const waiting = last / (sum + last);
  const meanService = offered / arrivals;
  const variation = Math.exp(SIGMA ** 2) - 1;
  const meanOfThoseWho = ((1 + variation) / 2) * (meanService / (threads - offered));
  return waiting <= 0.05 ? 0 : meanOfThoseWho * Math.log(waiting / 0.05);
}

function drained({ drainedAt }: Pick<Measured, 'drainedAt'>, queue: string): number {
  return drainedAt.get(queue) ?? NaN;
}

function p95({ waits }: Pick<Measured, 'waits'>, queue: string): number {
  const sorted = [...(waits.get(queue) ?? [])].sort((a, b) => a - b);
  return sorted.length === 0 ? NaN : quantileSorted(sorted, 0.95);
}
