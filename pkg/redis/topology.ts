import type { Command, Reply } from './readOnlyRedis';

/** A connection whose set-up has succeeded as a whole. */
export interface Connection {
  /** Sends commands in one round trip; replies in order. Rejects when the connection ends meanwhile. */
  send(commands: readonly Command[]): Promise<Reply[]>;
  readonly open: boolean;
  /** Bytes received so far. */
  readonly bytesRead: number;
  /** What stands in the way of the next connection while this one still works; a sentence. */
  readonly warning?: string | undefined;
  close(): void;
}

/** One way to run Redis: how to find the server and connect to it. */
export interface Topology {
  /** For messages, without secrets. */
  readonly address: string;
  /**
   * Connects once. Every step must succeed (AUTH, SELECT): a connection that is not wholly set up is closed, so that
   * nothing is ever read from another database or as another user.
   *
   * @throws Error as the network, TLS or Redis gave it; Fault `settings` for what is configured wrongly
   */
  connect(): Promise<Connection>;
}
