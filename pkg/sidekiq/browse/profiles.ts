import { command, type ReadOnlyRedis, type Value } from '../../redis/readOnlyRedis';
import { keys } from '../keys';
import type { Notice } from '../model';
import { escapedName } from '../name';
import { countOf, numberOf, secondsOf } from '../plausible';
import { pairsOf, readPart, textOf, Trip, valueOf, warning, type Part } from '../parts/part';

/** A profile that Vernier took of one execution (Sidekiq 8.0 and later). Instants are epoch seconds. */
export interface Profile {
  jid: string;
  class: string;
  metricsClass: string;
  /** Who asked for it. */
  token: string;
  startedAt: number | null;
  /** Seconds that the execution took. */
  elapsedSeconds: number | null;
  /** Size of the compressed profile. */
  bytes: number | null;
  expiresAt: number | null;
}

const PROFILES_CAP = 1000;
const FIELDS = ['jid', 'type', 'token', 'started_at', 'elapsed', 'size'];

const profileKeys: Part<undefined, Array<{ key: Buffer; expiresAt: number | null }>> = {
  what: 'profiles',
  commands: () => [command('zrevrange', keys.profiles, 0, PROFILES_CAP, 'WITHSCORES')],
  parse: ([value]) => ({
    value: pairsOf(value).flatMap(([key, score]) =>
      Buffer.isBuffer(key) ? [{ key, expiresAt: secondsOf(textOf(score)) }] : []
    ),
  }),
};

const profileFields: Part<Buffer, ReadonlyArray<string | null>> = {
  what: 'profiles',
  commands: (key) => [command('hmget', key, ...FIELDS)],
  parse: ([value]) => ({ value: (Array.isArray(value) ? (value as Value[]) : []).map(textOf) }),
};

/**
 * Reads what is known of the profiles, the newest first, in two round trips; their content is not read. One that has expired
 * is left out, as Sidekiq itself does.
 *
 * @throws Fault where they may not be read
 */
export async function readProfiles(
  redis: ReadOnlyRedis,
  now: number,
  signal?: AbortSignal
): Promise<{ profiles: Profile[]; notices: readonly Notice[] }> {
  const { value: found } = await readPart(redis, profileKeys, undefined, signal);
  const live = found.filter(({ expiresAt }) => expiresAt === null || expiresAt > now).slice(0, PROFILES_CAP);
  const trip = new Trip();
  const tickets = live.map(({ key, expiresAt }) => ({ ticket: trip.ask(profileFields, key), expiresAt }));
  const brought = await trip.go(redis, signal);
  return {
    profiles: tickets.flatMap(({ ticket, expiresAt }) => {
      const [jid, type, token, startedAt, elapsed, size] = valueOf(brought.read(ticket)) ?? [];
      return jid
        ? [
            {
              jid,
              class: escapedName(type ?? ''),
              metricsClass: escapedName(type ?? ''),
              token: token ?? '',
              startedAt: secondsOf(startedAt),
              elapsedSeconds: numberOf(elapsed),
              bytes: countOf(size),
              expiresAt,
            },
          ]
        : [];
    }),
    notices: [
      ...brought.notices,
      ...(found.length > PROFILES_CAP ? [warning(`Only the first ${PROFILES_CAP} profiles were read.`)] : []),
    ],
  };
}
