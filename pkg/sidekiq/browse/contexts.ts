import type { ReadOnlyRedis } from '../../redis/readOnlyRedis';
import { contextValue } from '../jobDetails';
import type { Notice } from '../model';
import { listOf, pairsOf, textOf, Trip, valueOf, type Part } from '../parts/part';
import { endsCommands, readEnds } from '../parts/queueEnds';
import { processWork, workRecord } from '../parts/work';
import { jobOf, parsePayload } from '../payload';
import { instantOf } from '../plausible';
import { readJobs } from './jobs';

/** Payloads looked at from each end of a queue. */
export const CONTEXT_END = 250;
/** Jobs of the retry and the dead set each that are looked at. */
export const FAILURES_CAP = 5000;
const FAILURE_BYTES = 16 * 1024 * 1024;
const FAILURE_SECONDS = 2;

/** A job by the value of one field of its context; `''` where it has none. Instants are epoch seconds. */
export interface ContextJob {
  readonly value: string;
  readonly class: string;
  readonly metricsClass: string;
  readonly queue: string;
  /** When it was enqueued and created; `null` where it does not tell. */
  readonly enqueuedAt: number | null;
  readonly createdAt: number | null;
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
  /** Of which of them Redis refused a part, so that their numbers are not known. */
  readonly refused: { readonly waiting: boolean; readonly running: boolean };
  readonly notices: readonly Notice[];
}

export interface ContextsAsked {
  /** A CurrentAttribute, or a field of the payload. */
  readonly field: string;
  readonly queues: readonly string[];
  /** Identities of the processes. */
  readonly processes: readonly string[];
}

/** @param queue in which the job waits; that of its payload where it is left out */
type ReadJob = (raw: unknown, weight: number, queue?: string) => ContextJob | null;

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
  const jobIn: ReadJob = (raw, weight, queue) => {
    const payload = parsePayload(raw);
    if (payload === null) {
      return null;
    }
    const job = jobOf(payload, queue);
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
    refused: {
      waiting: read.some(({ found }) => found === null),
      running: works.some((ticket) => !brought.read(ticket).ok),
    },
    notices: brought.notices,
  };
}

/** Both ends of a queue; the jobs of a long one stand for those between. */
function endsOf(jobIn: ReadJob): Part<string, { jobs: ContextJob[]; isEstimated: boolean }> {
  return {
    what: 'waiting jobs',
    commands: (name) => endsCommands(name, CONTEXT_END),
    parse(values, queue) {
      const { size, entries } = readEnds(values);
      const weight = Math.max(1, size / entries.length);
      return {
        value: { jobs: entries.flatMap((raw) => jobIn(raw, weight, queue) ?? []), isEstimated: size > entries.length },
      };
    },
  };
}

/** The jobs that a process runs. */
function workOf(jobIn: ReadJob): Part<string, ContextJob[]> {
  return {
    what: processWork.what,
    // One of the two, by the version of Sidekiq.
    commands: (identity) => (['new', 'old'] as const).flatMap((shape) => processWork.commands({ identity, shape })),
    parse: (values) => ({
      value: values.flatMap((value) =>
        pairsOf(listOf(value)[1]).flatMap(([, raw]) => {
          const record = workRecord(textOf(raw));
          const job = jobIn(record?.payload, 1, record?.queue || undefined);
          return record && job ? [{ ...job, at: record.runAt }] : [];
        })
      ),
    }),
  };
}
