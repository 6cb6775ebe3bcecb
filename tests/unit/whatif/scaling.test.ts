import { describe, expect, test } from 'vitest';
import { answerOf, runs, utilisation } from '../../../pkg/whatif/answer';
import { assumedDurations } from '../../../pkg/whatif/durations';
import type { Scenario } from '../../../pkg/whatif/model';
import { Autoscaler, parseScaling, type Scaling, type Seen } from '../../../pkg/whatif/scaling';
import { withScaled } from '../../../pkg/whatif/scaledWorkers';
import { bestThreshold } from '../../../pkg/whatif/search';

function manifest(
  spec: string,
  metadata = 'queues: a\n        threadsPerReplica: "10"\n        holdSeconds: "0"'
): string {
  return `apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata:
  name: worker
spec:
  scaleTargetRef:
    name: worker
${spec}
  triggers:
    - type: external
      metadata:
        scalerAddress: jobwatch:9093
        ${metadata}
`;
}

const parse = (text: string): Scaling =>
  parseScaling(
    text,
    30,
    (name) => (name === 'Shop' ? ['a', 'b'] : []),
    () => 60
  );
const IDLE: Seen = { size: 0, waitSeconds: 0, busy: 0, workSeconds: 0, executions: 0, pushed: 0, taken: 0 };
/** Work that keeps so many threads busy. */
const working = (busy: number): Seen => ({ ...IDLE, busy, workSeconds: busy * 600, executions: 100 });

describe('a ScaledObject in the form of the docs', () => {
  test('has the defaults of KEDA', () => {
    expect(parse(manifest(''))).toMatchObject({
      queues: ['a'],
      target: 10,
      byRatio: false,
      least: 0,
      most: 100,
      pollingInterval: 30,
      cooldownPeriod: 300,
      downWindow: 300,
      upWindow: 0,
    });
  });

  test('by latency has the objective as its target, and follows its ratio', () => {
    const text = manifest('  minReplicaCount: 2', 'workerType: Shop\n        metric: latency').replace(
      'type: external\n',
      'type: external\n      metricType: Value\n'
    );
    expect(parse(text)).toMatchObject({ queues: ['a', 'b'], target: 60, byRatio: true, least: 2 });
  });

  test.each([
    ['', 'content'],
    ['kind: ScaledObject', 'spec'],
    ['a: [', 'no YAML'],
    [manifest('  maxReplicaCount: 0'), 'maxReplicaCount'],
    [manifest('  minReplicaCount: 5\n  maxReplicaCount: 2'), 'maxReplicaCount'],
    [manifest('').replace('type: external', 'type: redis'), 'triggers.0.type'],
    [manifest('', 'workerType: Nobody'), 'Nobody'],
    [manifest('', 'queues: a\n        metric: size'), 'metric'],
    [manifest('  maxReplicaCount: 1', 'queues: a\n        threadsPerReplica: "1000000000"'), 'threadsPerReplica'],
    [manifest('', 'queues: a\n        threadsPerReplica: "0.5"'), 'threadsPerReplica'],
  ])('is refused, naming what is wrong', (text, field) => {
    expect(() => parse(text)).toThrow(field);
  });
});

