import type { DeployMark } from './snapshot';

/** Reads a day's hash of marks (time → label); a time that is none is passed over. */
export function readMarks(hash: unknown): DeployMark[] {
  return Object.entries((hash ?? {}) as Record<string, string>).flatMap(([time, label]) => {
    const at = Date.parse(time) / 1000;
    return Number.isNaN(at) ? [] : [{ at, label }];
  });
}
