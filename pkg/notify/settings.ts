import { z } from 'zod';
import { Fault } from '../faults/fault';
import { problemOf } from '../faults/problemOf';
import { SEVERITIES } from '../findings/rule';
import { FINDING_RULES } from '../findings/table';
import { anyZone } from '../sidekiq/schedule/zone';

const NOTIFIED_SEVERITIES = SEVERITIES.filter((severity) => severity !== 'ok');
const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
/** Rules that are not in the table: {@link unreachable}. */
const RULE_IDS: readonly string[] = [...FINDING_RULES.map(({ id }) => id), 'unreachable'];

const rule = z.string().refine((id) => RULE_IDS.includes(id), {
  error: ({ input }) => `there is no rule "${String(input)}"; use one of: ${RULE_IDS.join(', ')}`,
});
const clock = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'use a time of day in quotes, for example "22:00"')
  .transform((text) => Number(text.slice(0, 2)) * 3600 + Number(text.slice(3)) * 60);
const instant = z
  .string()
  // Without an offset it would be read in the zone of this process.
  .regex(/(Z|[+-]\d\d:\d\d)$/i, 'use an instant with its offset, for example 2026-12-24T00:00:00Z')
  .transform((value) => Date.parse(value) / 1000)
  .refine((at) => Number.isFinite(at), 'use an instant, for example 2026-12-24T00:00:00Z');

/** What is not told: each condition that is given must hold. */
const muteSchema = z
  .strictObject({
    /** Rules of findings; every rule where there are none. */
    rules: z.array(rule).default([]),
    /** Subjects by name (queue, worker type, class, host or entry); `*` stands for any characters. */
    subjects: z.array(z.string().min(1).max(500)).default([]),
    days: z.array(z.enum(DAYS)).default([]),
    /** Times of day; a range whose end is before its beginning goes past midnight. */
    from: clock.optional(),
    to: clock.optional(),
    timeZone: z
      .string()
      .refine((name) => anyZone(name) !== null, 'use a name of the IANA database, for example Europe/Berlin')
      .default('UTC'),
    after: instant.optional(),
    until: instant.optional(),
  })
  .refine((mute) => (mute.from === undefined) === (mute.to === undefined), {
    error: 'give both times of day',
    path: ['from'],
  })
  .refine((mute) => mute.from === undefined || mute.from !== mute.to, {
    error: 'the times of day are the same; leave both out for the whole day',
    path: ['from'],
  });

/** What is muted, and when. Times of day are seconds since midnight, instants epoch seconds. */
export type Mute = z.output<typeof muteSchema>;

const addressSchema = z.strictObject({
  /** Where messages are posted to; it may hold a secret and is never repeated. */
  url: z.url({ protocol: /^https?$/, error: 'use an address that begins with http:// or https://' }).optional(),
  /** A variable of the environment that holds the address. */
  urlFromEnv: z.string().min(1).optional(),
  format: z.enum(['slack', 'json']).default('json'),
  /** The least severity that is told. */
  severity: z.enum(NOTIFIED_SEVERITIES as ['critical', 'warning', 'info']).default('warning'),
  /** Seconds that a finding must last before it is told. */
  afterSeconds: z.number().min(0).max(86_400).default(60),
  mute: z.array(muteSchema).max(200).default([]),
});

const notificationsSchema = z.strictObject({
  /** Where it is kept what was told and what waits to be delivered. */
  stateFile: z.string().min(1).optional(),
  to: z
    .record(z.string(), addressSchema)
    .refine(
      (to) => Object.keys(to).every((name) => /^[\w.-]{1,60}$/.test(name)),
      'name receivers by letters and digits'
    )
    .refine((to) => Object.keys(to).length <= 20, 'use 20 addresses at most'),
});

/** One receiver of notifications. */
export interface NotifiedAddress extends Omit<z.output<typeof addressSchema>, 'url' | 'urlFromEnv'> {
  name: string;
  url: string;
}

/** Who is told about findings; `stateFile` is `undefined` where it is kept in memory. */
export interface NotificationSettings {
  stateFile: string | undefined;
  addresses: readonly NotifiedAddress[];
}

/**
 * The section `notifications` of the configuration file. It belongs to the administrator of the process: a data source of
 * Grafana cannot name an address.
 *
 * @param historyFile beside which the state is kept where no file is named; empty for none
 * @throws Fault `settings` naming the field
 */
export function notificationSettings(
  section: unknown,
  env: NodeJS.ProcessEnv,
  historyFile: string
): NotificationSettings | null {
  if (section === undefined) {
    return null;
  }
  const parsed = notificationsSchema.safeParse(section);
  if (!parsed.success) {
    const { path, reason } = problemOf(parsed.error);
    throw refused(path.map(String), reason);
  }
  const { stateFile, to } = parsed.data;
  return {
    stateFile: stateFile ?? (historyFile === '' ? undefined : `${historyFile}.notifications.json`),
    addresses: Object.entries(to).map(([name, { url, urlFromEnv, ...rest }]) => ({
      ...rest,
      name,
      url: url ?? fromEnvironment(['to', name, 'urlFromEnv'], urlFromEnv, env),
    })),
  };
}

function fromEnvironment(path: string[], variable: string | undefined, env: NodeJS.ProcessEnv): string {
  if (variable === undefined) {
    throw refused(path.slice(0, -1), 'give "url", or "urlFromEnv" with the name of a variable that holds it');
  }
  const value = env[variable] ?? '';
  if (!/^https?:\/\/\S+$/.test(value)) {
    throw refused(path, `the variable ${variable} holds no address that begins with http:// or https://`);
  }
  return value;
}

function refused(path: readonly string[], reason: string): Fault {
  const field = ['notifications', ...path].join('.');
  return new Fault({
    kind: 'settings',
    message: `The setting "${field}" cannot be used: ${reason}.`,
    remedy: 'Correct it in the configuration file; docs/notifications.md lists the fields.',
  });
}
