/** A counter below this share of what it was has begun anew. */
const BEGUN_ANEW = 0.5;

/**
 * Whether a counter that fell has begun anew, as after FLUSHALL or a reset of the statistics. One that fell by less has lost its
 * last writes: a replica that lagged behind became the master, or Redis was restored from an earlier dump.
 */
export function hasBegunAnew(now: number, before: number): boolean {
  return now < before * BEGUN_ANEW;
}

/** Values of one counter as those of one that loses no writes: what it grew by after a fall comes on top. */
export function withoutLostWrites(values: readonly number[]): number[] {
  let lost = 0;
  return values.map((value, index) => {
    const before = values[index - 1] ?? value;
    if (value < before) {
      lost = hasBegunAnew(value, before) ? 0 : lost + before - value;
    }
    return value + lost;
  });
}
