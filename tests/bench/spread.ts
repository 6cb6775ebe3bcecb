/** Median, 10th and 90th percentile of milliseconds, each divided among what was done at once. */
export function spread(times: readonly number[], among = 1): { median: number; text: string } {
  const sorted = times.map((time) => time / among).sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
  return { median: at(0.5), text: `${at(0.5).toFixed(2)} (${at(0.1).toFixed(2)} to ${at(0.9).toFixed(2)})` };
}
