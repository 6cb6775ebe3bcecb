import { Cron } from 'croner';
import { command, type Command, type ReadOnlyRedis } from '../redis/readOnlyRedis';
import { parsePayload, text } from './payload';

/** An entry of a scheduler. Instants are epoch seconds; `null` where not known. */
export interface RecurringEntry {
  source: 'sidekiq-cron' | 'sidekiq-scheduler';
  name: string;
  class: string;
  queue: string;
  schedule: string;
  enabled: boolean;
  lastAt: number | null;
  nextAt: number | null;
}

const ENTRIES_CAP = 1000;

/**
 * Reads the entries of sidekiq-cron (1.x and 2.x, default namespace) and of sidekiq-scheduler.
 * Sidekiq Enterprise's periodic jobs have no documented keys; their classes can be watched by a cadence.
 */
export async function readRecurring(
  redis: ReadOnlyRedis,
  now: number,
  signal?: AbortSignal
): Promise<RecurringEntry[]> {
  const first = await values(
    redis,
    [
      command('smembers', 'cron_jobs'),
      command('smembers', 'cron_jobs:default'),
      command('hgetall', 'schedules'),
      command('hgetall', 'sidekiq-scheduler:last_times'),
      command('hgetall', 'sidekiq-scheduler:next_times'),
      command('hgetall', 'sidekiq-scheduler:states'),
    ],
    signal
  );
  const cronKeys = [...new Set([...list(first[0]), ...list(first[1])])].slice(0, ENTRIES_CAP);
  const hashes =
    cronKeys.length > 0
      ? await values(
          redis,
          cronKeys.map((key) => command('hgetall', key)),
          signal
        )
      : [];
  const cron = hashes
    .map(fields)
    .filter((hash) => hash['name'] !== undefined)
    .map((hash) => cronEntry(hash, now));
  return [...cron, ...schedulerEntries(first, now)];
}

function cronEntry(hash: Record<string, string>, now: number): RecurringEntry {
  const message = parsePayload(hash['message']);
  return {
    source: 'sidekiq-cron',
    name: hash['name'] ?? '',
    class: hash['klass'] ?? '',
    queue: text(message?.['queue']),
    schedule: hash['cron'] ?? '',
    enabled: hash['status'] !== 'disabled',
    lastAt: instant(hash['last_enqueue_time']),
    nextAt: nextRun(hash['cron'] ?? '', now),
  };
}

function schedulerEntries(
  [, , schedules, lastTimes, nextTimes, states]: readonly unknown[],
  now: number
): RecurringEntry[] {
  return Object.entries(fields(schedules))
    .slice(0, ENTRIES_CAP)
    .map(([name, raw]) => {
      const config = parsePayload(raw) ?? {};
      const kind = ['cron', 'every', 'interval', 'at', 'in'].find((each) => config[each] !== undefined) ?? '';
      const written = Array.isArray(config[kind]) ? text((config[kind] as unknown[])[0]) : text(config[kind]);
      const state = parsePayload(fields(states)[name]);
      return {
        source: 'sidekiq-scheduler',
        name,
        class: text(config['class']),
        queue: text(config['queue']),
        schedule: kind === 'cron' ? written : `${kind} ${written}`.trim(),
        enabled: (state?.['enabled'] ?? config['enabled'] ?? true) !== false,
        lastAt: instant(fields(lastTimes)[name]),
        nextAt: instant(fields(nextTimes)[name]) ?? (kind === 'cron' ? nextRun(written, now) : null),
      };
    });
}

/** The next run of a cron line in UTC; `null` for the natural language that fugit also takes. */
function nextRun(line: string, now: number): number | null {
  try {
    const next = new Cron(line, { timezone: 'UTC' }).nextRun(new Date(now * 1000));
    return next === null ? null : next.getTime() / 1000;
  } catch {
    return null;
  }
}

function instant(value: string | undefined): number | null {
  // Both write `2025-03-14 09:26:51 +0000`.
  const at = Date.parse((value ?? '').replace(/^(\S+) (\S+) ([+-]\d{2})(\d{2})$/, '$1T$2$3:$4'));
  return Number.isNaN(at) ? null : at / 1000;
}

async function values(redis: ReadOnlyRedis, commands: Command[], signal?: AbortSignal): Promise<unknown[]> {
  // A key of another type is another program's: not a scheduler of ours.
  return (await redis.batch(commands, signal)).replies.map(({ value }) => value);
}

function list(value: unknown): string[] {
  return Array.isArray(value) ? (value as string[]) : [];
}

function fields(value: unknown): Record<string, string> {
  return (value ?? {}) as Record<string, string>;
}