describe('replicas', () => {
  const at = (spec = '', replicas = 1) => new Autoscaler(parse(manifest(spec)), replicas);

  test('are as many as the value by the target, rounded up', () => {
    // Kubernetes: ceil(45 / 10) = 5.
    expect(at('', 3).step(working(45), 0)).toBe(5);
    expect(at('', 3).step(working(41), 0)).toBe(5);
  });

  test('stay as they are within a tenth of what they are to bear', () => {
    expect(at('', 3).step(working(32), 0)).toBe(3);
    expect(at('', 3).step(working(34), 0)).toBe(4);
  });

  test('become no more at once than twice as many, or four more', () => {
    const scaler = at('', 3);
    expect([0, 15, 30, 45].map((now) => scaler.step(working(400), now))).toEqual([7, 14, 28, 40]);
    // Looked at every ten seconds it is four times in a minute too.
    const late = at('', 3);
    const seen = [0, 10, 20, 30, 40, 50].map((now) => late.step(working(4000), now));
    expect(seen).toEqual([7, 7, 14, 28, 28, 56]);
  });

  test('become fewer once none of the last five minutes wanted more', () => {
    const scaler = at('', 5);
    scaler.step(working(50), 0);
    const after = Array.from({ length: 30 }, (_, index) => scaler.step(working(18), (index + 1) * 15));
    const first = after.findIndex((replicas) => replicas < 5);
    // What was wanted at 0 counts for 300 s.
    expect((first + 1) * 15).toBeGreaterThanOrEqual(300);
    expect((first + 1) * 15).toBeLessThanOrEqual(330);
    expect(after.at(-1)).toBe(2);
  });

  test('are not fewer than at the beginning for the window downwards', () => {
    const scaler = at('', 5);
    const seen = Array.from({ length: 40 }, (_, index) => scaler.step(working(8), index * 15));
    expect(seen.slice(0, 20)).toEqual(new Array(20).fill(5));
    expect(seen.at(-1)).toBe(1);
  });

  test('come from none when there is something to do, at the polling interval, and go after the cooldown', () => {
    const scaler = at('', 0);
    expect(scaler.step(IDLE, 0)).toBe(0);
    expect(scaler.step({ ...IDLE, size: 1 }, 20)).toBe(0);
    expect(scaler.step({ ...IDLE, size: 1 }, 30)).toBe(1);
    const gone = Array.from({ length: 30 }, (_, index) => scaler.step(IDLE, 40 + index * 15));
    const none = gone.indexOf(0);
    // Last active at 30 s; 300 s of cooldown.
    expect(40 + none * 15).toBeGreaterThanOrEqual(330);
    expect(40 + none * 15).toBeLessThanOrEqual(365);
  });

  test('are never fewer than the least, nor more than the most', () => {
    expect(at('  minReplicaCount: 2\n  maxReplicaCount: 4', 2).step(IDLE, 0)).toBe(2);
    expect(at('  minReplicaCount: 2\n  maxReplicaCount: 4', 2).step(working(400), 0)).toBe(4);
  });

  test('follow the ratio of wait and objective by Value', () => {
    const scaling = {
      ...parse(
        manifest('', 'queues: a\n        metric: latency\n        objectiveSeconds: "20"\n        holdSeconds: "0"')
      ),
      byRatio: true,
    };
    // Twice as late as may be: twice as many.
    expect(new Autoscaler(scaling, 3).step({ ...IDLE, size: 9, waitSeconds: 40 }, 0)).toBe(6);
  });
});

function scenario(perSecond: (slot: number) => number, scaling?: Scaling, seconds = 3600): Scenario {
  const slots = seconds / 10;
  return {
    topology: {
      groups: [
        { threads: 10, processes: new Map([['p', 10]]), mode: 'strict', weights: new Map([['a', 0]]) },
        { threads: 3, processes: new Map([['p', 3]]), mode: 'strict', weights: new Map([['other', 0]]) },
      ],
      paused: new Set(),
    },
    demand: {
      classes: [
        {
          class: 'A',
          queue: 'a',
          arrivals: Array.from({ length: slots }, (_, slot) => 10 * perSecond(slot)),
          durations: assumedDurations(1),
          polled: 0,
          executions: 1e12,
          atBeginning: { waiting: 1, running: 1 },
        },
      ],
      slotSeconds: 10,
      slots,
      backlog: new Map(),
    },
    ...(scaling && { scaling }),
  };
}
const options = { seed: 1, objectiveOf: () => 60 };

