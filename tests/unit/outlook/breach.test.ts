import { describe, expect, test } from 'vitest';
import { breachOf, type QueueFlowNow } from '../../../pkg/outlook/breach';
import fc, { runs } from '../../support/fastCheck';

const queue = (part: Partial<QueueFlowNow>): QueueFlowNow => ({
  size: 100,
  waitSeconds: 60,
  objectiveSeconds: 300,
  inRate: 2,
  outRate: 1,
  flowSeconds: 120,
  unserved: false,
  paused: false,
  ...part,
});

/** Job by job: when the oldest is as old as the objective. Pushes and takes come evenly. */
function lived(
  {
    size,
    waitSeconds,
    objectiveSeconds,
    inRate,
    outRate,
  }: Record<keyof Omit<QueueFlowNow, 'unserved' | 'paused' | 'flowSeconds'>, number>,
  rateAt: (at: number) => number = () => inRate
): number | null {
  const pushedAt = Array.from({ length: size }, (_, index) => -waitSeconds + (index * waitSeconds) / size);
  const step = 0.1;
  let due = 0;
  let credit = 0;
  let oldest = 0;
  for (let at = step; at < 20_000; at += step) {
    due += rateAt(at) * step;
    for (; due >= 1; due -= 1) {
      pushedAt.push(at);
    }
    credit += outRate * step;
    for (; credit >= 1; credit -= 1) {
      oldest = Math.min(pushedAt.length, oldest + 1);
    }
    if (oldest < pushedAt.length && at - pushedAt[oldest]! >= objectiveSeconds) {
      return at;
    }
  }
  return null;
}

describe('the breach of a queue', () => {
  test('holds the time that a queue takes job by job, whatever its flow', () => {
    const flow = fc.record({
      size: fc.integer({ min: 20, max: 2000 }),
      waitSeconds: fc.integer({ min: 5, max: 110 }),
      objectiveSeconds: fc.constantFrom(120, 300, 900),
      inRate: fc.double({ min: 0.5, max: 30, noNaN: true }),
      outRate: fc.double({ min: 0.5, max: 30, noNaN: true }),
    });
    fc.assert(
      fc.property(flow, (now) => {
        const at = lived(now);
        const breach = breachOf(queue(now));
        if (breach === null) {
          expect(at).toBeNull();
          return;
        }
        const slack = 2 + 2 / Math.min(now.inRate, now.outRate);
        if (at === null) {
          // Beyond what was lived through.
          expect(breach.latest ?? Infinity).toBeGreaterThan(20_000 - slack);
        } else {
          expect(breach.earliest).toBeLessThanOrEqual(at + slack);
          expect(breach.latest ?? Infinity).toBeGreaterThanOrEqual(at - slack);
        }
      }),
      { numRuns: runs(60) }
    );
  });

  // 120 taken in 120 s, by then the oldest is 60 s older. Then it grows by a half each second: 500 s.
  test('is a range that gets narrower the more jobs flow', () => {
    const widthOf = (times: number) => {
      const { earliest, latest } = breachOf(queue({ size: 120 * times, inRate: 2 * times, outRate: times }))!;
      expect(earliest).toBeLessThan(480);
      expect(latest).toBeGreaterThan(480);
      return latest! - earliest;
    };
    expect(widthOf(10)).toBeLessThan(0.5 * widthOf(1));
    expect(widthOf(100)).toBeLessThan(0.5 * widthOf(10));
  });

  test('is a wider range where the flow was measured for a shorter time', () => {
    const widthOf = (flowSeconds: number) => {
      const { earliest, latest } = breachOf(queue({ size: 1200, inRate: 20, outRate: 10, flowSeconds }))!;
      return latest! - earliest;
    };
    // The root of a quarter of the counts is half as sure.
    expect(widthOf(30) / widthOf(120)).toBeGreaterThan(1.8);
  });

  test('of a queue that nobody serves is exact', () => {
    expect(breachOf(queue({ unserved: true }))).toEqual({ earliest: 240, latest: 240 });
  });

  test('of a late queue is now', () => {
    expect(breachOf(queue({ waitSeconds: 300 }))).toEqual({ earliest: 0, latest: 0 });
  });

  test.each<[string, Partial<QueueFlowNow>]>([
    ['an empty queue', { size: 0, waitSeconds: 0 }],
    ['a paused queue', { paused: true, waitSeconds: 400 }],
    ['a queue of unknown size', { size: null }],
    ['a queue of unknown wait', { waitSeconds: null }],
    ['unknown pushes', { inRate: null }],
    ['unknown takes', { outRate: null }],
    ['a queue that drains', { inRate: 1, outRate: 2 }],
    ['a flow that takes longer than a day', { objectiveSeconds: 100_000 }],
  ])('of %s is not told', (_, part) => {
    expect(breachOf(queue(part))).toBeNull();
  });

  test('may not come where the rates are nearly the same', () => {
    expect(breachOf(queue({ inRate: 1.05, outRate: 1 }))).toMatchObject({ latest: null });
  });

  test('is later where fewer pushes are usual in the hours ahead, and then may not come', () => {
    const now = { size: 6000, waitSeconds: 100, objectiveSeconds: 900, inRate: 60, outRate: 50 };
    const steady = breachOf(queue(now))!;
    const slower = breachOf(queue(now), { inRates: [60, 56, 56, 56], hourEndsIn: 600 })!;
    const at = lived(now, (seconds) => (seconds < 600 ? 60 : 56))!;
    expect(slower.earliest).toBe(steady.earliest);
    expect(slower.latest ?? Infinity).toBeGreaterThan(Math.max(at, steady.latest!));
    expect(breachOf(queue(now), { inRates: [60, 10], hourEndsIn: 600 })).toMatchObject({ latest: null });
    // A queue that holds now, with twice the pushes from the next hour on.
    expect(breachOf(queue({ ...now, inRate: 49 }), { inRates: [49, 98], hourEndsIn: 600 })).toBeNull();
  });
});
