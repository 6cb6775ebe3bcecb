import { createServer, type AddressInfo, type Socket } from 'node:net';
import { ReplyReader } from '../../pkg/redis/resp';

/** What a scripted Redis does with a command: bytes to answer, or nothing to stay silent. */
export type Script = (command: string[], socket: Socket, connection: number) => string | undefined;

/** A server on loopback that answers as the test says; `script` may be replaced meanwhile. */
export interface ScriptedRedis {
  url: string;
  script: Script;
  /** Commands in the order they came, with the number of their connection (from 1). */
  readonly asked: Array<{ connection: number; command: string[] }>;
  connections(): number;
  stop(): Promise<void>;
}

export async function startScripted(script: Script): Promise<ScriptedRedis> {
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    const connection = connections;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    const reader = new ReplyReader(({ value }) => {
      const command = (value as Buffer[]).map(String);
      redis.asked.push({ connection, command });
      const answer = redis.script(command, socket, connection);
      if (answer !== undefined) {
        socket.write(answer);
      }
    });
    socket.on('data', (bytes) => reader.push(bytes));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const redis: ScriptedRedis = {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    script,
    asked: [],
    connections: () => connections,
    stop: () => {
      sockets.forEach((socket) => socket.destroy());
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  return redis;
}
