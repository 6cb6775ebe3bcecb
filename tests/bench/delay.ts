import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A way to Redis that takes time: what arrives at either end goes on after the delay. */
export async function startDelay(redisPort: number, milliseconds: number): Promise<{ port: number; close(): void }> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(redisPort, '127.0.0.1');
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from.setNoDelay(true));
      from.on('data', (bytes: Buffer) => setTimeout(() => to.write(bytes), milliseconds));
      from.on('error', () => undefined).on('close', () => to.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      server.close();
      sockets.forEach((socket) => socket.destroy());
    },
  };
}
