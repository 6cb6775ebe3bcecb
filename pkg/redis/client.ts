import { Fault } from '../faults/fault';
import type { Settings } from '../settings/settings';
import { concernsAllCommands, endsConnection, redisFault } from './faults';
import { mayBeSent, type Batch, type Command, type ReadOnlyRedis, type Reply } from './readOnlyRedis';
import { clusterNodes } from './topologies/cluster';
import { sentinelMaster } from './topologies/sentinel';
import { singleServer } from './topologies/single';
import type { Connection, Topology } from './topology';
import { Disconnected } from './wire';

const TOPOLOGIES = { single: singleServer, sentinel: sentinelMaster, cluster: clusterNodes };
/** After a failure, callers within this time hear of that one instead of trying again each. */
const RETRY_AFTER_MS = 100;

/**
 * Opens the read-only client. The connection is made with the first batch, and anew with the next batch after it was
 * lost.
 *
 * @throws Fault `settings` naming the field that cannot be used
 */
export function openRedis(settings: Settings): ReadOnlyRedis {
  return new Client(TOPOLOGIES[settings.options.topology](settings));
}

class Client implements ReadOnlyRedis {
  private connection: Connection | undefined;
  private connecting: Promise<Connection> | undefined;
  private failure: { fault: Fault; at: number } | undefined;
  private closed = false;

  constructor(private readonly topology: Topology) {}

  get address(): string {
    return this.topology.address;
  }

  get warning(): string | undefined {
    return this.connection?.open ? this.connection.warning : undefined;
  }

  async batch(commands: readonly Command[], signal?: AbortSignal): Promise<Batch> {
    for (const asked of commands) {
      if (!mayBeSent(asked)) {
        throw new Fault({
          kind: 'permission',
          message: `The command ${String(asked.name).toUpperCase()} is not on the read-only list.`,
          remedy: 'Jobwatch never writes to Redis; this is a defect, please report it.',
        });
      }
    }
    return abortable(this.run(commands), signal);
  }

  close(): void {
    this.closed = true;
    this.connection?.close();
    this.connecting?.then((connection) => connection.close()).catch(() => undefined);
  }

  private async run(commands: readonly Command[]): Promise<Batch> {
    const before = this.connection?.open ? this.connection : undefined;
    try {
      return await this.send(before ?? (await this.connect()), commands);
    } catch (error) {
      // A server that restarted or closed an idle connection is told only by the next command.
      if (before && error instanceof Disconnected && !this.closed) {
        return this.send(await this.connect(), commands).catch((again: unknown) => {
          throw this.faultOf(again);
        });
      }
      throw this.faultOf(error);
    }
  }

  private async send(connection: Connection, commands: readonly Command[]): Promise<Batch> {
    const started = performance.now();
    const bytesBefore = connection.bytesRead;
    const replies = await connection.send(commands);
    const refused = whatConcernsAll(replies);
    if (refused) {
      if (endsConnection(refused)) {
        connection.close();
      }
      throw refused;
    }
    return {
      replies,
      cost: {
        roundTrips: 1,
        commands: commands.length,
        bytesIn: connection.bytesRead - bytesBefore,
        milliseconds: performance.now() - started,
      },
    };
  }

  private connect(): Promise<Connection> {
    if (this.failure && performance.now() - this.failure.at < RETRY_AFTER_MS) {
      throw this.failure.fault;
    }
    this.connecting ??= this.open().finally(() => (this.connecting = undefined));
    return this.connecting;
  }

  private async open(): Promise<Connection> {
    try {
      const connection = await this.topology.connect();
      if (this.closed) {
        connection.close();
        throw new Disconnected('the client was closed');
      }
      this.failure = undefined;
      this.connection = connection;
      return connection;
    } catch (error) {
      const fault = this.faultOf(error);
      this.failure = { fault, at: performance.now() };
      throw fault;
    }
  }

  private faultOf(error: unknown): Fault {
    return error instanceof Fault ? error : redisFault(error as Error, this.address);
  }
}

function whatConcernsAll(replies: readonly Reply[]): Error | undefined {
  return replies.find(({ error }) => error && concernsAllCommands(error))?.error;
}

/** Work whose outcome nobody waits for any more once a signal aborts; it then fails with the signal's reason. */
export function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) {
    return work;
  }
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(signal.reason as Error);
    if (signal.aborted) {
      onAbort();
    }
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
