import { describe, expect, test } from 'vitest';
import { BusyMeans } from '../../../pkg/observe/busyMeans';
import { aProcess, aSnapshot, listed, NOW, partial, someWork } from '../../support/state';

const running = (queue: string, count: number, process = 'a:1:x') =>
  Array.from({ length: count }, (_, index) => someWork({ process, queue, jid: `${queue}-${index}` }));
const processes = listed(aProcess('a:1:x'), aProcess('b:1:x', { quiet: true }));

function look(observer: BusyMeans, seconds: number, ...work: ReturnType<typeof running>) {
  observer.observe(aSnapshot({ at: NOW + seconds, processes, work: listed(...work) }));
}

describe('what queues keep busy on average', () => {
  test('is of the last two minutes, quiet processes left out', () => {
    const means = new BusyMeans();
    for (let seconds = 0; seconds <= 300; seconds += 10) {
      // Four of ten looks see three, the others two.
      look(means, seconds, ...running('q', seconds % 50 < 20 ? 3 : 2), ...running('q', 5, 'b:1:x'));
    }
    expect(means.view().get('q')).toBeCloseTo(2.4, 0);
    for (let seconds = 310; seconds <= 440; seconds += 10) {
      look(means, seconds);
    }
    expect(means.view().get('q')).toBeUndefined();
  });

  test('is not told of few looks, nor of looks that follow at once, nor where work was refused', () => {
    const means = new BusyMeans();
    for (let seconds = 0; seconds < 50; seconds += 1) {
      look(means, seconds / 10, ...running('q', 2));
      means.observe(aSnapshot({ at: NOW + 100, processes, work: partial(...running('q', 2)) }));
    }
    expect(means.view().size).toBe(0);
  });

  test('is of what was seen of late, where nothing can be read any more', () => {
    const means = new BusyMeans();
    for (let seconds = 0; seconds <= 120; seconds += 30) {
      look(means, seconds, ...running('q', 3));
    }
    expect([...means.view()]).toEqual([['q', 3]]);
    means.observe(aSnapshot({ at: NOW + 7200, processes: partial(), work: listed() }));
    expect(means.view().size).toBe(0);
  });

  test('goes on over a restart, and begins anew where a clock was put back', () => {
    const means = new BusyMeans();
    for (let seconds = 0; seconds <= 100; seconds += 10) {
      look(means, seconds, ...running('q', 2));
    }
    const restored = new BusyMeans();
    restored.restore(JSON.parse(JSON.stringify(means.save())));
    expect([...restored.view()]).toEqual([['q', 2]]);
    look(restored, -500, ...running('q', 4));
    expect(restored.view().size).toBe(0);
    expect(restored.save()).toHaveLength(1);
  });
});
