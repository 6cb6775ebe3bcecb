import { createSocket } from 'node:dgram';
import { isIP } from 'node:net';
import { Fault } from '../faults/fault';
import { log } from '../log';
import type { Administration } from '../settings/administration';
import type { Options } from '../settings/model';
import { commaSeparated, parseEndpoint, UNIX_PREFIX, type Endpoint } from '../settings/endpoint';
import type { StatsdIntake } from './intake';
import { receiveUnixDatagrams } from './unixDatagrams';

/** As large as the system grants: bursts wait here while a scrape is answered. */
const RECEIVE_BUFFER_BYTES = 8 * 1024 * 1024;
const COMPLAIN_EVERY_SECONDS = 60;

/** What receives, and what it may open. */
interface Target {
  statsd: StatsdIntake;
  administration: Administration;
  options: Pick<Options, 'socketMode'>;
}

/** A running receiver. */
export interface StatsdReceiver {
  close(): void;
}

/**
 * Receives DogStatsD at one or more addresses, comma separated: `host:port` for UDP, `unixgram:///path` for a unix
 * datagram socket, and hands what arrives to the intake of `target`.
 *
 * Malformed lines are logged with a sample, at most once a minute.
 *
 * @throws Fault `settings` when an address is malformed, taken, or not of this host; nothing is left open then
 */
export async function startStatsdReceiver(
  listen: string,
  { statsd: intake, administration, options }: Target
): Promise<StatsdReceiver> {
  const addresses = commaSeparated(listen);
  const closers: Array<() => void> = [];
  let complainedAt = 0;
  let sinceComplaint = 0;
  const tellLimits = limitsTeller();
  const take = (packet: Buffer) => {
    const now = Date.now() / 1000;
    const bad = intake.receive(packet, now);
    tellLimits(intake, now);
    if (!bad) {
      return;
    }
    sinceComplaint += 1;
    if (now - complainedAt >= COMPLAIN_EVERY_SECONDS) {
      log('warn', 'malformed DogStatsD line', {
        problem: bad.problem,
        sample: bad.text.slice(0, 200),
        packets: sinceComplaint,
      });
      complainedAt = now;
      sinceComplaint = 0;
    }
  };
  try {
    for (const address of addresses) {
      closers.push(
        UNIX_PREFIX.test(address)
          ? await receiveUnixDatagrams(
              administration.path('statsdListen', address.replace(UNIX_PREFIX, '')),
              Number.parseInt(options.socketMode, 8),
              take
            )
          : await receiveUdp(parseEndpoint('statsdListen', address), address, take)
      );
    }
  } catch (error) {
    closers.forEach((close) => close());
    throw error;
  }
  intake.listening.push(...addresses);
  return {
    close() {
      closers.forEach((close) => close());
      // Another receiver may hand to the same intake already.
      addresses.forEach((address) => intake.listening.splice(intake.listening.indexOf(address), 1));
    },
  };
}

/** Logs, at most once a minute, that lines or tags were left out. */
function limitsTeller(): (intake: StatsdIntake, now: number) => void {
  let toldAt = 0;
  let dropped = 0;
  let cut = 0;
  return ({ counts, registry }, now) => {
    const isNew = counts.dropped > dropped || counts.cut > cut;
    if (!isNew || now - toldAt < COMPLAIN_EVERY_SECONDS) {
      return;
    }
    toldAt = now;
    log('warn', 'DogStatsD exceeds a limit', {
      droppedLines: counts.dropped - dropped,
      linesWithTagsLeftOut: counts.cut - cut,
      namespaces: registry.namespaces.length,
      labelSets: registry.size,
      memoryMiB: Math.round(registry.budget.taken / 1_048_576),
    });
    ({ dropped, cut } = counts);
  };
}

function receiveUdp({ host, port }: Endpoint, address: string, take: (packet: Buffer) => void): Promise<() => void> {
  const socket = createSocket({ type: isIP(host) === 6 ? 'udp6' : 'udp4' });
  return new Promise((resolve, reject) => {
    socket.once('error', (error: NodeJS.ErrnoException) => {
      socket.close();
      reject(cannotListen(address, error));
    });
    socket.bind(port, host, () => {
      socket.removeAllListeners('error');
      // An error afterwards concerns one datagram; the next ones still arrive.
      socket.on('error', () => undefined);
      try {
        socket.setRecvBufferSize(RECEIVE_BUFFER_BYTES);
      } catch {
        // The system's own size remains.
      }
      socket.on('message', take);
      resolve(() => socket.close());
    });
  });
}

function cannotListen(address: string, error: NodeJS.ErrnoException): Fault {
  const reasons: Record<string, string> = {
    EADDRINUSE: 'the port is taken',
    EADDRNOTAVAIL: 'that address is not of this host',
    ENOTFOUND: 'that host name is unknown',
  };
  return new Fault({
    kind: 'settings',
    message: `Cannot receive DogStatsD at ${address}: ${reasons[error.code ?? ''] ?? error.message}.`,
    remedy: 'Choose another address, or stop what listens there; 0.0.0.0:9125 listens at every address of this host.',
    cause: error,
  });
}
