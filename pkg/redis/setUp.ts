import type { Credentials } from '../settings/redisUrl';
import type { Wire } from './wire';
import type { Argument, Reply } from './readOnlyRedis';

/**
 * Authenticates and selects the database on a new connection.
 *
 * Redis before 6 takes a password alone; it is asked again without the user then, as redis-rb does.
 *
 * @throws Error the reply of the step that failed
 */
export async function setUp(wire: Wire, { username, password, database }: Credentials): Promise<void> {
  if (password !== '') {
    await authenticate(wire, username, password);
  }
  if (database !== 0) {
    succeeded(await ask(wire, 'select', database));
  }
}

async function authenticate(wire: Wire, username: string, password: string): Promise<void> {
  if (username !== '') {
    const reply = await ask(wire, 'auth', username, password);
    if (!/wrong number of arguments/i.test(reply.error?.message ?? '')) {
      succeeded(reply);
      return;
    }
  }
  succeeded(await ask(wire, 'auth', password));
}

async function ask(wire: Wire, name: string, ...args: Argument[]): Promise<Reply> {
  const [reply] = await wire.send([{ name, args }]);
  return reply!;
}

function succeeded(reply: Reply): void {
  if (reply.error) {
    throw reply.error;
  }
}
