import { LRUCache } from 'lru-cache';
import { command, type ReadOnlyRedis, type Value } from '../../redis/readOnlyRedis';
import { groupBy } from '../groupBy';
import type { Listed, Notice } from '../model';
import { escapedName, nameOf } from '../name';
import { namesText } from '../namesText';
import { parsePayload, text, type JsonObject } from '../payload';
import { instantOf, secondsOf } from '../plausible';
import { listOf, pairsOf, textOf, Trip, valueOf, warning, type Brought, type Part, type Ticket } from '../parts/part';
import {
  isRunOf,
  nextRunOf,
  readSchedule,
  SCHEDULE_KINDS,
  zonesOf,
  type NextRun,
  type PlannedRun,
  type Schedule,
  type ScheduleKind,
  type Zones,
} from '../schedule/schedule';
import type { Zone } from '../schedule/zone';

/** An entry of a scheduler. Instants are epoch seconds; `null` where not known. */
export interface RecurringEntry {
  source: 'sidekiq-cron' | 'sidekiq-scheduler';
  name: string;
  /** The `key_prefix` of sidekiq-scheduler under which the entry lies; `''` without one. */
  prefix: string;
  class: string;
  queue: string;
  schedule: string;
  enabled: boolean;
  lastAt: number | null;
  /** The first run that is due after the last one; in the past when it did not come. `null` for a disabled entry. */
  nextAt: number | null;
  /** From when the run is late, whatever the time zone of the application. `null` where it is never called late. */
  lateFrom: number | null;
  /** The scheduler itself cannot read the schedule. */
  unreadable: boolean;
  /** Whether the time zone is known by which `nextAt` is told, or makes no difference. */
  zoneKnown: boolean;
}

/** What settings say of schedulers. */
export interface SchedulerOptions {
  /** Namespaces of sidekiq-cron beside its default. */
  cronNamespaces?: readonly string[];
  /** Values of sidekiq-scheduler's `key_prefix` beside none. */
  schedulerPrefixes?: readonly string[];
  /** Zone of cron lines that name none; inferred where it is left out. */
  timeZone?: Zone | null;
}

/** Until when entries of sidekiq-cron were disabled (epoch seconds), by their names: no run of that time is awaited. */
export type DisabledUntil = ReadonlyMap<string, number>;

