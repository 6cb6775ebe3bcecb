/**
 * What went wrong, as a person should hear it.
 *
 * - `settings`: the data source or the command line is configured wrongly
 * - `query`: the question itself cannot be answered as asked
 * - `connection`: Redis cannot be reached, or went away
 * - `permission`: Redis answers, but refuses the user or a command
 * - `data`: a record in Redis is not what Sidekiq writes
 */
export type FaultKind = 'settings' | 'query' | 'connection' | 'permission' | 'data';

export interface FaultDetails {
  kind: FaultKind;
  /** One sentence that says what happened, and to which field or key. */
  message: string;
  /** One sentence that says what to do about it. */
  remedy: string;
  cause?: unknown;
}

/** An error made where it is understood, with a remedy, to be shown once. */
export class Fault extends Error {
  readonly kind: FaultKind;
  readonly remedy: string;

  constructor({ kind, message, remedy, cause }: FaultDetails) {
    super(message, { cause });
    this.name = 'Fault';
    this.kind = kind;
    this.remedy = remedy;
  }

  /** The sentence and its remedy, as shown in Grafana and on the command line. */
  get explanation(): string {
    return `${this.message} ${this.remedy}`;
  }
}

/** What a reading gives, or `null` where it ends in a fault; other errors are thrown. */
export async function orNull<T>(reading: Promise<T>): Promise<T | null> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof Fault) {
      return null;
    }
    throw error;
  }
}

/** A fault caused by Redis or by what is in it, not by the question or by us. */
export function isDownstream(fault: Fault): boolean {
  return fault.kind === 'connection' || fault.kind === 'permission' || fault.kind === 'data';
}

/** The HTTP status that stands for a fault in Grafana's data and resource answers. */
export function httpStatus(fault: Fault): number {
  switch (fault.kind) {
    case 'settings':
    case 'query':
      return 400;
    case 'permission':
      return 403;
    case 'connection':
    case 'data':
      return 502;
  }
}
