import { chmodSync, lstatSync, rmSync } from 'node:fs';
import { Fault } from '../faults/fault';

/** Values of Linux and macOS headers: `<sys/socket.h>`, `<fcntl.h>`. */
const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const MSG_DONTWAIT = process.platform === 'darwin' ? 0x80 : 0x40;
/** Longest path that `sockaddr_un` holds. */
const PATH_BYTES = process.platform === 'darwin' ? 103 : 107;
const PACKET_BYTES = 65_536;
/** Neither Node nor Bun waits on such sockets, so they are looked at this often while something arrives. */
const POLL_MS = 5;
/** After so long without a packet the socket rests: it is looked at less often, and the kernel holds what arrives. */
const RESTS_AFTER_MS = 2000;
/** Under a flood others get their turn after so long. */
const TURN_MS = 10;
const REST_POLL_MS = 100;

/**
 * Receives datagrams at a unix socket, through the C library by Bun's foreign function interface, since Node's
 * `dgram` knows UDP only.
 *
 * @param mode permissions of the socket: whoever may write to it may send
 * @returns a function that closes and removes the socket
 * @throws Fault `settings` where the runtime is not Bun or the path cannot be bound
 */
export async function receiveUnixDatagrams(
  path: string,
  mode: number,
  onPacket: (packet: Buffer) => void
): Promise<() => void> {
  if (!process.versions['bun'] || process.platform === 'win32') {
    throw new Fault({
      kind: 'settings',
      message: `Datagrams at the unix socket ${path} cannot be received here.`,
      remedy: 'Use the gpx_sidekiq executable on Linux or macOS, or UDP as 127.0.0.1:9125.',
    });
  }
  if (Buffer.byteLength(path) > PATH_BYTES) {
    throw new Fault({
      kind: 'settings',
      message: `The path of the unix socket ${path} is longer than ${PATH_BYTES} bytes.`,
      remedy: 'Choose a shorter path.',
    });
  }
  const { dlopen, ptr } = await import('bun:ffi');
  const library = dlopen(process.platform === 'darwin' ? 'libSystem.B.dylib' : 'libc.so.6', {
    socket: { args: ['i32', 'i32', 'i32'], returns: 'i32' },
    bind: { args: ['i32', 'ptr', 'u32'], returns: 'i32' },
    connect: { args: ['i32', 'ptr', 'u32'], returns: 'i32' },
    recv: { args: ['i32', 'ptr', 'usize', 'i32'], returns: 'i64' },
    close: { args: ['i32'], returns: 'i32' },
  });
  const { symbols } = library;
  const descriptor = symbols.socket(AF_UNIX, SOCK_DGRAM, 0);
  const address = unixAddress(path);
  // Only a socket that nobody holds any more refuses both kinds of connection.
  const answers = (kind: number): boolean => {
    const probe = symbols.socket(AF_UNIX, kind, 0);
    const connected = probe >= 0 && symbols.connect(probe, ptr(address), address.length) === 0;
    symbols.close(probe);
    return connected;
  };
  if (isSocket(path) && !answers(SOCK_DGRAM) && !answers(SOCK_STREAM)) {
    rmSync(path, { force: true });
  }
  if (descriptor < 0 || symbols.bind(descriptor, ptr(address), address.length) !== 0) {
    if (descriptor >= 0) {
      symbols.close(descriptor);
    }
    throw new Fault({
      kind: 'settings',
      message: `Cannot listen at the unix socket ${path}.`,
      remedy: 'Check that its folder exists and can be written, and that no other program uses this path.',
    });
  }
  chmodSync(path, mode);
  const own = lstatSync(path).ino;
  const buffer = Buffer.alloc(PACKET_BYTES);
  let heardAt = performance.now();
  let timer: NodeJS.Timeout;
  const look = () => {
    const now = performance.now();
    try {
      for (;;) {
        const length = Number(symbols.recv(descriptor, ptr(buffer), PACKET_BYTES, MSG_DONTWAIT));
        if (length < 0) {
          return;
        }
        heardAt = now;
        onPacket(buffer.subarray(0, length));
        if (performance.now() - now > TURN_MS) {
          return;
        }
      }
    } finally {
      timer = setTimeout(look, now - heardAt > RESTS_AFTER_MS ? REST_POLL_MS : POLL_MS);
    }
  };
  look();
  return () => {
    clearTimeout(timer);
    symbols.close(descriptor);
    library.close();
    // Another process may have taken the path meanwhile.
    if (lstatSync(path, { throwIfNoEntry: false })?.ino === own) {
      rmSync(path, { force: true });
    }
  };
}

/** A file of another kind stays, and binding then fails. */
function isSocket(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSocket() ?? false;
}

/** A `sockaddr_un`: Linux begins with the family in two bytes, macOS with length and family in one each. */
function unixAddress(path: string): Buffer {
  const head = process.platform === 'darwin' ? Buffer.from([PATH_BYTES + 3, AF_UNIX]) : Buffer.from([AF_UNIX, 0]);
  return Buffer.concat([head, Buffer.from(path), Buffer.alloc(1)]);
}
