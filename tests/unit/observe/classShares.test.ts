import { expect, test } from 'vitest';
import { ClassShares } from '../../../pkg/observe/classShares';
import { aSnapshot, listed, NOW, someWork } from '../../support/state';

const runs = (name: string, queue: string, index = 0) =>
  someWork({ metricsClass: name, queue, jid: `${name}-${queue}-${index}` });
const look = (shares: ClassShares, seconds: number, ...work: Array<ReturnType<typeof someWork>>) =>
  shares.observe(aSnapshot({ at: NOW + seconds, work: listed(...work) }));
const sharesOf = (shares: ClassShares, name: string) =>
  Object.fromEntries((shares.view().get(name) ?? []).map(([queue, share]) => [queue, Number(share.toFixed(3))]));

test('a class that runs from two queues is shared by how often it is seen in each', () => {
  const shares = new ClassShares();
  for (let seconds = 0; seconds < 3600; seconds += 10) {
    // Three threads in one, one in the other; now and then it is seen in one of them alone.
    look(
      shares,
      seconds,
      runs('A', 'q1', 1),
      runs('A', 'q1', 2),
      runs('A', 'q1', 3),
      ...(seconds % 20 ? [runs('A', 'q2', 1), runs('A', 'q2', 2)] : [])
    );
  }
  expect(sharesOf(shares, 'A')['q1']).toBeCloseTo(0.75, 1);
  expect(sharesOf(shares, 'A')['q2']).toBeCloseTo(0.25, 1);
});

test('a class of one queue has no shares, and one that has left a queue loses that share', () => {
  const shares = new ClassShares();
  look(shares, 0, runs('A', 'q1'), runs('B', 'q1'), runs('B', 'q2'));
  expect([...shares.view().keys()]).toEqual(['B']);
  for (let seconds = 10; seconds < 7200; seconds += 10) {
    look(shares, seconds, runs('B', 'q2'));
  }
  expect(shares.view().has('B')).toBe(false);
});

test('a clock that was put back begins anew, and what was saved goes on', () => {
  const shares = new ClassShares();
  look(shares, 100, runs('B', 'q1'), runs('B', 'q2'));
  const restored = new ClassShares();
  restored.restore(JSON.parse(JSON.stringify(shares.save())));
  expect(sharesOf(restored, 'B')).toEqual({ q1: 0.5, q2: 0.5 });
  look(restored, 0, runs('B', 'q2'));
  expect(restored.view().has('B')).toBe(false);
});

test('it holds 5,000 classes and 50 queues of each of a month in which ever others run', () => {
  const shares = new ClassShares();
  for (let index = 0; index < 6000; index += 1) {
    look(shares, index, runs(`C${index}`, 'q'), runs('Everywhere', `q${index}`));
  }
  const saved = shares.save();
  expect(saved.length).toBeLessThanOrEqual(5000);
  expect(saved.find((each) => each.class === 'Everywhere')!.queues.length).toBeLessThanOrEqual(101);
});

// Found by a review: weights that had faded to nothing were saved, and every recording of that time could not be read.
test('what was seen weeks ago is nothing, and what is saved can be restored', () => {
  const shares = new ClassShares();
  look(shares, 0, runs('B', 'q1'), runs('B', 'q2'));
  look(shares, 30 * 86_400, runs('B', 'q3'));
  const saved = shares.save();
  expect(saved).toEqual([{ class: 'B', at: NOW + 30 * 86_400, queues: [['q3', 1]] }]);
  expect(shares.view().has('B')).toBe(false);
  const restored = new ClassShares();
  restored.restore([
    {
      ...saved[0],
      queues: [
        ['q3', 1],
        ['q1', 0],
      ],
    },
  ]);
  expect(restored.view().has('B')).toBe(false);
});