/** Seconds for which an entry is late; `null` where that is not known. */
export function lateBy({ lateFrom, nextAt }: Pick<RecurringEntry, 'lateFrom' | 'nextAt'>, now: number): number | null {
  return nextAt === null ? null : lateFrom === null ? 0 : Math.max(0, now - lateFrom);
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
/** The run that sidekiq-cron last enqueued an entry for, or that came before it was first saved, and when that was. */
interface Planned {
  /** The instant that the cron line names. */
  at: number | null;
  enqueuedAt: number | null;
}

const plannedRun: Part<Buffer | string, Planned> = {
  what: 'sidekiq-cron entries',
  commands: (key) => [
    command('zrevrange', Buffer.concat([Buffer.from(key), Buffer.from(':enqueued')]), 0, 0, 'WITHSCORES'),
  ],
  parse: ([value]) => {
    const [member, score] = listOf(value);
    return { value: { at: instantOf(textOf(member)), enqueuedAt: secondsOf(textOf(score)) } };
  },
};
const schedulerHash = hash('sidekiq-scheduler entries');

/** The hashes of one sidekiq-scheduler. */
interface SchedulerHashes {
  prefix: string;
  schedules: Ticket<Map<string, string>>;
  lastTimes: Ticket<Map<string, string>>;
  nextTimes: Ticket<Map<string, string>>;
  states: Ticket<Map<string, string>>;
}

/** Asked for in the first of two trips. */
interface Sets {
  cron: Array<Ticket<Value[]>>;
  schedulers: SchedulerHashes[];
  timeZone: Zone | null;
}

/** Asked for in the second. */
interface CronEntries {
  entries: Array<{ fields: Ticket<Map<string, string>>; planned: Ticket<Planned> }>;
  found: number;
}

/**
 * Asks for the entries of sidekiq-cron (1.x, and 2.x in the namespaces that are named) and of sidekiq-scheduler.
 * Sidekiq Enterprise's periodic jobs have no documented keys; their classes can be watched by a cadence.
 */
export function askRecurring(trip: Trip, options: SchedulerOptions): Sets {
  const { cronNamespaces = [], schedulerPrefixes = [], timeZone = null } = options;
  const sets = ['cron_jobs', ...new Set(['default', ...cronNamespaces].map((namespace) => `cron_jobs:${namespace}`))];
  return {
    cron: sets.map((key) => trip.ask(cronKeys, key)),
    schedulers: ['', ...new Set(schedulerPrefixes)].map((prefix) => {
      // As sidekiq-scheduler puts it together (redis_manager.rb, `key_prefix=`).
      const before = prefix === '' || /[.:]$/.test(prefix) ? prefix : `${prefix}:`;
      const of = (key: string) => trip.ask(schedulerHash, `${before}${key}`);
      return {
        prefix: before.replace(/[.:]$/, ''),
        schedules: of('schedules'),
        lastTimes: of('sidekiq-scheduler:last_times'),
        nextTimes: of('sidekiq-scheduler:next_times'),
        states: of('sidekiq-scheduler:states'),
      };
    }),
    timeZone,
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
      .map((key) => ({ fields: trip.ask(cronEntry, key), planned: trip.ask(plannedRun, key) })),
    found: names.size,
  };
}

/** Takes what both trips brought. */
export function takeRecurring(
  sets: Sets,
  one: Brought,
  cron: CronEntries,
  two: Brought,
  now: number,
  disabledUntil: DisabledUntil = new Map()
): Listed<RecurringEntry> {
  const cronRead = cron.entries.flatMap(({ fields, planned }) => {
    const read = valueOf(two.read(fields));
    return read?.has('name') ? [readCronFields(read, valueOf(two.read(planned)))] : [];
  });
  const schedulers = sets.schedulers.map((hashes) => {
    const of = (ticket: Ticket<Map<string, string>>) => valueOf(one.read(ticket)) ?? new Map<string, string>();
    const [schedules, last, next, states] = [
      of(hashes.schedules),
      of(hashes.lastTimes),
      of(hashes.nextTimes),
      of(hashes.states),
    ];
    const entries = [...schedules].slice(0, ENTRIES_CAP).map(([name, config]) =>
      readSchedulerEntry(hashes.prefix, name, config, {
        last: last.get(name),
        next: next.get(name),
        state: states.get(name),
      })
    );
    return { entries, found: schedules.size };
  });
  const wasRead = [...sets.cron, ...sets.schedulers.map(({ schedules }) => schedules)].every(
    (ticket: Ticket<unknown>) => one.read(ticket).ok
  );
  // Applications of one namespace or prefix run in one zone.
  const groups = [
    ...groupBy(cronRead, ({ namespace }) => namespace).values(),
    ...schedulers.map(({ entries }) => entries),
  ];
  const zoned = groups.flatMap((entries) => {
    const zones = zonesOf(plannedOf(entries), sets.timeZone);
    const zonesText = zones.possible.map(({ name }) => name).join();
    return entries.map((entry) => ({ ...entry, zones, zonesText }));
  });
  return {
    items: toldApart(zoned).map(({ zones, zonesText, ...entry }) => {
      const until = entry.source === 'sidekiq-cron' ? disabledUntil.get(entry.name) : undefined;
      return withNextRun(entry, zones, zonesText, now, until);
    }),
    whole: wasRead && cron.found <= ENTRIES_CAP && schedulers.every(({ found }) => found <= ENTRIES_CAP),
  };
}

/** `b` of the namespace `a`, and `a:b` of none, are two entries: the later one is numbered. */
function toldApart<Entry extends { source: string; name: string }>(entries: readonly Entry[]): Entry[] {
  const taken = new Set<string>();
  return entries.map((entry) => {
    let { name } = entry;
    for (let number = 2; taken.has(`${entry.source}\0${name}`); number += 1) {
      name = `${entry.name} (${number})`;
    }
    taken.add(`${entry.source}\0${name}`);
    return name === entry.name ? entry : { ...entry, name };
  });
}

/** Reads all entries, in two round trips. @throws Fault when nothing of it may be read */
export async function readRecurring(
  redis: ReadOnlyRedis,
  options: SchedulerOptions,
  now: number,
  disabledUntil?: DisabledUntil,
  signal?: AbortSignal
): Promise<{ entries: readonly RecurringEntry[]; notices: readonly Notice[] }> {
  const first = new Trip();
  const sets = askRecurring(first, options);
  const one = await first.go(redis, signal);
  const second = new Trip();
  const cron = askCronEntries(second, sets, one);
  const two = await second.go(redis, signal);
  const { items, whole } = takeRecurring(sets, one, cron, two, now, disabledUntil);
  const notices = [...one.notices];
  if (!whole && one.refused.size === 0) {
    notices.push(warning(`Only the first ${ENTRIES_CAP} entries of each scheduler were read.`));
  }
  return { entries: items, notices: [...notices, ...noticesOf(items), ...two.notices] };
}

const NAMED = 10;

function noticesOf(entries: readonly RecurringEntry[]): Notice[] {
  const enabled = entries.filter((entry) => entry.enabled);
  const names = (some: readonly RecurringEntry[]) =>
    namesText(
      some.map(({ name }) => name),
      NAMED
    );
  const unreadable = enabled.filter((entry) => entry.unreadable);
  const once = enabled.filter((entry) => !entry.unreadable && entry.nextAt === null);
  const uncertain = enabled.filter(({ zoneKnown }) => !zoneKnown);
  const notices: Notice[] = [];
  if (unreadable.length > 0) {
    notices.push(warning(`The schedule cannot be read, so that the entry does not run: ${names(unreadable)}.`));
  }
  if (once.length > 0) {
    notices.push({
      severity: 'info',
      text: `The next run is not known, since it is run once or by chance: ${names(once)}.`,
    });
  }
  if (uncertain.length > 0) {
    notices.push({
      severity: 'info',
      text: `The time zone of the application is not known: the next run is told by the one that former runs leave possible, or by UTC where they leave several, and an entry is late only once it is so in all of those: ${names(uncertain)}. Set "schedulerTimeZone".`,
    });
  }
  return notices;
}

/** An entry as it is stored, before its next run is worked out. */
interface Read extends Omit<RecurringEntry, 'nextAt' | 'lateFrom' | 'unreadable' | 'zoneKnown'> {
  /** Of sidekiq-cron. */
  namespace: string;
  /** `null` where the scheduler cannot read it. */
  parsed: Schedule | null;
  /** From when the next run counts; the present where nothing is known. */
  since: number | null;
  /** The run that the scheduler last enqueued the entry for. */
  planned: number | null;
  /** The next run as the scheduler itself wrote it. */
  written: number | null;
}

function readCronFields(fields: ReadonlyMap<string, string>, planned: Planned | null): Read {
  const schedule = fields.get('cron') ?? '';
  const lastAt = instantOf(fields.get('last_enqueue_time'));
  const namespace = fields.get('namespace') ?? '';
  const name = fields.get('name') ?? '';
  const isDefault = namespace === '' || namespace === 'default';
  return {
    source: 'sidekiq-cron',
    name: escapedName(isDefault ? name : `${namespace}:${name}`),
    prefix: '',
    namespace,
    class: escapedName(fields.get('klass') ?? ''),
    queue: escapedName(cronQueue(fields)),
    schedule,
    enabled: (fields.get('status') ?? 'enabled') === 'enabled',
    lastAt,
    parsed: scheduleOf('cron', schedule, true),
    since: lastAt ?? planned?.enqueuedAt ?? null,
    planned: planned?.at ?? null,
    written: null,
  };
}

/**
 * As `queue_name_with_prefix` of sidekiq-cron's job.rb puts it together. A class that is loaded is enqueued by ActiveJob, which
 * adds the prefix of its own settings: those are not in Redis, and the entry's prefix mostly is the same.
 */
function cronQueue(fields: ReadonlyMap<string, string>): string {
  const message = parsePayload(fields.get('message'));
  if (message === null) {
    return '';
  }
  const queue = text(message['queue']) || 'default';
  const prefix = fields.get('queue_name_prefix') ?? '';
  const isActiveJob = /^(?:true|t|yes|y|1)$/i.test(fields.get('active_job') ?? '');
  return isActiveJob && prefix !== '' ? `${prefix}${fields.get('queue_name_delimiter') || '_'}${queue}` : queue;
}

function readSchedulerEntry(
  prefix: string,
  name: string,
  raw: string,
  { last, next, state }: Record<'last' | 'next' | 'state', string | undefined>
): Read {
  const config: JsonObject = parsePayload(raw) ?? {};
  const kind = SCHEDULE_KINDS.find((each) => !isEmpty(config[each]));
  const states = parsePayload(state);
  const value = kind === undefined ? '' : config[kind];
  const schedule = text(Array.isArray(value) ? (value as unknown[])[0] : value);
  const lastAt = instantOf(last);
  const written = instantOf(next);
  // `fetch` with a default, so that one that is there and null disables (`job_enabled?` of scheduler.rb).
  const enabled = isTruthy(
    { enabled: true, ...config, ...(states && 'enabled' in states && { enabled: states['enabled'] }) }.enabled
  );
  return {
    source: 'sidekiq-scheduler',
    name,
    prefix,
    namespace: '',
    class: escapedName(text(config['class'])),
    queue: escapedName(text(config['queue'])),
    schedule: kind === 'cron' ? schedule : `${kind ?? ''} ${schedule}`.trim(),
    enabled,
    // The gem goes on to write the times of one that is disabled, of which nothing is enqueued.
    lastAt: enabled ? lastAt : null,
    // Without one it is skipped.
    parsed: kind === undefined ? null : scheduleOf(kind, schedule, false),
    since: lastAt,
    // It computes the next run from the last, so that both are instants of the line.
    planned: written ?? lastAt,
    // What it wrote before the last run is over.
    written: written !== null && (lastAt === null || written > lastAt) ? written : null,
  };
}

/** As sidekiq-scheduler takes a kind of schedule for none (`load_schedule_job`). */
function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0);
}

