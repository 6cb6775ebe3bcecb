import { command } from '../../redis/readOnlyRedis';
import { keys } from '../keys';
import type { Capsule, Notice, Process } from '../model';
import { escapedName } from '../name';
import { parsePayload, text, type JsonObject } from '../payload';
import { countOf, numberOf, secondsOf } from '../plausible';
import { listOf, textOf, warning, type Part } from './part';

/** Seconds that Redis keeps a process's hash after its last heartbeat (Sidekiq's launcher). */
export const HEARTBEAT_TTL_SECONDS = 60;

const FIELDS = ['info', 'concurrency', 'busy', 'beat', 'quiet', 'rss', 'rtt_us'] as const;
type Field = (typeof FIELDS)[number];

/** A process's record: the process, a name whose hash has expired, or a record that is not Sidekiq's. */
export type ProcessRecord = Omit<Process, 'beatAgeSeconds'> | 'ghost' | 'unreadable';

/** A process's hash, whatever version wrote it, by identity. */
export const processRecord: Part<string, ProcessRecord> = {
  what: 'processes',
  commands: (identity) => [command('hmget', keys.process(identity), ...FIELDS)],
  parse([value], identity) {
    const values = listOf(value);
    const field = (name: Field) => textOf(values[FIELDS.indexOf(name)]);
    const rawInfo = field('info');
    if (rawInfo === null) {
      return { value: 'ghost' };
    }
    const info = parsePayload(rawInfo);
    if (info === null) {
      const problem = `The process record ${identity} was left out: its field info is not a JSON object.`;
      return { value: 'unreadable', notices: [warning(problem)] };
    }
    return readRecord(identity, info, field);
  },
};

function readRecord(identity: string, info: JsonObject, field: (name: Field) => string | null) {
  const notices: Notice[] = [];
  const known = (name: string, raw: unknown, read: (value: unknown) => number | null): number | null => {
    const number = read(raw);
    if (number === null && raw !== null && raw !== undefined && raw !== '') {
      notices.push(warning(`The process ${identity} has an implausible "${name}"; it was left out.`));
    }
    return number;
  };
  const queues = Array.isArray(info['queues'])
    ? info['queues']
        .map(text)
        .filter((name) => name !== '')
        .map(escapedName)
    : [];
  const written = readCapsules(info['capsules'], queues);
  const concurrency =
    known('concurrency', field('concurrency') ?? info['concurrency'], countOf) ??
    (written.length > 0 ? sumOrNull(written.map((capsule) => capsule.concurrency)) : null);
  const capsules = written.length > 0 ? written : [wholeProcess(concurrency, queues, info['weights'])];
  const rss = known('rss', field('rss'), countOf);
  const rtt = known('rtt_us', field('rtt_us'), countOf);
  const record: ProcessRecord = {
    identity,
    host: text(info['hostname']) || identity.split(':').slice(0, -2).join(':'),
    pid: countOf(info['pid']),
    tag: text(info['tag']),
    labels: Array.isArray(info['labels']) ? info['labels'].map(text) : [],
    version: text(info['version']),
    startedAt: known('started_at', info['started_at'], secondsOf),
    quiet: field('quiet') === 'true',
    embedded: info['embedded'] === true,
    beatAt: known('beat', field('beat'), secondsOf),
    busy: known('busy', field('busy'), countOf),
    concurrency,
    rssBytes: rss === null ? null : rss * 1024,
    rttSeconds: rtt === null ? null : rtt / 1e6,
    queues: queues.length > 0 ? queues : [...new Set(capsules.flatMap((capsule) => [...capsule.weights.keys()]))],
    capsules,
  };
  return { value: record, notices };
}

/** Seconds left of a process's hash, `null` where it does not expire. */
export const heartbeatExpiry: Part<string, number | null> = {
  what: 'heartbeat ages',
  commands: (identity) => [command('ttl', keys.process(identity))],
  parse: ([value]) => ({ value: countOf(value) }),
};

/** Seconds since the last heartbeat: by the clock of Redis where the hash expires as Sidekiq sets it, else by `beat`. */
export function beatAge(expiresInSeconds: number | null, beatAt: number | null, now: number): number | null {
  if (expiresInSeconds !== null && expiresInSeconds <= HEARTBEAT_TTL_SECONDS) {
    return HEARTBEAT_TTL_SECONDS - expiresInSeconds;
  }
  return beatAt === null ? null : Math.max(0, now - beatAt);
}

/**
 * Threads of a process that may run jobs of a queue, counted by capsule; `null` where a capsule that serves it does
 * not say how many it has.
 */
export function threadsFor({ capsules }: Pick<Process, 'capsules'>, queue: string): number | null {
  return sumOrNull(capsules.filter(({ weights }) => weights.has(queue)).map(({ concurrency }) => concurrency));
}

/** The sum, or `null` where a part of it is not known. */
export function sumOrNull(values: ReadonlyArray<number | null>): number | null {
  return values.reduce<number | null>((sum, value) => (sum === null || value === null ? null : sum + value), 0);
}

function readCapsules(value: unknown, queues: readonly string[]): Capsule[] {
  return Object.entries(objectOf(value)).flatMap(([name, raw]) => {
    const capsule = typeof raw === 'object' ? objectOf(raw) : null;
    if (capsule === null || raw === null) {
      return [];
    }
    const weights = readWeights(capsule['weights'], queues);
    return [{ name, concurrency: countOf(capsule['concurrency']), mode: modeOf(capsule['mode'], weights), weights }];
  });
}

/** Before 8.0.9 `weights` stands alone: one object, then one per capsule; threads per capsule are unknown. */
function wholeProcess(concurrency: number | null, queues: readonly string[], value: unknown): Capsule {
  const weights = new Map(queues.map((queue) => [queue, 0]));
  for (const written of (Array.isArray(value) ? value : [value]).map((each) => readWeights(each, queues))) {
    written.forEach((weight, queue) => weights.set(queue, weight));
  }
  return { name: 'default', concurrency, mode: modeOf(undefined, weights), weights };
}

/** In the order of `queues`: JavaScript puts the keys of an object that look like numbers first. */
function readWeights(value: unknown, queues: readonly string[]): Map<string, number> {
  const order = new Map(queues.map((queue, index) => [queue, index]));
  const weights = Object.entries(objectOf(value)).map(([queue, weight]): [string, number] => [
    escapedName(queue),
    Math.max(0, numberOf(weight) ?? 0),
  ]);
  const place = ([queue]: [string, number]) => order.get(queue) ?? queues.length;
  return new Map(weights.sort((a, b) => place(a) - place(b)));
}

function objectOf(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

function modeOf(written: unknown, weights: ReadonlyMap<string, number>): Capsule['mode'] {
  if (written === 'strict' || written === 'weighted' || written === 'random') {
    return written;
  }
  const values = [...weights.values()];
  if (values.every((weight) => weight === 0)) {
    return 'strict';
  }
  return values.every((weight) => weight === 1) ? 'random' : 'weighted';
}
