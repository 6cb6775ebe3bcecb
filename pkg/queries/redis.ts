import { Fault } from '../faults/fault';
import type { Notice } from '../sidekiq/model';
import type { RedisMemoryView } from '../observe/redisMemory';
import { numberOf } from '../sidekiq/plausible';
import { bytes, count, seconds, share, text } from './columns';
import { baseQuerySchema } from './model';
import { tableQuery, type Column } from './table';

/** The lines of INFO by name. */
type Info = ReadonlyMap<string, string>;

interface Row {
  info: Info;
  memory: RedisMemoryView | null;
}

const number = (name: string) => (row: Row) => numberOf(row.info.get(name));
const word = (name: string) => (row: Row) => row.info.get(name) ?? '';

const COLUMNS: Array<Column<Row>> = [
  text(
    'version',
    'Version',
    'Version of Redis, or of a compatible server.',
    ({ info }) => info.get('valkey_version') ?? info.get('redis_version') ?? ''
  ),
  text('role', 'Role', 'master or slave.', word('role')),
  bytes('memory', 'Memory', 'Used memory.', number('used_memory')),
  bytes('maxMemory', 'Limit', 'maxmemory; 0 means no limit.', number('maxmemory')),
  share('memoryShare', 'Of the limit', 'Used share of maxmemory; empty if there is no limit.', ({ info }) => {
    const used = numberOf(info.get('used_memory'));
    const limit = numberOf(info.get('maxmemory'));
    return used === null || limit === null || limit <= 0 ? null : used / limit;
  }),
  text('policy', 'Policy', 'maxmemory-policy; anything but noeviction may drop jobs.', word('maxmemory_policy')),
  count('clients', 'Clients', 'Connected clients.', number('connected_clients')),
  count('blockedClients', 'Blocked', 'Clients that wait: idle threads of OSS Sidekiq.', number('blocked_clients')),
  { ...count('ops', 'Commands', 'Commands per second.', number('instantaneous_ops_per_sec')), unit: 'ops' },
  count('evicted', 'Evicted', 'Keys evicted since the start of Redis; must stay 0.', number('evicted_keys')),
  count('replicas', 'Replicas', 'Connected replicas.', number('connected_slaves')),
  seconds('uptime', 'Uptime', 'Time since the start of Redis.', number('uptime_in_seconds')),
  seconds(
    'fullEarliest',
    'Full in, at least',
    'Time until maxmemory is reached if the memory grows on; no value where that is not expected within a day.',
    ({ memory }) => memory?.full?.earliest ?? null
  ),
  seconds(
    'fullLatest',
    'Full in, at most',
    'The same by the slower of two estimates: over the last quarter of an hour and over the last two hours.',
    ({ memory }) => memory?.full?.latest ?? null
  ),
];

/** How Redis itself is, where INFO is allowed. */
export const redis = tableQuery({
  id: 'redis',
  group: 'Now',
  title: 'Redis',
  description: 'State of Sidekiq’s Redis: memory, eviction policy, clients, commands. Requires INFO.',
  empty: 'Redis gives no information.',
  cost: 'INFO',
  schema: baseQuerySchema,
  columns: COLUMNS,
  beside: true,
  async rows({ redisMemory: memory }, _query, _request, reads) {
    try {
      const info = await reads.info();
      return { rows: [{ info, memory }], notices: policyNotice(info) };
    } catch (error) {
      if (error instanceof Fault && (error.kind === 'permission' || error.kind === 'data')) {
        return { rows: [], notices: [{ severity: 'warning', text: `INFO is not allowed here. ${error.explanation}` }] };
      }
      throw error;
    }
  },
});

function policyNotice(info: Info): Notice[] {
  const policy = info.get('maxmemory_policy');
  return policy === undefined || policy === 'noeviction'
    ? []
    : [
        {
          severity: 'warning',
          text: `maxmemory-policy is ${policy}: Redis may drop queues and jobs when memory is short. Set it to noeviction.`,
        },
      ];
}
