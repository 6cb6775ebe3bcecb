import type { RedisMemoryView } from '../observe/redisMemory';
import { missesTotals } from '../sidekiq/refusals';
import { NO_MASTER, withoutMasterSeconds } from '../sidekiq/replica';
import { countText, durationText, rangeText, shareText, WHERE_SIDEKIQ_IS } from './texts';
import { LIMITS, type FindingRule } from './rule';

/** When Redis can hold no more, where that is soon; else `null`. */
function soonFull(memory: RedisMemoryView | null): RedisMemoryView['full'] {
  const full = memory?.full ?? null;
  return full !== null && full.latest <= LIMITS.memoryFullWithinSeconds ? full : null;
}

/** What is wrong with Redis, and with the right to read it. */
export const REDIS_RULES: readonly FindingRule[] = [
  {
    id: 'noSidekiq',
    severity: 'critical',
    when: 'The database holds nothing that Sidekiq writes.',
    remedy: `Check the database number and the key prefix. ${WHERE_SIDEKIQ_IS}`,
    find: ({ state: { snapshot } }) =>
      snapshot.hasSidekiq === false
        ? [
            {
              kind: 'Redis',
              subject: 'Redis',
              text: 'This database holds no Sidekiq.',
              evidence: 'no queue, no process and no counter',
              cause: 'It is another database, a key prefix is missing, or Sidekiq has never run.',
              since: null,
              weight: 0,
            },
          ]
        : [],
  },
  {
    id: 'replicaCutOff',
    severity: 'critical',
    when: 'The replica that is read has no link to its master. Nothing else is told then: its processes look dead to a replica that hears of no heartbeats.',
    remedy: 'Check the replica (INFO replication), or read from the master.',
    find: ({ info }) => {
      const seconds = withoutMasterSeconds(info);
      return seconds === null
        ? []
        : [
            {
              kind: 'Redis',
              subject: 'Redis',
              text: `${NO_MASTER} for ${durationText(seconds)}.`,
              evidence: 'master_link_status:down',
              cause: 'The master is down or cannot be reached from the replica. All figures are of the time before.',
              since: null,
              weight: Infinity,
            },
          ];
    },
  },
  {
    id: 'partsRefused',
    severity: 'warning',
    when: 'Redis refuses commands, so that figures are missing; critical where totals are missing.',
    remedy: 'Grant the Redis user what gpx_sidekiq acl prints.',
    find: ({ state: { snapshot } }) =>
      [...snapshot.refused].map(([part, count]) => ({
        kind: 'Redis',
        subject: 'Redis',
        text: `Redis refuses to give ${part}.`,
        evidence: `${countText(count, 'command')} refused in the last reading`,
        cause: 'The Redis user lacks a right, or another program uses the key.',
        since: null,
        severity: missesTotals(snapshot) ? 'critical' : 'warning',
        weight: count,
      })),
  },
  {
    id: 'evictionPolicy',
    severity: 'critical',
    when: 'Redis has a memory limit and a policy other than noeviction.',
    remedy: 'Set maxmemory-policy to noeviction; keep caches in a Redis of their own.',
    find: ({ info }) => {
      const policy = info?.get('maxmemory_policy');
      return policy === undefined || policy === 'noeviction' || !(Number(info?.get('maxmemory')) > 0)
        ? []
        : [
            {
              kind: 'Redis',
              subject: 'Redis',
              text: `Redis may delete jobs: its eviction policy is ${policy}.`,
              evidence: `maxmemory-policy ${policy}, maxmemory ${info?.get('maxmemory_human') ?? info?.get('maxmemory')}`,
              cause: 'Redis is set up as a cache.',
              since: null,
              weight: 0,
            },
          ];
    },
  },
  {
    id: 'memoryFullSoon',
    severity: 'warning',
    when: `Redis reaches its maxmemory within ${durationText(LIMITS.memoryFullWithinSeconds)} if it grows on, by the last quarter of an hour and by the last two hours; critical within half an hour.`,
    remedy:
      'Find out what grows (the longest queues, the dead set), or raise maxmemory; with noeviction jobs can then not be enqueued.',
    find: ({ state: { redisMemory } }) => {
      const full = soonFull(redisMemory);
      return full === null
        ? []
        : [
            {
              kind: 'Redis',
              subject: 'Redis',
              text: `The memory of Redis is full in ${rangeText(full.earliest, full.latest)} at this rate.`,
              evidence: `${shareText(redisMemory!.usedBytes / redisMemory!.limitBytes)} of maxmemory are used`,
              cause: 'More is written than is taken away.',
              since: null,
              severity: full.latest < LIMITS.breachWithinSeconds ? 'critical' : 'warning',
              weight: -full.latest,
            },
          ];
    },
  },
  {
    id: 'memoryNearlyFull',
    severity: 'warning',
    when: `Redis uses more than ${shareText(LIMITS.memoryShare)} of its maxmemory.`,
    remedy: 'Raise maxmemory, or find out what grows; with noeviction jobs can soon not be enqueued.',
    find: ({ info, state }) => {
      const [used, most] = [Number(info?.get('used_memory')), Number(info?.get('maxmemory'))];
      // Where it is full soon, that is told once.
      return !(most > 0) || !(used / most > LIMITS.memoryShare) || soonFull(state.redisMemory) !== null
        ? []
        : [
            {
              kind: 'Redis',
              subject: 'Redis',
              text: `Redis is nearly full: ${shareText(used / most)} of its memory is used.`,
              evidence: `${info?.get('used_memory_human') ?? used} of ${info?.get('maxmemory_human') ?? most}`,
              cause: 'Queues, the dead set or other data have grown.',
              since: null,
              weight: used / most,
            },
          ];
    },
  },
];
