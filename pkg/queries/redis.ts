import { Fault } from '../faults/fault';
import type { Notice } from '../sidekiq/model';
import { numberOf } from '../sidekiq/plausible';
import { bytes, count, seconds, share, text } from './columns';
import { baseQuerySchema } from './model';
import { tableQuery, type Column } from './table';

/** The lines of INFO by name. */
type Row = ReadonlyMap<string, string>;

const number = (name: string) => (row: Row) => numberOf(row.get(name));
const word = (name: string) => (row: Row) => row.get(name) ?? '';

const COLUMNS: Array<Column<Row>> = [
  text(
    'version',
    'Version',
    'Version of Redis, or of a compatible server.',
    (row) => row.get('valkey_version') ?? row.get('redis_version') ?? ''
  ),
  text('role', 'Role', 'master or slave.', word('role')),
  bytes('memory', 'Memory', 'Used memory.', number('used_memory')),
  bytes('maxMemory', 'Limit', 'maxmemory; 0 means no limit.', number('maxmemory')),
  share('memoryShare', 'Of the limit', 'Used share of maxmemory; empty if there is no limit.', (row) => {
    const used = numberOf(row.get('used_memory'));
    const limit = numberOf(row.get('maxmemory'));
    return used === null || limit === null || limit <= 0 ? null : used / limit;
  }),
  text('policy', 'Policy', 'maxmemory-policy; anything but noeviction may drop jobs.', word('maxmemory_policy')),
  count('clients', 'Clients', 'Connected clients.', number('connected_clients')),
  count('blockedClients', 'Blocked', 'Clients that wait: idle threads of OSS Sidekiq.', number('blocked_clients')),
  { ...count('ops', 'Commands', 'Commands per second.', number('instantaneous_ops_per_sec')), unit: 'ops' },
  count('evicted', 'Evicted', 'Keys evicted since the start of Redis; must stay 0.', number('evicted_keys')),
  count('replicas', 'Replicas', 'Connected replicas.', number('connected_slaves')),
  seconds('uptime', 'Uptime', 'Time since the start of Redis.', number('uptime_in_seconds')),
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
  async rows(_state, _query, _request, reads) {
    try {
      const info = await reads.info();
      return { rows: [info], notices: policyNotice(info) };
    } catch (error) {
      if (error instanceof Fault && (error.kind === 'permission' || error.kind === 'data')) {
        return { rows: [], notices: [{ severity: 'warning', text: `INFO is not allowed here. ${error.explanation}` }] };
      }
      throw error;
    }
  },
});

function policyNotice(info: Row): Notice[] {
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
