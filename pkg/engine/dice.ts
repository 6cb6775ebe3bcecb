import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

const LARGEST_MEAN = 500;
/** Outputs to drop at the beginning: they are alike for seeds that lie close together. */
const ALIKE = 32;

/** Dice of their own by a name: what is drawn of one does not change what is drawn of another. */
export function namedDice(seed: number): (name: string) => Dice {
  return (name) => {
    // FNV-1a of 32 bits.
    let hash = 0x811c9dc5 ^ seed;
    for (let index = 0; index < name.length; index += 1) {
      hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193);
    }
    return new Dice(hash);
  };
}

/** Chance that repeats by its seed. */
export class Dice {
  private readonly generator;

  constructor(seed: number) {
    this.generator = xoroshiro128plus(seed);
    for (let index = 0; index < ALIKE; index += 1) {
      this.generator.next();
    }
  }

  /** Evenly spread over [from, to). */
  between(from: number, to: number): number {
    return from + uniformFloat64(this.generator) * (to - from);
  }

  chance(probability: number): boolean {
    return this.between(0, 1) < probability;
  }

  pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.between(0, items.length))]!;
  }

  /** How often an event of this mean happens (Poisson, by Knuth's product). */
  count(mean: number): number {
    // Beyond, the limit is too small for a number.
    if (mean > LARGEST_MEAN) {
      return this.count(LARGEST_MEAN) + this.count(mean - LARGEST_MEAN);
    }
    const limit = Math.exp(-mean);
    let count = 0;
    for (let product = this.between(0, 1); product > limit; product *= this.between(0, 1)) {
      count += 1;
    }
    return count;
  }

  /** A duration around a median, with a long tail as jobs have it. */
  duration(medianSeconds: number, spread = 0.6): number {
    return medianSeconds * Math.exp(spread * this.normal());
  }

  /** Normally distributed, of mean 0 and standard deviation 1. */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.between(0, 1))) * Math.cos(2 * Math.PI * this.between(0, 1));
  }

  hex(digits: number): string {
    return Array.from({ length: digits }, () => Math.floor(this.between(0, 16)).toString(16)).join('');
  }
}
