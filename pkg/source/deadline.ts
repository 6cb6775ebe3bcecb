import { setMaxListeners } from 'node:events';
import { Fault } from '../faults/fault';
import { abortable } from '../redis/client';
import type { State } from '../watch/state';
import type { Source } from './source';

/**
 * Work that ends once so many seconds have passed: its signal then aborts with a fault as its reason.
 *
 * @param late makes that fault; an error that is never thrown costs more than the timer
 * @param signal that may end the work before, for its own reason
 */
export async function within<T>(
  seconds: number,
  late: () => Fault,
  work: (signal: AbortSignal) => Promise<T>,
  signal?: AbortSignal
): Promise<T> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(late()), seconds * 1000);
  const either = signal ? AbortSignal.any([signal, controller.signal]) : controller.signal;
  // A reading of many parts listens with each.
  setMaxListeners(0, either);
  try {
    return await work(either);
  } finally {
    clearTimeout(timer);
  }
}

/** That Redis did not answer in time. */
export function tooLate(
  { address }: Pick<Source, 'address'>,
  { span, remedy }: { span: string; remedy: string }
): Fault {
  return new Fault({ kind: 'connection', message: `Redis at ${address} did not answer within ${span}.`, remedy });
}

/**
 * A state, or a fault once so many seconds have passed, whatever the state of Redis. The reading goes on for the others
 * who wait for it.
 *
 * @throws Fault `connection` when it is too late, or what the reading itself throws
 */
export async function stateWithin(
  seconds: number,
  source: Source,
  late: { span: string; remedy: string }
): Promise<State> {
  return within(
    seconds,
    () => tooLate(source, late),
    (signal) => abortable(source.state(), signal)
  );
}