describe('scaled work', () => {
  test('of 25 threads ends with three replicas of ten, that are busy with it', async () => {
    const lived = await runs(
      scenario(() => 25, parse(manifest(''))),
      { ...options, count: 3 }
    );
    const { replicas } = lived.outcomes[0]!;
    expect(replicas!.mean).toBeGreaterThan(2.5);
    expect(replicas!.mean).toBeLessThan(4.5);
    // All of the work was done.
    const { jobs, backlogEnd } = answerOf(lived, ['a']);
    expect(jobs.median - backlogEnd.median).toBeGreaterThan(0.97 * 25 * 3600);
    const busy = utilisation(lived, ({ weights }) => weights.has('a'))!.median * replicas!.mean * 10;
    expect(busy).toBeGreaterThan(23);
    expect(busy).toBeLessThan(27);
  });

  test('begins as if the time before had been like it', async () => {
    // 42 threads of work on 50: from the first look on about as many are wanted.
    const base = scenario(() => 42, parse(manifest('')), 900);
    const [own, other] = base.topology.groups;
    const topology = { ...base.topology, groups: [{ ...own!, threads: 50 }, other!] };
    const { replicas } = (await runs({ ...base, topology }, { ...options, count: 3 })).outcomes[0]!;
    expect(replicas!.least).toBeGreaterThanOrEqual(4);
    expect(replicas!.most).toBeLessThanOrEqual(6);
  });

  test('of a queue that is paused is none, as the scaler takes it for an empty one', async () => {
    const scaling = parse(manifest('  minReplicaCount: 0', 'queues: a\n        metric: latency'));
    const base = scenario(() => 5, scaling, 1800);
    const paused = { ...base, topology: { ...base.topology, paused: new Set(['a']) } };
    const { replicas } = (await runs(paused, { ...options, count: 3 })).outcomes[0]!;
    expect(replicas!.mean).toBeLessThan(0.5);
    expect((await runs(base, { ...options, count: 3 })).outcomes[0]!.replicas!.mean).toBeGreaterThan(0.5);
  });

  test('that nobody serves when it begins is served by replicas that start', async () => {
    const scaling = parse(manifest(''));
    const none = { ...scenario(() => 1, scaling), topology: { groups: [], paused: new Set<string>() } };
    const lived = await runs({ ...none, topology: withScaled(none.topology, scaling) }, { ...options, count: 3 });
    const { jobs, backlogEnd } = answerOf(lived, ['a']);
    expect(jobs.median).toBeGreaterThan(3000);
    expect(backlogEnd.median).toBeLessThan(20);
    expect(utilisation(lived, () => true)!.median).toBeGreaterThan(0.08);
  });

  test('leaves those their threads who serve other queues too', async () => {
    const scaling = parse(manifest(''));
    const both = scenario(() => 1, scaling);
    const [first] = both.topology.groups;
    const shared = {
      ...first!,
      threads: 5,
      weights: new Map([
        ['a', 0],
        ['b', 0],
      ]),
    };
    const topology = withScaled({ ...both.topology, groups: [...both.topology.groups, shared] }, scaling);
    const lived = await runs({ ...both, topology }, { ...options, count: 3 });
    expect(lived.outcomes[0]!.threadSeconds[2]).toBe(5 * 3600);
  });

  test('that ends lets the replicas go, and other workers stay as they are', async () => {
    const lived = await runs(
      scenario((slot) => (slot < 120 ? 25 : 0), parse(manifest(''))),
      { ...options, count: 3 }
    );
    const { replicas, threadSeconds } = lived.outcomes[0]!;
    expect(replicas!.least).toBe(0);
    // Twenty minutes of about three replicas, and five to ten minutes until they go.
    expect(replicas!.mean * 60).toBeGreaterThan(20 * 2.5);
    expect(replicas!.mean * 60).toBeLessThan(32 * 5);
    expect(threadSeconds[1]).toBe(3 * 3600);
  });

  test('of new replicas that start slowly waits longer', async () => {
    const of = async (startSeconds: number) => {
      const scaling = { ...parse(manifest('')), startSeconds };
      const lived = await runs(
        scenario((slot) => (slot < 180 ? 5 : 40), scaling),
        { ...options, count: 3 }
      );
      return answerOf(lived, ['a']).p99!.median;
    };
    expect(await of(300)).toBeGreaterThan(2 * (await of(10)));
  });

  test('is searched for the threshold that meets the objective at the least cost', async () => {
    const aim = { name: 'a', queues: ['a'], objectiveSeconds: 60, share: 0.95 };
    const work = scenario((slot) => (slot % 90 < 45 ? 8 : 30), parse(manifest('')));
    const { text, runs: lived } = await bestThreshold(work, [aim], options);
    expect(text).toMatch(/^Least thread-hours that meet the objectives: objectiveSeconds of [\d.]+ s\. Tried: 3 s: /);
    expect(answerOf(lived, ['a']).within!.median).toBeGreaterThanOrEqual(0.95);
    await expect(
      bestThreshold(
        scenario(() => 1),
        [aim],
        options
      )
    ).rejects.toThrow('threshold');
  });
});
