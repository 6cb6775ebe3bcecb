import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A proxy before a server whose connections can be made to go nowhere, as behind a firewall that forgot them. */
export interface Blackhole {
  port: number;
  /** Packets of the connections that are open now are swallowed from here on; new ones pass. */
  swallow(): void;
  close(): Promise<void>;
}

export async function startBlackhole(target: number): Promise<Blackhole> {
  const pairs = new Set<[Socket, Socket]>();
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1');
    const pair: [Socket, Socket] = [client, upstream];
    pairs.add(pair);
    client.pipe(upstream);
    upstream.pipe(client);
    for (const socket of pair) {
      socket.on('error', () => undefined);
      socket.on('close', () => pairs.delete(pair));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    swallow() {
      for (const [client, upstream] of pairs) {
        client.unpipe(upstream);
        upstream.unpipe(client);
        client.resume();
        upstream.resume();
      }
    },
    close() {
      pairs.forEach((pair) => pair.forEach((socket) => socket.destroy()));
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
