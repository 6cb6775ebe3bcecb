import { command } from '../../redis/readOnlyRedis';
import { escapedName } from '../name';
import { countOf } from '../plausible';
import { textOf, type Part } from '../parts/part';

/** One connection to Redis (redis.io, CLIENT LIST). Fields that a server does not tell are `''` or `null`. */
export interface Client {
  /** Host of its address, without the port. */
  readonly host: string;
  /** As the client named itself. */
  readonly name: string;
  readonly user: string;
  /** Library and its version. */
  readonly library: string;
  /** It waits in a command that blocks. */
  readonly blocked: boolean;
  /** The last command. */
  readonly command: string;
  readonly ageSeconds: number | null;
  readonly idleSeconds: number | null;
  readonly memoryBytes: number | null;
}

/** All connections of the server. */
export const clientList: Part<void, Client[]> = {
  what: 'connections',
  commands: () => [command('client', 'list')],
  parse: ([value]) => ({
    value: (textOf(value) ?? '')
      .split('\n')
      .filter((line) => line.includes('addr='))
      .map(clientOf),
  }),
};

function clientOf(line: string): Client {
  const fields = new Map(
    line
      .trim()
      .split(' ')
      .map((field): [string, string] => {
        const at = field.indexOf('=');
        return [field.slice(0, at), field.slice(at + 1)];
      })
  );
  const of = (name: string) => escapedName((fields.get(name) ?? '').slice(0, 200));
  return {
    host: of('addr')
      .replace(/:\d+$/, '')
      .replace(/^\[(.*)\]$/, '$1'),
    name: of('name'),
    user: of('user'),
    library: [of('lib-name'), of('lib-ver')].filter((text) => text !== '').join(' '),
    blocked: (fields.get('flags') ?? '').includes('b'),
    command: of('cmd'),
    ageSeconds: countOf(fields.get('age')),
    idleSeconds: countOf(fields.get('idle')),
    memoryBytes: countOf(fields.get('tot-mem')),
  };
}