/** As Ruby takes it. */
function isTruthy(value: unknown): boolean {
  return value !== null && value !== undefined && value !== false;
}

/** The same schedules come with every reading. */
const schedules = new LRUCache<string, { read: Schedule | null }>({ max: 5000 });

function scheduleOf(kind: ScheduleKind, schedule: string, words: boolean): Schedule | null {
  const key = `${kind}\0${String(words)}\0${schedule}`;
  const known = schedules.get(key) ?? {
    read: schedule.length > LONGEST_SCHEDULE ? null : readSchedule(kind, schedule, words),
  };
  schedules.set(key, known);
  return known.read;
}

const LONGEST_SCHEDULE = 1000;

function plannedOf(entries: readonly Read[]): PlannedRun[] {
  return entries.flatMap(({ parsed, planned }) =>
    parsed?.kind === 'cron' && parsed.line.zone === null && planned !== null ? [{ line: parsed.line, at: planned }] : []
  );
}

const changed = new LRUCache<string, boolean>({ max: 5000 });

/** Whether the last run was none of the schedule. */
function isChangedSince(
  { planned, source, schedule }: Read,
  parsed: Schedule,
  zones: Zones,
  zonesText: string
): boolean {
  if (planned === null) {
    return false;
  }
  const key = `${source}\0${schedule}\0${planned}\0${zonesText}`;
  const known = changed.get(key) ?? !isRunOf(parsed, Math.round(planned), zones);
  changed.set(key, known);
  return known;
}

