import { command, type ReadOnlyRedis, type Value } from '../../redis/readOnlyRedis';
import type { Listed, Notice } from '../model';
import { escapedName, nameOf } from '../name';
import { parsePayload, text, type JsonObject } from '../payload';
import { instantOf, secondsOf } from '../plausible';
import { listOf, pairsOf, textOf, Trip, valueOf, warning, type Brought, type Part, type Ticket } from '../parts/part';
import { nextRun } from './schedule';

/** An entry of a scheduler. Instants are epoch seconds; `null` where not known. */
export interface RecurringEntry {
  source: 'sidekiq-cron' | 'sidekiq-scheduler';
  name: string;
  class: string;
  queue: string;
  schedule: string;
  enabled: boolean;
  lastAt: number | null;
  /** The first run that is due after the last one; in the past when it did not come. `null` for a disabled entry. */
  nextAt: number | null;
}

const ENTRIES_CAP = 1000;

const cronKeys: Part<string, Value[]> = {
  what: 'sidekiq-cron entries',
  commands: (key) => [command('smembers', key)],
  parse: ([value]) => ({ value: [...listOf(value)] }),
};

const hash = (what: string): Part<string | Buffer, Map<string, string>> => ({
  what,
  commands: (key) => [command('hgetall', key)],
  parse: ([value]) => ({
    value: new Map(pairsOf(value).map(([field, each]) => [nameOf(field), textOf(each) ?? ''])),
  }),
});
const cronEntry = hash('sidekiq-cron entries');
/** When sidekiq-cron last enqueued an entry, or first saved it where it never did (epoch seconds). */
const enqueuedAt: Part<Buffer | string, number | null> = {
  what: 'sidekiq-cron entries',
  commands: (key) => [
    command('zrevrange', Buffer.concat([Buffer.from(key), Buffer.from(':enqueued')]), 0, 0, 'WITHSCORES'),
  ],
  parse: ([value]) => ({ value: secondsOf(textOf(listOf(value)[1])) }),
};
const schedulerHash = hash('sidekiq-scheduler entries');

/** Asked for in the first of two trips. */
interface Sets {
  cron: Array<Ticket<Value[]>>;
  schedules: Ticket<Map<string, string>>;
  lastTimes: Ticket<Map<string, string>>;
  nextTimes: Ticket<Map<string, string>>;
  states: Ticket<Map<string, string>>;
}

/** Asked for in the second. */
interface CronEntries {
  entries: Array<{ fields: Ticket<Map<string, string>>; savedAt: Ticket<number | null> }>;
  found: number;
}

/**
 * Asks for the entries of sidekiq-cron (1.x, and 2.x in the namespaces that are named) and of sidekiq-scheduler.
 * Sidekiq Enterprise's periodic jobs have no documented keys; their classes can be watched by a cadence.
 */
export function askRecurring(trip: Trip, namespaces: readonly string[]): Sets {
  const sets = ['cron_jobs', ...new Set(['default', ...namespaces].map((namespace) => `cron_jobs:${namespace}`))];
  return {
    cron: sets.map((key) => trip.ask(cronKeys, key)),
    schedules: trip.ask(schedulerHash, 'schedules'),
    lastTimes: trip.ask(schedulerHash, 'sidekiq-scheduler:last_times'),
    nextTimes: trip.ask(schedulerHash, 'sidekiq-scheduler:next_times'),
    states: trip.ask(schedulerHash, 'sidekiq-scheduler:states'),
  };
}

/** Asks for the entries that the first trip has named. */
export function askCronEntries(trip: Trip, sets: Sets, one: Brought): CronEntries {
  const names = new Map(
    sets.cron
      .flatMap((ticket) => valueOf(one.read(ticket)) ?? [])
      .map((key) => [nameOf(key), Buffer.isBuffer(key) ? key : ''])
  );
  return {
    entries: [...names.values()]
      .slice(0, ENTRIES_CAP)
      .map((key) => ({ fields: trip.ask(cronEntry, key), savedAt: trip.ask(enqueuedAt, key) })),
    found: names.size,
  };
}

