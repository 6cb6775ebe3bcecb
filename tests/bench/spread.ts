/** Median, 10th and 90th percentile of milliseconds, each divided among what was done at once. */
export function spread(times: readonly number[], among = 1): { median: number; text: string } {
  const at = (share: number) => percentile(times, share) / among;
  return { median: at(0.5), text: `${at(0.5).toFixed(2)} (${at(0.1).toFixed(2)} to ${at(0.9).toFixed(2)})` };
}

/** The value that a share of the values does not exceed. */
export function percentile(values: readonly number[], share: number): number {
  return [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? NaN;
}
