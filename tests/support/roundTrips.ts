import { createServer, connect, type Server, type Socket } from 'node:net';

/** A proxy before Redis that counts how often the client waited for an answer. */
export interface CountingProxy {
  port: number;
  /** Bursts of requests, each answered before the next began. */
  roundTrips(): number;
  reset(): void;
  close(): Promise<void>;
}

export async function startCountingProxy(redisPort: number): Promise<CountingProxy> {
  let trips = 0;
  let asking = false;
  const sockets = new Set<Socket>();
  const server: Server = createServer((client) => {
    const upstream = connect(redisPort, '127.0.0.1');
    sockets.add(client).add(upstream);
    client.on('data', (bytes) => {
      if (!asking) {
        asking = true;
        trips += 1;
      }
      upstream.write(bytes);
    });
    upstream.on('data', (bytes) => {
      asking = false;
      client.write(bytes);
    });
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
    client.on('error', () => undefined);
    upstream.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as { port: number }).port,
    roundTrips: () => trips,
    reset: () => (trips = 0),
    close: () =>
      new Promise((resolve) => {
        sockets.forEach((socket) => socket.destroy());
        server.close(() => resolve());
      }),
  };
}