/** Takes what both trips brought. */
export function takeRecurring(
  sets: Sets,
  one: Brought,
  cron: CronEntries,
  two: Brought,
  now: number
): Listed<RecurringEntry> {
  const scheduler = valueOf(one.read(sets.schedules)) ?? new Map<string, string>();
  const of = (ticket: Ticket<Map<string, string>>, name: string) => valueOf(one.read(ticket))?.get(name);
  const wasRead = [...sets.cron, sets.schedules].every((ticket: Ticket<unknown>) => one.read(ticket).ok);
  return {
    items: [
      ...cron.entries.flatMap(({ fields, savedAt }) => {
        const read = valueOf(two.read(fields));
        return read?.has('name') ? [readCronEntry(read, valueOf(two.read(savedAt)), now)] : [];
      }),
      ...[...scheduler].slice(0, ENTRIES_CAP).map(([name, config]) =>
        readSchedulerEntry(name, config, now, {
          last: of(sets.lastTimes, name),
          next: of(sets.nextTimes, name),
          state: of(sets.states, name),
        })
      ),
    ],
    whole: wasRead && cron.found <= ENTRIES_CAP && scheduler.size <= ENTRIES_CAP,
  };
}

/** Reads all entries, in two round trips. @throws Fault when nothing of it may be read */
export async function readRecurring(
  redis: ReadOnlyRedis,
  namespaces: readonly string[],
  now: number,
  signal?: AbortSignal
): Promise<{ entries: readonly RecurringEntry[]; notices: readonly Notice[] }> {
  const first = new Trip();
  const sets = askRecurring(first, namespaces);
  const one = await first.go(redis, signal);
  const second = new Trip();
  const cron = askCronEntries(second, sets, one);
  const two = await second.go(redis, signal);
  const { items, whole } = takeRecurring(sets, one, cron, two, now);
  const notices = [...one.notices];
  if (!whole && one.refused.size === 0) {
    notices.push(warning(`Only the first ${ENTRIES_CAP} entries of each scheduler were read.`));
  }
  const unread = items.filter(({ enabled, nextAt }) => enabled && nextAt === null).map(({ name }) => name);
  if (unread.length > 0) {
    notices.push({
      severity: 'info',
      text: `The next run is not known for: ${unread.slice(0, 10).join(', ')}. Jobwatch reads cron lines and "every"; other schedules are left to the scheduler.`,
    });
  }
  return { entries: items, notices: [...notices, ...two.notices] };
}

function readCronEntry(fields: ReadonlyMap<string, string>, savedAt: number | null, now: number): RecurringEntry {
  const schedule = fields.get('cron') ?? '';
  const enabled = fields.get('status') !== 'disabled';
  const lastAt = instantOf(fields.get('last_enqueue_time'));
  const namespace = fields.get('namespace') ?? '';
  const name = fields.get('name') ?? '';
  return {
    source: 'sidekiq-cron',
    name: escapedName(namespace === '' || namespace === 'default' ? name : `${namespace}:${name}`),
    class: escapedName(fields.get('klass') ?? ''),
    queue: escapedName(text(parsePayload(fields.get('message'))?.['queue'])),
    schedule,
    enabled,
    lastAt,
    nextAt: enabled ? nextRun({ kind: 'cron', schedule }, lastAt ?? savedAt ?? now) : null,
  };
}

const KINDS = ['cron', 'every', 'interval', 'at', 'in'] as const;

function readSchedulerEntry(
  name: string,
  raw: string,
  now: number,
  { last, next, state }: Record<'last' | 'next' | 'state', string | undefined>
): RecurringEntry {
  const config: JsonObject = parsePayload(raw) ?? {};
  const kind = KINDS.find((each) => config[each] !== undefined);
  const value = kind === undefined ? '' : config[kind];
  const schedule = text(Array.isArray(value) ? (value as unknown[])[0] : value);
  const enabled = (parsePayload(state)?.['enabled'] ?? config['enabled'] ?? true) !== false;
  const lastAt = instantOf(last);
  const computed = kind === undefined ? null : nextRun({ kind, schedule }, lastAt ?? now);
  return {
    source: 'sidekiq-scheduler',
    name,
    class: escapedName(text(config['class'])),
    queue: escapedName(text(config['queue'])),
    schedule: kind === 'cron' ? schedule : `${kind ?? ''} ${schedule}`.trim(),
    enabled,
    lastAt,
    nextAt: !enabled ? null : lastAt === null ? (instantOf(next) ?? computed) : (computed ?? instantOf(next)),
  };
}
