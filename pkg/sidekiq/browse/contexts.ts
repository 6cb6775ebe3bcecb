import { command, type ReadOnlyRedis } from '../../redis/readOnlyRedis';
import { contextValue } from '../jobDetails';
import { keys } from '../keys';
import type { Notice } from '../model';
import { listOf, pairsOf, textOf, Trip, valueOf, type Part } from '../parts/part';
import { jobOf, parsePayload, text } from '../payload';
import { countOf, instantOf, secondsOf } from '../plausible';
import { readJobs } from './jobs';

/** Payloads looked at from each end of a queue. */
export const CONTEXT_END = 250;
/** Running jobs of one process, and jobs of the retry and the dead set each, that are looked at. */
const WORK_CAP = 2000;
export const FAILURES_CAP = 5000;
const FAILURE_BYTES = 16 * 1024 * 1024;
const FAILURE_SECONDS = 2;

/** A job by the value of one field of its context; `''` where it has none. Instants are epoch seconds. */
export interface ContextJob {
  readonly value: string;
  readonly class: string;
  readonly metricsClass: string;
  readonly queue: string;
  /** When it was enqueued; `null` where it does not tell. */
  readonly enqueuedAt: number | null;
  /** When it began to run, or last failed. */
  readonly at: number | null;
  /** For how many jobs it stands: those of a long queue are estimated. */
  readonly weight: number;
}

/** Jobs of an installation by where they are. */
export interface ContextsRead {
  readonly waiting: readonly ContextJob[];
  readonly running: readonly ContextJob[];
  readonly retry: readonly ContextJob[];
  readonly dead: readonly ContextJob[];
  /** Queues of which both ends were looked at, and sets of which only the first entries were. */
  readonly estimated: readonly string[];
  readonly notices: readonly Notice[];
}

export interface ContextsAsked {
  /** A CurrentAttribute, or a field of the payload. */
  readonly field: string;
  readonly queues: readonly string[];
  /** Identities of the processes. */
  readonly processes: readonly string[];
}

type ReadJob = (raw: unknown, weight: number) => ContextJob | null;

/**
 * Reads jobs by one field of their context: both ends of queues, what runs, the next retries and the newest dead. One
 * round trip for queues and processes, then pages of the two sets.
 *
 * @throws Fault where nothing of it may be read
 */
export async function readContexts(
  redis: ReadOnlyRedis,
  { field, queues, processes }: ContextsAsked,
  signal?: AbortSignal
): Promise<ContextsRead> {
  const jobIn: ReadJob = (raw, weight) => {
    const payload = parsePayload(raw);
    if (payload === null) {
      return null;
    }
    const job = jobOf(payload);
    return { ...job, value: contextValue(payload, field), at: null, weight };
  };
  const trip = new Trip();
  const ends = queues.map((name) => ({ name, ticket: trip.ask(endsOf(jobIn), name) }));
  const works = processes.map((identity) => trip.ask(workOf(jobIn), identity));
  const brought = await trip.go(redis, signal);
  const failures = async (source: 'retry' | 'dead') => {
    const jobs: ContextJob[] = [];
    const { looked, total } = await readJobs(redis, {
      source,
      queue: '',
      limit: Infinity,
      most: { entries: FAILURES_CAP, bytes: FAILURE_BYTES, seconds: FAILURE_SECONDS },
      keeps: ({ payload, scoreAt, ...job }) => {
        const at = source === 'dead' ? scoreAt : instantOf(payload['retried_at'] ?? payload['failed_at']);
        jobs.push({ ...job, value: contextValue(payload, field), at, weight: 1 });
        return false;
      },
      ...(signal && { signal }),
    });
    return { jobs, isPart: looked < total };
  };
  const [retry, dead] = [await failures('retry'), await failures('dead')];
  const read = ends.map(({ name, ticket }) => ({ name, found: valueOf(brought.read(ticket)) }));
  return {
    waiting: read.flatMap(({ found }) => found?.jobs ?? []),
    running: works.flatMap((ticket) => valueOf(brought.read(ticket)) ?? []),
    retry: retry.jobs,
    dead: dead.jobs,
    estimated: [
      ...read.filter(({ found }) => found?.isEstimated).map(({ name }) => name),
      ...(retry.isPart ? ['the retry set'] : []),
      ...(dead.isPart ? ['the dead set'] : []),
    ],
    notices: brought.notices,
  };
}

/** Both ends of a queue; the jobs of a long one stand for those between. */
function endsOf(jobIn: ReadJob): Part<string, { jobs: ContextJob[]; isEstimated: boolean }> {
  return {
    what: 'waiting jobs',
    commands: (name) => [
      command('lrange', keys.queue(name), -CONTEXT_END, -1),
      command('lrange', keys.queue(name), 0, CONTEXT_END - 1),
      command('llen', keys.queue(name)),
    ],
    parse([oldest, newest, length]) {
      const size = countOf(length) ?? 0;
      const last = listOf(oldest).filter(Buffer.isBuffer);
      // The ends of a short queue overlap.
      const first = listOf(newest)
        .filter(Buffer.isBuffer)
        .slice(0, Math.max(0, size - last.length));
      const seen = [...last, ...first];
      const weight = Math.max(1, size / seen.length);
      return {
        value: { jobs: seen.flatMap((raw) => jobIn(raw, weight) ?? []), isEstimated: size > seen.length },
      };
    },
  };
}

/** The jobs that a process runs. */
function workOf(jobIn: ReadJob): Part<string, ContextJob[]> {
  return {
    what: 'running jobs',
    commands: (identity) => [command('hscan', keys.work(identity), 0, 'COUNT', WORK_CAP)],
    parse: ([value]) => ({
      value: pairsOf(listOf(value)[1]).flatMap(([, raw]) => {
        const record = parsePayload(textOf(raw));
        const job = jobIn(record?.['payload'], 1);
        return job ? [{ ...job, queue: text(record?.['queue']) || job.queue, at: secondsOf(record?.['run_at']) }] : [];
      }),
    }),
  };
}
