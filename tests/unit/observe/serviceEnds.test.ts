import { describe, expect, test } from 'vitest';
import { ServiceEnds } from '../../../pkg/observe/serviceEnds';
import { aCapsule, aProcess, aSnapshot, listed, NOW, partial } from '../../support/state';

const serves = (identity: string, queues: string[], part: Parameters<typeof aProcess>[1] = {}) =>
  aProcess(identity, { capsules: [aCapsule(5, Object.fromEntries(queues.map((queue) => [queue, 0])))], ...part });
const both = { processes: listed(serves('a:1:x', ['mail']), serves('b:1:x', ['mail', 'push'])) };
const onlyMail = { processes: listed(serves('a:1:x', ['mail'])) };

function observe(...snapshots: Array<NonNullable<Parameters<typeof aSnapshot>[0]>>) {
  const observer = new ServiceEnds();
  snapshots.forEach((part, index) => observer.observe(aSnapshot({ at: NOW + 10 * index, ...part })));
  return observer;
}

describe('the end of the service of a queue', () => {
  test.each<[string, Parameters<typeof observe>, Array<[string, number]>]>([
    ['is when it was last seen to be served', [both, both, onlyMail, onlyMail], [['push', NOW + 10]]],
    [
      'is that of its processes becoming quiet',
      [both, { processes: listed(serves('a:1:x', ['mail']), serves('b:1:x', ['push'], { quiet: true })) }],
      [['push', NOW]],
    ],
    ['is forgotten once it is served again', [both, onlyMail, both], []],
    ['is not known of one that was never served', [onlyMail, onlyMail], []],
    ['is not told by a snapshot in which not all processes are known', [both, { processes: partial() }, both], []],
    [
      'is not in the future, as a clock that was ahead has it',
      [both, onlyMail, { ...onlyMail, at: NOW - 500 }],
      [['push', NOW - 500]],
    ],
  ])('%s', (_, snapshots, ends) => {
    expect([...observe(...snapshots).view()]).toEqual(ends);
  });

  test('is known over a restart', () => {
    const saved: unknown = JSON.parse(JSON.stringify(observe(both, both).save()));
    const restored = new ServiceEnds();
    restored.restore(saved);
    restored.observe(aSnapshot({ at: NOW + 600, ...onlyMail }));
    expect([...restored.view()]).toEqual([['push', NOW + 10]]);
  });

  test('is held of the 5,000 queues that were served last', () => {
    const observer = new ServiceEnds();
    for (let step = 0; step < 20; step += 1) {
      const queues = Array.from({ length: 1000 }, (_, index) => `q${step}-${index}`);
      observer.observe(aSnapshot({ at: NOW + step, processes: listed(serves('a:1:x', queues)) }));
    }
    expect(observer.view().size).toBe(5000);
    expect(observer.view().get('q18-0')).toBe(NOW + 18);
  });
});
