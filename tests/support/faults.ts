import { Fault } from '../../pkg/faults/fault';

/** The fault that `work` throws; another error is thrown on, and none at all is one too. */
export function faultOf(work: () => unknown): Fault {
  try {
    work();
  } catch (error) {
    if (error instanceof Fault) {
      return error;
    }
    throw error;
  }
  throw new Error('There was no fault.');
}

/** Message and remedy of that fault. */
export function explanationOf(work: () => unknown): string {
  return faultOf(work).explanation;
}
