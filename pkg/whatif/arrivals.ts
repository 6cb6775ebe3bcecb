const MINUTE = 60;
export const SLOT_SECONDS = 10;
export const SLOTS_PER_MINUTE = MINUTE / SLOT_SECONDS;

/**
 * Jobs of a class that came in each slot, on average: those that were executed, and those by which the ones that wait or
 * run became more. Where a minute would have fewer than none, the next ones have fewer.
 *
 * Counts vary by chance alone even where the rate is even, and a run draws them anew: so what chance explains is taken
 * out of them first ({@link smoothed}).
 */
export function arrivalsOf(executed: readonly number[], more: readonly number[], weights: readonly number[]): number[] {
  let owed = 0;
  const come = executed.map((count, minute) => {
    const all = count + (more[minute] ?? 0) + owed;
    owed = Math.min(0, all);
    return Math.max(0, all);
  });
  const rates = smoothed(come, WINDOW_MINUTES);
  return weights.map((weight, slot) => rates[Math.floor(slot / SLOTS_PER_MINUTE)]! * weight);
}

/** Minutes around one within which its rate is taken to be about the same. */
const WINDOW_MINUTES = 11;

/**
 * Rates behind counts: the mean around each, and of its distance from that mean the part that chance does not explain.
 * Where counts vary as those of a Poisson process nothing is left of it, where they vary much more nearly all is; drawn
 * again by chance, the rates then vary as the counts did.
 */
export function smoothed(counts: readonly number[], window: number): number[] {
  const half = Math.floor(window / 2);
  const around = counts.map((_, index) => {
    const near = counts.slice(Math.max(0, index - half), index + half + 1);
    return { mean: sum(near) / near.length, many: near.length };
  });
  let variance = 0;
  let expected = 0;
  counts.forEach((count, index) => {
    const { mean, many } = around[index]!;
    // Each count is a part of the mean that it is compared with.
    variance += many > 1 ? (count - mean) ** 2 * (many / (many - 1)) : 0;
    expected += mean;
  });
  const dispersion = expected > 0 ? variance / expected : 1;
  const kept = Math.sqrt(Math.max(0, 1 - 1 / Math.max(1, dispersion)));
  const rates = counts.map((count, index) => around[index]!.mean + (count - around[index]!.mean) * kept);
  // Means at both ends lean to one side: as many jobs come as were counted.
  const scale = sum(counts) / Math.max(Number.MIN_VALUE, sum(rates));
  return rates.map((rate) => rate * scale);
}

/** Share of its minute that each slot has, by the pushes that were seen; even ones where those are not known. */
export function burstWeights(rates: ReadonlyArray<number | null>, slots: number): number[] {
  const even = 1 / SLOTS_PER_MINUTE;
  const weights: number[] = [];
  for (let from = 0; from < slots; from += SLOTS_PER_MINUTE) {
    const known = rates.slice(from, from + SLOTS_PER_MINUTE).filter((rate) => rate !== null);
    const counts = known.map((rate) => rate * SLOT_SECONDS);
    const all = known.length < SLOTS_PER_MINUTE ? 0 : sum(counts);
    const behind = all > 0 ? smoothed(counts, 2 * SLOTS_PER_MINUTE) : [];
    for (let slot = 0; slot < SLOTS_PER_MINUTE; slot += 1) {
      weights.push(all > 0 ? behind[slot]! / all : even);
    }
  }
  return weights;
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, each) => total + each, 0);
}
