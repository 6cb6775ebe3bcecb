import { command } from '../../redis/readOnlyRedis';
import { keys } from '../keys';
import type { Capsule, Notice, Process } from '../model';
import { escapedName } from '../name';
import { parsePayload, text, type JsonObject } from '../payload';
import { countOf, numberOf, secondsOf } from '../plausible';
import { remembered } from '../remembered';
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
    const layout = readLayout(rawInfo);
    if (layout === null) {
      const problem = `The process record ${identity} was left out: its field info is not a JSON object.`;
      return { value: 'unreadable', notices: [warning(problem)] };
    }
    return readRecord(identity, layout, field);
  },
};

/** What a process writes once, at its start. */
interface Layout {
  info: JsonObject;
  queues: readonly string[];
  /** Empty before Sidekiq 8.0.9. */
  capsules: readonly Capsule[];
  /** What stands for capsules there: all queues of the process. */
  whole: Pick<Capsule, 'mode' | 'weights'>;
}

const readLayout = remembered((raw): Layout | null => {
  const info = parsePayload(raw);
  if (info === null) {
    return null;
  }
  const queues = Array.isArray(info['queues'])
    ? info['queues']
        .map(text)
        .filter((name) => name !== '')
        .map(escapedName)
    : [];
  return {
    info,
    queues,
    capsules: readCapsules(info['capsules'], queues),
    whole: wholeProcess(queues, info['weights']),
  };
});

function readRecord(
  identity: string,
  { info, queues, capsules: written, whole }: Layout,
  field: (name: Field) => string | null
) {
  const notices: Notice[] = [];
  const known = (name: string, raw: unknown, read: (value: unknown) => number | null): number | null => {
    const number = read(raw);
    if (number === null && raw !== null && raw !== undefined && raw !== '') {
      notices.push(warning(`The process ${identity} has an implausible "${name}"; it was left out.`));
    }
    return number;
  };
  const concurrency =
    known('concurrency', field('concurrency') ?? info['concurrency'], countOf) ??
    (written.length > 0 ? sumOrNull(written.map((capsule) => capsule.concurrency)) : null);
  const capsules = written.length > 0 ? written : [{ name: 'default', concurrency, ...whole }];
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
function wholeProcess(queues: readonly string[], value: unknown): Layout['whole'] {
  const weights = new Map(queues.map((queue) => [queue, 0]));
  for (const written of (Array.isArray(value) ? value : [value]).map((each) => readWeights(each, queues))) {
    written.forEach((weight, queue) => weights.set(queue, weight));
  }
  return { mode: modeOf(undefined, weights), weights };
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
