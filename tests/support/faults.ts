import { Fault } from '../../pkg/faults/fault';

/** Message and remedy of the fault that `work` throws; empty where it throws none. */
export function explanationOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof Fault) {
      return error.explanation;
    }
    throw error;
  }
  return '';
}
