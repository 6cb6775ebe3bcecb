import { setMaxListeners } from 'node:events';
import { Fault } from '../faults/fault';
import type { Installation } from './installation';
import type { State } from './state';

/**
 * A state, or a fault once so many seconds have passed, whatever the state of Redis.
 *
 * @throws Fault `connection` when it is too late, or what the reading itself throws
 */
export async function stateWithin(
  seconds: number,
  installation: Installation,
  late: { span: string; remedy: string }
): Promise<State> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () =>
        reject(
          new Fault({
            kind: 'connection',
            message: `Redis at ${installation.redis.address} did not answer within ${late.span}.`,
            remedy: late.remedy,
          })
        ),
      seconds * 1000
    );
  });
  try {
    return await Promise.race([installation.state(), tooLate]);
  } finally {
    clearTimeout(timer);
  }
}

/** A signal that ends work once so many seconds have passed, with a fault as its reason. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** The work is done. */
  clear(): void;
}

/** @param signal that may end the work before, for its own reason */
export function deadline(seconds: number, late: Fault, signal?: AbortSignal): Deadline {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(late), seconds * 1000);
  const either = signal ? AbortSignal.any([signal, controller.signal]) : controller.signal;
  // A reading of many parts listens with each.
  setMaxListeners(0, either);
  return {
    signal: either,
    clear: () => clearTimeout(timer),
  };
}
