import { describe, expect, test } from 'vitest';
import { gapsOf } from '../../../pkg/series/pace';

/** 2.5 times 15 s. */
const LEAST = 37.5;

/** Instants from steps in seconds. */
const instants = (steps: readonly number[]) => {
  const at = [0];
  steps.forEach((step) => at.push(at.at(-1)! + step));
  return at;
};
const repeated = (steps: readonly number[], times: number) => Array.from({ length: times }, () => steps).flat();
/** The steps that are gaps. */
const gapsAmong = (steps: readonly number[]) => {
  const at = instants(steps);
  const gap = gapsOf(at, LEAST) as (from: number, to: number) => boolean;
  return steps.filter((_, index) => gap(at[index]!, at[index + 1]!));
};

describe('of a sampler of 15 s', () => {
  // Found by a review: a process that is started again and again was watched all the time.
  test.each([
    [60, 300],
    [75, 300],
    [45, 120],
    [60, 60],
  ])('that is up for %i s and down for %i s each time down is a gap', (up, down) => {
    const cycle = [...repeated([15], up / 15), down];
    expect(gapsAmong(repeated(cycle, 20))).toEqual(repeated([down], 20));
  });

  test.each([60, 120, 300, 1200])('one outage of %i s is a gap, wherever it is', (away) => {
    for (const before of [3, 25, 60]) {
      expect(gapsAmong([...repeated([15], before), away, ...repeated([15], 30)])).toEqual([away]);
    }
  });
});

describe('a slower pace is no gap', () => {
  test('before and after the setting was another', () => {
    expect(gapsAmong([...repeated([300], 12), ...repeated([15], 40), ...repeated([60], 12)])).toEqual([]);
  });

  test('between stretches of readings that are close together, as those of viewers', () => {
    const act = repeated([15], 12);
    const steps = [...repeated([300], 4), 165, ...act, ...repeated([300], 5), 45, ...act, ...repeated([300], 3)];
    expect(gapsAmong(repeated(steps, 3))).toEqual([]);
  });
});
