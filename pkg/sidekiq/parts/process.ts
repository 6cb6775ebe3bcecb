import { command } from '../../redis/readOnlyRedis';
import { keys } from '../keys';
import type { Capsule, Notice, Process } from '../model';
import { escapedName } from '../name';
import { orderedEntries, parsePayload, text, type JsonObject, type Ordered } from '../payload';
import { countOf, numberOf, secondsOf } from '../plausible';
import { remembered } from '../remembered';
import { listOf, textOf, warning, type Part } from './part';

/** Seconds that Redis keeps a process's hash after its last heartbeat (Sidekiq's launcher). */
export const HEARTBEAT_TTL_SECONDS = 60;
/** Seconds between two heartbeats (`BEAT_PAUSE` there). */
export const HEARTBEAT_SECONDS = 10;

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
  /** Threads are `null` where the record does not write them by capsule. */
  capsules: readonly Capsule[];
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
  const written = orderedEntries(raw);
  return { info, queues, capsules: capsulesOf(written, queues) };
});

function readRecord(
  identity: string,
  { info, queues, capsules: written }: Layout,
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
    known('concurrency', field('concurrency') ?? info['concurrency'], threadsOf) ??
    (written.length > 0 ? sumOrNull(written.map((capsule) => capsule.concurrency)) : null);
  const capsules = withThreads(written, concurrency);
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
    busy: known('busy', field('busy'), threadsOf),
    concurrency,
    rssBytes: rss === null ? null : rss * 1024,
    rttSeconds: rtt === null ? null : rtt / 1e6,
    queues: queues.length > 0 ? queues : [...new Set(capsules.flatMap((capsule) => [...capsule.weights.keys()]))],
    capsules,
  };
  return { value: record, notices };
}

/** Threads that one process can have: a machine has no place for more. */
const MOST_THREADS = 100_000;

function threadsOf(value: unknown): number | null {
  const threads = countOf(value);
  return threads !== null && threads <= MOST_THREADS ? threads : null;
}

const knownWithThreads = new WeakMap<
  Process['capsules'],
  { concurrency: number | null; capsules: readonly Capsule[] }
>();

/** All threads of a process belong to its only capsule. The same list while the record does not change. */
function withThreads(written: readonly Capsule[], concurrency: number | null): readonly Capsule[] {
  const [only] = written;
  if (!only || written.length > 1 || only.concurrency !== null) {
    return written;
  }
  const known = knownWithThreads.get(written);
  if (known?.concurrency === concurrency) {
    return known.capsules;
  }
  const capsules = [{ ...only, concurrency }];
  knownWithThreads.set(written, { concurrency, capsules });
  return capsules;
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

/**
 * The capsules of a record, whichever version wrote it:
 *
 * - since 8.0.9 `capsules` by name, with threads, mode and weights (`Capsule#to_h`);
 * - since 7.0.2 `weights`, an object for each capsule, without names and threads;
 * - before, only the names of all queues: one capsule whose order of service is not known.
 */
function capsulesOf(info: Ordered, queues: readonly string[]): Capsule[] {
  const named = entriesOf(info.get('capsules')).flatMap(([name, capsule]): Capsule[] => {
    if (!(capsule instanceof Map)) {
      return [];
    }
    const weights = readWeights(capsule.get('weights'));
    return [
      { name, concurrency: threadsOf(capsule.get('concurrency')), mode: modeOf(capsule.get('mode'), weights), weights },
    ];
  });
  if (named.length > 0) {
    return named;
  }
  const listed = info.get('weights');
  const all = (Array.isArray(listed) ? listed : [listed]).map(readWeights).filter(({ size }) => size > 0);
  if (all.length > 0) {
    return all.map((weights, index) => ({
      name: all.length === 1 ? 'default' : `capsule ${index + 1}`,
      concurrency: null,
      mode: modeOf(undefined, weights),
      weights,
    }));
  }
  return [{ name: 'default', concurrency: null, mode: null, weights: new Map(queues.map((queue) => [queue, 0])) }];
}

/** In the order in which the record lists the queues, which is the order of service (`Capsule#queues=`). */
function readWeights(value: unknown): Map<string, number> {
  return new Map(
    entriesOf(value).map(([queue, weight]): [string, number] => [
      escapedName(queue),
      Math.max(0, numberOf(weight) ?? 0),
    ])
  );
}

function entriesOf(value: unknown): Array<[string, unknown]> {
  return value instanceof Map ? [...(value as Ordered)] : [];
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
