import { Fault } from '../faults/fault';
import type { Client } from '../sidekiq/browse/clients';
import { groupBy } from '../sidekiq/groupBy';
import { sumOrNull } from '../sidekiq/parts/process';
import { bytes, count, key, seconds, text } from './columns';
import { baseQuerySchema } from './model';
import { tableQuery, type Column } from './table';

interface Row {
  host: string;
  name: string;
  user: string;
  library: string;
  clients: readonly Client[];
}

const COLUMNS: Array<Column<Row>> = [
  key('host', 'Host', 'Host of the client.', (row) => row.host),
  key('name', 'Name', 'Name that the client gave itself; empty if none.', (row) => row.name),
  key('user', 'User', 'User of the connection.', (row) => row.user),
  key(
    'library',
    'Library',
    'Library of the client and its version, if it tells (Redis 7.2 and later).',
    (row) => row.library
  ),
  count('connections', 'Connections', 'Connections of such clients.', ({ clients }) => clients.length),
  count(
    'blocked',
    'Blocked',
    'Connections that wait in a blocking command, as idle threads of Sidekiq do.',
    ({ clients }) => clients.filter(({ blocked }) => blocked).length
  ),
  bytes('memory', 'Memory', 'Memory that Redis uses for them.', ({ clients }) =>
    sumOrNull(clients.map((each) => each.memoryBytes))
  ),
  seconds('idle', 'Idle', 'Time since the last command of the one that was idle the longest.', ({ clients }) =>
    largest(clients.map((each) => each.idleSeconds))
  ),
  seconds('age', 'Age', 'Age of the oldest connection.', ({ clients }) =>
    largest(clients.map((each) => each.ageSeconds))
  ),
  text('commands', 'Last commands', 'Last commands, the most frequent first.', ({ clients }) =>
    [...groupBy(clients, (each) => each.command)]
      .sort(([, a], [, b]) => b.length - a.length)
      .slice(0, 5)
      .map(([name, each]) => `${name} ${each.length}`)
      .join(', ')
  ),
];

/** Who holds the connections to Redis, where CLIENT LIST is allowed. */
export const connections = tableQuery({
  id: 'connections',
  group: 'Now',
  title: 'Connections',
  description:
    'Connections to Redis by host, name, user and library. Requires the right to CLIENT LIST, which is optional: gpx_sidekiq acl --client-list.',
  empty: 'Redis tells of no connection.',
  cost: 'CLIENT LIST',
  schema: baseQuerySchema,
  columns: COLUMNS,
  async rows(_state, _query, _request, reads) {
    const groups = groupBy(await allowed(reads.clients()), ({ host, name, user, library }) =>
      JSON.stringify([host, name, user, library])
    );
    return {
      rows: [...groups.values()]
        .map((clients): Row => ({ ...clients[0]!, clients }))
        .sort((a, b) => b.clients.length - a.clients.length),
    };
  },
});

/** @throws Fault `permission` that says how the right is given */
async function allowed(reading: Promise<readonly Client[]>): Promise<readonly Client[]> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof Fault && error.kind === 'permission') {
      throw new Fault({
        kind: 'permission',
        message: 'The Redis user may not use CLIENT LIST.',
        remedy: 'Give it the optional right: ACL SETUSER <user> +client|list.',
        cause: error,
      });
    }
    throw error;
  }
}

function largest(values: ReadonlyArray<number | null>): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : Math.max(...known);
}
