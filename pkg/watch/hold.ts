/** What KEDA is told of one ScaledObject. */
export interface Scale {
  /** Something is to do, so that there must be a replica. */
  active: boolean;
  value: number;
}

/** Scaled objects that are remembered; more are told without holding. */
const KEPT = 1000;
/** Values of one scaled object that are remembered: a smaller step of time than that says nothing more. */
const STEPS = 50;

interface Told extends Scale {
  at: number;
}

/**
 * Holds the largest value of the last while, so that a queue that empties for a moment takes no workers away. Bounded by
 * the number of scaled objects and of the values of each; one that holds a value is never pushed out by another.
 */
export class Hold {
  private readonly told = new Map<string, { values: Told[]; until: number }>();

  /** @param key what is scaled, by what; @param now seconds of a clock that never goes back */
  keep(key: string, { active, value }: Scale, holdSeconds: number, now: number): Scale {
    if (!this.told.has(key) && this.told.size >= KEPT && !this.makeRoom(now)) {
      return { active, value };
    }
    const since = now - holdSeconds;
    // A smaller value before a larger one is never told again.
    const before = (this.told.get(key)?.values ?? []).filter(
      (each) => each.at > since && (each.value > value || (each.active && !active))
    );
    const last = before.at(-1);
    const step = holdSeconds / STEPS;
    // Within a step the larger value stands for both, until the later one ends.
    const kept: Told[] =
      last && now - last.at < step
        ? [...before.slice(0, -1), { at: now, value: last.value, active: last.active || active }]
        : [...before, { at: now, value, active }];
    this.told.set(key, { values: kept, until: now + holdSeconds });
    return { value: Math.max(...kept.map((each) => each.value), value), active: kept.some((each) => each.active) };
  }

  private makeRoom(now: number): boolean {
    for (const [key, { until }] of this.told) {
      if (until <= now) {
        this.told.delete(key);
      }
    }
    return this.told.size < KEPT;
  }
}
