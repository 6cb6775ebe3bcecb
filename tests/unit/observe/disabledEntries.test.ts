import { describe, expect, test } from 'vitest';
import { DisabledEntries } from '../../../pkg/observe/disabledEntries';
import { anEntry, aSnapshot, listed, NOW, partial } from '../../support/state';

const off = anEntry({ enabled: false, nextAt: null, lateFrom: null });
const observe = (...snapshots: Array<Parameters<typeof aSnapshot>[0]>) => {
  const observer = new DisabledEntries();
  snapshots.forEach((part, index) => observer.observe(aSnapshot({ at: NOW + 10 * index, ...part })));
  return observer.view();
};

describe('entries of sidekiq-cron that are disabled', () => {
  test('are known by when they were last seen so', () => {
    expect(observe({ recurring: listed(off) }, { recurring: listed(off) }, { recurring: listed(anEntry()) })).toEqual(
      new Map([['bill', NOW + 10]])
    );
  });

  test('are known until their next run', () => {
    const ran = anEntry({ lastAt: NOW + 5 });
    expect(observe({ recurring: listed(off) }, { recurring: listed(ran) })).toEqual(new Map());
  });

  test('are forgotten with them, and not where they could not be read', () => {
    expect(observe({ recurring: listed(off) }, { recurring: listed() })).toEqual(new Map());
    expect(observe({ recurring: listed(off) }, { recurring: partial() })).toEqual(new Map([['bill', NOW]]));
  });

  test('that were seen by a clock that was ahead are so by the present', () => {
    expect(observe({ at: NOW + 86_400, recurring: listed(off) }, { recurring: listed(anEntry()) })).toEqual(
      new Map([['bill', NOW + 10]])
    );
  });

  test('of sidekiq-scheduler are none, since it writes the times of runs that it leaves out', () => {
    expect(observe({ recurring: listed({ ...off, source: 'sidekiq-scheduler' as const }) })).toEqual(new Map());
  });

  test('take bounded memory', () => {
    const many = (turn: number) =>
      Array.from({ length: 1000 }, (_, index) => anEntry({ name: `e${turn}-${index}`, enabled: false }));
    expect(observe(...Array.from({ length: 20 }, (_, turn) => ({ recurring: partial(...many(turn)) }))).size).toBe(
      1000
    );
  });
});
