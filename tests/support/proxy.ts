import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** What becomes of the bytes of one direction; `send` passes them on. */
type Pass = (bytes: Buffer, send: (bytes: Buffer) => void) => void;

export interface Proxy {
  port: number;
  close(): Promise<void>;
}

/** Stands between a client and a server of this host. */
export async function startProxy(serverPort: number, toServer: Pass, toClient: Pass): Promise<Proxy> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(serverPort, '127.0.0.1');
    for (const [from, to, pass] of [
      [client, upstream, toServer],
      [upstream, client, toClient],
    ] as const) {
      sockets.add(from.setNoDelay(true));
      from.on('data', (bytes: Buffer) => pass(bytes, (passed) => to.write(passed)));
      from.on('error', () => undefined).on('close', () => to.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        sockets.forEach((socket) => socket.destroy());
        server.close(() => resolve());
      }),
  };
}
