import { describe, expect, test } from 'vitest';
import { timeOf } from '../../../pkg/series/blockStore';
import fc from '../../support/fastCheck';

type Span = [from: number, to: number];

const timed = (...spans: Span[]) => timeOf(spans.map(([from, to]) => ({ from, to })));
const blocks = (from: number, count: number): Span[] =>
  Array.from({ length: count }, (_, index) => [from + 200 * index, from + 200 * index + 190]);

const DAY = 86_400;

describe('the time of blocks', () => {
  test.each<[string, Span[], ReturnType<typeof timeOf>]>([
    ['is none without a block', [], null],
    ['is that of all of them in order', blocks(1000, 5), { from: 1000, to: 1990 }],
    [
      'ends with the latest where two processes record in turns',
      [...blocks(1000, 1), [1050, 1240], ...blocks(1200, 1), [1250, 1440]],
      { from: 1000, to: 1440 },
    ],
    [
      'has all of them where of two processes the one that began later wrote first',
      [[1250, 1251], [1000, 1190], ...blocks(1400, 1)],
      { from: 1000, to: 1590 },
    ],
    [
      'leaves out ten minutes that are dated a day ahead',
      [...blocks(1000, 6), ...blocks(2200 + DAY, 3), ...blocks(2800, 6)],
      { from: 1000, to: 3990 },
    ],
    [
      'leaves out ten minutes that are dated a day back, before the first',
      [...blocks(DAY, 6), ...blocks(1200, 3), ...blocks(DAY + 1800, 6)],
      { from: DAY, to: DAY + 2990 },
    ],
    [
      'goes on where a clock was put back by an hour',
      [...blocks(7200, 36), ...blocks(10_800, 36)],
      { from: 7200, to: 17_990 },
    ],
  ])('%s', (_, spans, time) => {
    expect(timed(...spans)).toEqual(time);
  });

  test('is that of a choice of the most time, as trying all of them finds it', () => {
    const span = fc
      .tuple(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 5 }))
      .map(([from, long]): Span => [1000 * from, 1000 * (from + long)]);
    fc.assert(
      fc.property(fc.array(span, { minLength: 1, maxLength: 8 }), (spans) => {
        const ways = Array.from({ length: 2 ** spans.length - 1 }, (_, bits) =>
          spans.filter((__, index) => ((bits + 1) >> index) & 1)
        ).filter((way) => way.every(([from], index) => index === 0 || way[index - 1]![0] <= from));
        const weight = (way: Span[]) => way.reduce((sum, [from, to]) => sum + to - from + 1, 0);
        const most = Math.max(...ways.map(weight));
        const found = ways
          .filter((way) => weight(way) === most)
          .map((way) => ({ from: way[0]![0], to: Math.max(...way.map(([, to]) => to)) }));
        expect(found).toContainEqual(timed(...spans));
      })
    );
  });
});
