import { describe, expect, test } from 'vitest';
import { AlertLog, holding, shippedRules, type Rule } from '../../pkg/alerting/evaluate';
import { parseExpression, type Labelled } from '../../pkg/alerting/expression';
import { Recorder } from '../../pkg/series/recorder';
import type { Source } from '../../pkg/source/source';
import { aQueueState, aState, NOW } from '../support/state';

const of = (value: number | null, labels: Record<string, string> = {}): Labelled => ({ labels, value });
const evaluate = (text: string, numbers: Record<string, Labelled[]>) =>
  parseExpression(text).evaluate(new Map(Object.entries(numbers)));

describe('an expression of an alert rule', () => {
  test.each([
    ['$A > 0 && $B == 0', 3, 0, 1],
    ['$A > 0 && $B == 0', 3, 1, 0],
    ['$A > 100 && ($A - $B) * 3600 < $A', 200, 199, 0],
    ['$A + $B > 0', 0, 0, 0],
    ['-$A < 0 || !$B', 0, 0, 1],
    ['$A / $B >= 0.5', 1, 2, 1],
  ])('%s with A = %d and B = %d is %d', (text, a, b, expected) => {
    expect(evaluate(text, { A: [of(a)], B: [of(b)] })).toEqual([of(expected)]);
  });

  test('pairs the numbers of the same labels, and one without labels with all', () => {
    const A = [of(5, { queue: 'a' }), of(7, { queue: 'b' }), of(9, { queue: 'c' })];
    expect(evaluate('$A > $B', { A, B: [of(6, { queue: 'a' }), of(6, { queue: 'b' })] })).toEqual([
      of(0, { queue: 'a' }),
      of(1, { queue: 'b' }),
    ]);
    expect(evaluate('$A > $B', { A, B: [of(8)] })).toEqual([
      of(0, { queue: 'a' }),
      of(0, { queue: 'b' }),
      of(1, { queue: 'c' }),
    ]);
  });

  test('has no data where a query has none, and no value where a figure has none', () => {
    expect(evaluate('$A > 0 && $B > 0', { A: [of(1)], B: [] })).toBeNull();
    expect(evaluate('$A > 0', { A: [of(null)] })).toEqual([of(null)]);
  });

  test.each(['$A >', '$a > 1', 'foo($A)', '$A > "x"', '$A ** 2', '[1]', 'this', ''])('refuses %j', (text) => {
    expect(() => parseExpression(text)).toThrow(/^The expression .* cannot be read: /);
  });
});

describe('a rule on a recording', () => {
  const rule: Rule = {
    name: 'Late',
    severity: 'critical',
    pendingMinutes: 2,
    queries: [{ queryType: 'capacity', by: 'queue', figures: ['latency'] } as { queryType: string }],
    when: { above: 60 },
  };
  const source = { reads: () => ({}) } as unknown as Source;
  const waits = async (log: AlertLog, ...seconds: Array<number | null>) => {
    for (const [minute, waitSeconds] of seconds.entries()) {
      const queues = waitSeconds === null ? [] : [aQueueState('mail', { size: 1, waitSeconds })];
      await log.evaluate(aState({ now: NOW + minute * 60, queues }), source);
    }
    return log.fired;
  };

  test('fires once it has held for its time, until it holds no longer', async () => {
    expect(await waits(new AlertLog([rule]), 10, 61, 90, 300, 120, 60)).toEqual([
      {
        rule: 'Late',
        severity: 'critical',
        labels: { workerType: '', queue: 'mail' },
        pendingAt: NOW + 60,
        firedAt: NOW + 180,
        endedAt: NOW + 300,
        peak: 300,
      },
    ]);
  });

  /** Waits by the minute in which they were seen. */
  const waitsAt = async (log: AlertLog, waits: Array<[minute: number, waitSeconds: number]>) => {
    for (const [minute, waitSeconds] of waits) {
      const queues = [aQueueState('mail', { size: 1, waitSeconds })];
      await log.evaluate(aState({ now: NOW + minute * 60, queues }), source);
    }
    return log.fired;
  };

  // promtool gives no alert on the same samples with a `for` of the same length.
  test('holds for the time that was watched: a gap ends what is pending and what fires', async () => {
    const late = [98, 99, 100, 159, 160].map((minute): [number, number] => [minute, 90]);
    expect(await waitsAt(new AlertLog([{ ...rule, pendingMinutes: 5 }]), late)).toEqual([]);
    const fired = await waitsAt(new AlertLog([rule]), [...late, [161, 90], [162, 10]]);
    expect(fired.map(({ firedAt, endedAt }) => [(firedAt - NOW) / 60, (endedAt! - NOW) / 60])).toEqual([
      [100, 100],
      [161, 162],
    ]);
  });

  test('goes on between readings that are five minutes apart, as a history file of that pace has them', async () => {
    const slow = [0, 5.1, 10.2, 15.3, 20.4].map((minute): [number, number] => [minute, 90]);
    const [fired] = await waitsAt(new AlertLog([{ ...rule, pendingMinutes: 12 }]), slow);
    expect(fired).toMatchObject({ pendingAt: NOW, endedAt: null });
  });

  test('does not fire where it holds for less, nor where there is no row', async () => {
    expect(await waits(new AlertLog([rule]), 61, 90, 60, 61, 90, null, 90)).toEqual([]);
  });

  test('that takes no row as an alert fires then', async () => {
    const [fired] = await waits(new AlertLog([{ ...rule, pendingMinutes: 0, noData: 'Alerting' }]), 10, null);
    expect(fired).toMatchObject({ firedAt: NOW + 60, endedAt: null, labels: {}, peak: null });
  });
});

describe('the alerts of a budget that burns', () => {
  /** Readings each minute of the last twelve hours but some, the last six late; a target of 99%. */
  const firing = async (watched: (minutesAgo: number) => boolean) => {
    const recorder = new Recorder();
    for (let ago = 720; ago >= 0; ago -= 1) {
      if (watched(ago)) {
        const value = ago <= 360 ? 100 : 10;
        recorder.append(NOW - ago * 60, [{ scope: 'queue', key: 'q', figure: 'latency', value }]);
      }
    }
    const options = {
      sampleSeconds: 60,
      workerTypes: [{ name: 'T', queues: ['q'], latencyObjectiveSeconds: 60, objectiveShare: 0.99, objectiveDays: 1 }],
    };
    const queues = [aQueueState('q', { workerType: 'T', objectiveSeconds: 60 })];
    const source = { reads: () => ({ history: async () => recorder }) } as unknown as Source;
    const rules = shippedRules().filter(({ name }) => name.startsWith('SidekiqObjectiveBurns'));
    const held = await Promise.all(rules.map((rule) => holding(rule, aState({ options, queues }), source)));
    return rules.flatMap(({ name }, index) => (held[index]!.length > 0 ? [name] : []));
  };

  test('are one alert where it burns fast', async () => {
    expect(await firing(() => true)).toEqual(['SidekiqObjectiveBurnsFast']);
  });

  // Found by a review: where the rate of an hour was not known, neither fired.
  test('are the slow one where the rate of the last hour is not known', async () => {
    expect(await firing((ago) => ago <= 25 || ago > 60)).toEqual(['SidekiqObjectiveBurnsSlowly']);
  });
});
