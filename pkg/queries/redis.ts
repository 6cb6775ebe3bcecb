import { command } from '../redis/readOnlyRedis';
import { redisFault } from '../redis/faults';
import type { Notice } from '../sidekiq/snapshot';
import { baseQuerySchema } from './model';
import { tableQuery, type Column } from './table';

/** The lines of INFO by name. */
type Row = ReadonlyMap<string, string>;

const number = (name: string) => (row: Row) => (row.has(name) ? Number(row.get(name)) : null);
const word = (name: string) => (row: Row) => row.get(name) ?? '';

const COLUMNS: Array<Column<Row>> = [
  {
    name: 'version',
    title: 'Version',
    kind: 'string',
    description: 'Of Redis, or of what speaks like it.',
    value: (row) => row.get('valkey_version') ?? row.get('redis_version') ?? '',
  },
  { name: 'role', title: 'Role', kind: 'string', description: 'master or slave.', value: word('role') },
  {
    name: 'memory',
    title: 'Memory',
    kind: 'number',
    unit: 'bytes',
    description: 'Used memory.',
    value: number('used_memory'),
  },
  {
    name: 'maxMemory',
    title: 'Limit',
    kind: 'number',
    unit: 'bytes',
    description: 'maxmemory; 0 is without limit.',
    value: number('maxmemory'),
  },
  {
    name: 'memoryShare',
    title: 'Of the limit',
    kind: 'number',
    unit: 'percentunit',
    description: 'Used share of maxmemory; empty without limit.',
    value: (row) =>
      Number(row.get('maxmemory')) > 0 ? Number(row.get('used_memory')) / Number(row.get('maxmemory')) : null,
  },
  {
    name: 'policy',
    title: 'Policy',
    kind: 'string',
    description: 'maxmemory-policy; anything but noeviction may drop jobs.',
    value: word('maxmemory_policy'),
  },
  {
    name: 'clients',
    title: 'Clients',
    kind: 'number',
    unit: 'short',
    description: 'Connected clients.',
    value: number('connected_clients'),
  },
  {
    name: 'blockedClients',
    title: 'Blocked',
    kind: 'number',
    unit: 'short',
    description: 'Clients that wait: idle threads of OSS Sidekiq.',
    value: number('blocked_clients'),
  },
  {
    name: 'ops',
    title: 'Commands',
    kind: 'number',
    unit: 'ops',
    description: 'Commands per second.',
    value: number('instantaneous_ops_per_sec'),
  },
  {
    name: 'evicted',
    title: 'Evicted',
    kind: 'number',
    unit: 'short',
    description: 'Keys that were evicted since its start; must stay 0.',
    value: number('evicted_keys'),
  },
  {
    name: 'replicas',
    title: 'Replicas',
    kind: 'number',
    unit: 'short',
    description: 'Connected replicas.',
    value: number('connected_slaves'),
  },
  {
    name: 'uptime',
    title: 'Uptime',
    kind: 'number',
    unit: 's',
    description: 'Since its start.',
    value: number('uptime_in_seconds'),
  },
];

/** How Redis itself is, where INFO is allowed. */
export const redis = tableQuery({
  id: 'redis',
  title: 'Redis',
  description: 'How the Redis behind Sidekiq is: memory, eviction policy, clients, commands; where INFO is allowed.',
  schema: baseQuerySchema,
  columns: COLUMNS,
  async rows({ redis: gate, signal }) {
    const { replies } = await gate.batch([command('info')], signal);
    const { value, error } = replies[0]!;
    if (error) {
      return {
        rows: [],
        notices: [
          { severity: 'warning', text: `INFO is not allowed here. ${redisFault(error, gate.address).explanation}` },
        ],
      };
    }
    const lines = String(value)
      .split('\r\n')
      .filter((line) => line.includes(':'))
      .map((line): [string, string] => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]);
    const info: Row = new Map(lines);
    return { rows: [info], notices: policyNotice(info) };
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
