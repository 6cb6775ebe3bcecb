import { command, type Command } from '../redis/readOnlyRedis';
import { parsePayload, text } from './payload';

/** Seconds that Redis keeps a process's hash after its last heartbeat (Sidekiq's launcher). */
const HEARTBEAT_TTL_SECONDS = 60;

/** A named group of threads of one process, with the queues it serves and their weights. */
export interface Capsule {
  name: string;
  concurrency: number;
  mode: 'strict' | 'weighted' | 'random';
  /** Queue name to weight; all 0 in strict order, in the order of service. */
  weights: Record<string, number>;
}

/** One live Sidekiq process. Instants are epoch seconds. */
export interface Process {
  identity: string;
  host: string;
  pid: number | null;
  tag: string;
  labels: string[];
  /** `''` before Sidekiq 7.0.2, which did not write it. */
  version: string;
  startedAt: number | null;
  /** Sidekiq got TSTP or TERM: it takes no new jobs. */
  quiet: boolean;
  embedded: boolean;
  beatAt: number | null;
  /** Seconds since the last heartbeat, by Redis' own clock where its key expires. */
  beatAgeSeconds: number | null;
  /** Jobs in flight as of the heartbeat. */
  busy: number;
  concurrency: number;
  rssBytes: number | null;
  rttSeconds: number | null;
  /** Every queue it serves, in the order Sidekiq wrote them. */
  queues: string[];
  capsules: Capsule[];
}

const FIELDS = ['info', 'concurrency', 'busy', 'beat', 'quiet', 'rss', 'rtt_us'] as const;

/** What to ask Redis about one process; {@link readProcess} takes the two values. */
export function processCommands(identity: string): Command[] {
  return [command('hmget', identity, ...FIELDS), command('ttl', identity)];
}

/**
 * Reads a process's hash, whatever version wrote it.
 *
 * @returns `null` when the hash is gone: the process died and its name is still in the set
 * @throws Error when `info` is there but is no JSON object
 */
export function readProcess(identity: string, hash: unknown, ttl: unknown, now: number): Process | null {
  const values = Array.isArray(hash) ? (hash as Array<string | null>) : [];
  const field = (name: (typeof FIELDS)[number]) => values[FIELDS.indexOf(name)] ?? null;
  const rawInfo = field('info');
  if (rawInfo === null) {
    return null;
  }
  const info = parsePayload(rawInfo);
  if (info === null) {
    throw new Error('its field info is not a JSON object');
  }
  const queues = Array.isArray(info['queues']) ? info['queues'].map(text) : [];
  const written = readCapsules(info['capsules']);
  const concurrency =
    number(field('concurrency')) ??
    number(info['concurrency']) ??
    written.reduce((sum, capsule) => sum + capsule.concurrency, 0);
  const capsules = written.length > 0 ? written : [wholeProcess(concurrency, queues, info['weights'])];
  const beatAt = number(field('beat'));
  const rss = number(field('rss'));
  const rtt = number(field('rtt_us'));
  return {
    identity,
    host: text(info['hostname']) || identity.split(':').slice(0, -2).join(':'),
    pid: number(info['pid']),
    tag: text(info['tag']),
    labels: Array.isArray(info['labels']) ? info['labels'].map(text) : [],
    version: text(info['version']),
    startedAt: number(info['started_at']),
    quiet: field('quiet') === 'true',
    embedded: info['embedded'] === true,
    beatAt,
    beatAgeSeconds: beatAge(ttl, beatAt, now),
    busy: number(field('busy')) ?? 0,
    concurrency,
    rssBytes: rss === null ? null : rss * 1024,
    rttSeconds: rtt === null ? null : rtt / 1e6,
    queues: queues.length > 0 ? queues : [...new Set(capsules.flatMap((capsule) => Object.keys(capsule.weights)))],
    capsules,
  };
}

/** Threads of a process that may run jobs of a queue, counted by capsule. */
export function threadsFor(process: Process, queue: string): number {
  return process.capsules
    .filter((capsule) => queue in capsule.weights)
    .reduce((sum, capsule) => sum + capsule.concurrency, 0);
}

function beatAge(ttl: unknown, beatAt: number | null, now: number): number | null {
  const remaining = number(ttl);
  if (remaining !== null && remaining >= 0 && remaining <= HEARTBEAT_TTL_SECONDS) {
    return HEARTBEAT_TTL_SECONDS - remaining;
  }
  return beatAt === null ? null : Math.max(0, now - beatAt);
}

function readCapsules(value: unknown): Capsule[] {
  const capsules = parsePayload(value);
  return Object.entries(capsules ?? {}).flatMap(([name, raw]) => {
    const capsule = parsePayload(raw);
    return capsule === null
      ? []
      : [
          {
            name,
            concurrency: number(capsule['concurrency']) ?? 0,
            mode: modeOf(capsule['mode'], readWeights(capsule['weights'])),
            weights: readWeights(capsule['weights']),
          },
        ];
  });
}

/** Before 8.0.9 `weights` stands alone: one object, then one per capsule; threads per capsule are unknown. */
function wholeProcess(concurrency: number, queues: string[], value: unknown): Capsule {
  const written = (Array.isArray(value) ? value : [value]).map(readWeights);
  const weights: Record<string, number> = Object.fromEntries(queues.map((queue) => [queue, 0]));
  Object.assign(weights, ...written);
  return { name: 'default', concurrency, mode: modeOf(undefined, weights), weights };
}

function readWeights(value: unknown): Record<string, number> {
  const weights = parsePayload(value) ?? {};
  return Object.fromEntries(Object.entries(weights).map(([queue, weight]) => [queue, number(weight) ?? 0]));
}

function modeOf(written: unknown, weights: Record<string, number>): Capsule['mode'] {
  if (written === 'strict' || written === 'weighted' || written === 'random') {
    return written;
  }
  const values = Object.values(weights);
  if (values.every((weight) => weight === 0)) {
    return 'strict';
  }
  return values.every((weight) => weight === 1) ? 'random' : 'weighted';
}

function number(value: unknown): number | null {
  if (value === null || value === undefined || value === '') {
    return null;
  }
  const result = Number(value);
  return Number.isFinite(result) ? result : null;
}