/** By schedule and zones: from which instant on it was asked, and what comes next. */
const nextRuns = new LRUCache<string, { since: number; next: NextRun | null }>({ max: 5000 });

/** The next run after an instant, worked out anew only where the last answer does not hold for it. */
function nextRunSince(key: string, parsed: Schedule, since: number, zones: Zones): NextRun | null {
  const known = nextRuns.get(key);
  if (known && (known.since === since || (known.since < since && known.next && since < known.next.sameUntil))) {
    return known.next;
  }
  const next = nextRunOf(parsed, since, zones);
  nextRuns.set(key, { since, next });
  return next;
}

function withNextRun(
  entry: Read,
  zones: Zones,
  zonesText: string,
  now: number,
  disabledUntil = -Infinity
): RecurringEntry {
  const { parsed, since: last, planned: _, written, namespace: __, ...rest } = entry;
  const told = { ...rest, unreadable: parsed === null, nextAt: null, lateFrom: null, zoneKnown: true };
  if (parsed === null || !entry.enabled) {
    return told;
  }
  if (written !== null) {
    return { ...told, nextAt: written, lateFrom: written };
  }
  // Where a line was set since the last run, it is not known when.
  const since = last === null || isChangedSince(entry, parsed, zones, zonesText) ? null : Math.max(last, disabledUntil);
  // Without a last run the next one moves on with the present.
  const key = `${entry.source}\0${entry.schedule}\0${since ?? 'now'}\0${zonesText}`;
  const next = nextRunSince(key, parsed, since ?? now, zones);
  return next === null ? told : { ...told, nextAt: next.nextAt, lateFrom: next.lateFrom, zoneKnown: next.certain };
}
