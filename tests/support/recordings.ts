import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Cluster, Redis } from 'ioredis';

/** Sidekiq versions of which a database was recorded, with what Sidekiq's own API and the Ruby exporter said of it. */
export const RECORDED_VERSIONS = ['6.5.12', '7.3.10', '8.1.7'] as const;
export type RecordedVersion = (typeof RECORDED_VERSIONS)[number];

const FOLDER = join(__dirname, '../recordings/data');

interface RecordedKey {
  key: string;
  type: 'string' | 'list' | 'set' | 'zset' | 'hash';
  /** Milliseconds left to live, -1 for ever. */
  pttl: number;
  value: unknown;
}

/** What Sidekiq's API answered on a recorded database. */
export interface RecordedApi {
  now: number;
  stats: Record<
    | 'processed'
    | 'failed'
    | 'scheduled'
    | 'retry'
    | 'dead'
    | 'enqueued'
    | 'processes'
    | 'workers'
    | 'default_queue_latency',
    number
  >;
  queues: Record<string, { size: number; latency: number }>;
  processes: Array<{
    identity: string;
    tag: string;
    hostname: string;
    concurrency: number;
    busy: number;
    quiet: string;
    rss: number;
    rtt: number;
    queues: string[];
    version: string | null;
    started_at: number;
  }>;
  work: Array<{ process: string; tid: string; queue: string; run_at: number; jid: string; klass?: string }>;
  top_jobs: Record<string, { totals: { ms?: number; s?: number; p?: number; f?: number }; avg: number }>;
  marks: Array<[number, string]>;
  for_job: Record<string, { hist: Record<string, number[]> }>;
  retry: Array<{
    jid: string;
    klass: string;
    error_class: string;
    error_message: string;
    at: number;
    retry_count: number;
  }>;
  dead: Array<{ jid: string; klass: string; error_class: string; at: number }>;
}

function read(version: RecordedVersion, suffix: string): string {
  return readFileSync(join(FOLDER, `sidekiq-${version}${suffix}`), 'utf8');
}

export function recordedApi(version: RecordedVersion): RecordedApi {
  return JSON.parse(read(version, '.api.json')) as RecordedApi;
}

export function recordedExporter(version: RecordedVersion): string {
  return read(version, '.exporter.prom');
}

/** Bytes that are text stand as text, others in base64. */
function bytesOf(value: string | { b64: string }): Buffer {
  return typeof value === 'string' ? Buffer.from(value) : Buffer.from(value.b64, 'base64');
}

/** Loads a recorded database as it was. @param asOfMs from when keys live for as long as was recorded, epoch milliseconds */
export async function loadRecording(
  redis: Redis | Cluster,
  version: RecordedVersion,
  asOfMs = Date.now()
): Promise<void> {
  const { keys } = JSON.parse(read(version, '.json')) as { keys: RecordedKey[] };
  await loadKeys(redis, keys, asOfMs);
}

/** Gems of which the locks were recorded, by their versions (recordings/locks.rb). */
export type RecordedLocks = 'unique-7' | 'unique-8' | 'throttled-1' | 'throttled-2' | 'activejob';

/** A database with locks, and what the gem and Sidekiq's API said of them. */
export interface LocksRecording {
  keys: RecordedKey[];
  at: number;
  version: string;
  sidekiq: string;
  /** Of sidekiq-unique-jobs. */
  locks?: Array<{
    digest: string;
    jids: string[];
    info: { worker: string; type: string; time: number };
    places: string[];
  }>;
  /** Of sidekiq-throttled. */
  running?: string[];
  concurrency?: number;
  threshold?: number;
  /** Of activejob-uniqueness. */
  waiting?: string[];
}

export function locksRecording(name: RecordedLocks): LocksRecording {
  return JSON.parse(readFileSync(join(FOLDER, 'locks', `${name}.json`), 'utf8')) as LocksRecording;
}

/** Writes recorded keys, which live for as long from `asOfMs` on as was recorded. */
export async function loadKeys(
  redis: Redis | Cluster,
  keys: readonly RecordedKey[],
  asOfMs = Date.now()
): Promise<void> {
  // Command by command: the keys of a pipeline would have to be of one node where a cluster is loaded.
  await Promise.all(
    keys.map(async ({ key, type, pttl, value }) => {
      await write(redis, key, type, value);
      if (pttl > 0) {
        await redis.pexpireat(key, asOfMs + pttl);
      }
    })
  );
}

function write(redis: Redis | Cluster, key: string, type: RecordedKey['type'], value: unknown): Promise<unknown> {
  switch (type) {
    case 'string':
      return redis.set(key, bytesOf(value as string | { b64: string }));
    case 'list':
      return redis.rpush(key, ...(value as string[]));
    case 'set':
      return redis.sadd(key, ...(value as string[]));
    case 'zset':
      return redis.zadd(
        key,
        ...(value as Array<[string, string | number]>).flatMap(([member, score]) => [String(score), member])
      );
    case 'hash':
      return redis.hset(key, value as Record<string, string>);
  }
}
