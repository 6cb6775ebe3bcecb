import { describe, expect, test } from 'vitest';
import { StatsdRegistry } from '../../../pkg/statsd/registry';
import { StatsdIntake } from '../../../pkg/statsd/intake';
import { MemoryBudget } from '../../../pkg/statsd/budget';
import { labelsOf, parseTags } from '../../../pkg/statsd/labels';
import { parseLine } from '../../../pkg/statsd/line';
import { STATSD_METRICS, statsdNameOf } from '../../../pkg/statsd/metrics';
import { SlidingSummary } from '../../../pkg/statsd/summary';
import fc from '../../support/fastCheck';
import { sendPacket } from '../../support/statsd';

const NOW = 1_750_000_000;
const metric = (wire: string) => STATSD_METRICS.find((each) => each.wire === wire)!;

function receive(...lines: string[]): StatsdIntake {
  const jobs = new StatsdIntake({ series: 100, expireSeconds: 600 });
  sendPacket(jobs, lines.join('\n'), NOW);
  return jobs;
}

describe('a DogStatsD line', () => {
  test.each([
    ['a.b:1|c', { name: 'a.b', type: 'c', values: [1], rate: 1, tags: '' }],
    ['a:12.5|ms|@0.5|#queue:q', { name: 'a', type: 'ms', values: [12.5], rate: 0.5, tags: 'queue:q' }],
    ['a:1:2:3|d|#w:X::Y', { name: 'a', type: 'd', values: [1, 2, 3], rate: 1, tags: 'w:X::Y' }],
    ['a:-4|g|#a:1|c:ci-123|T1656581400|e:it-false', { name: 'a', type: 'g', values: [-4], rate: 1, tags: 'a:1' }],
    ['a:+1.5e3|g', { name: 'a', type: 'g', values: [1500], rate: 1, tags: '' }],
    ['a:.5:2.|ms|@1', { name: 'a', type: 'ms', values: [0.5, 2], rate: 1, tags: '' }],
    ['_under:1|c', { name: '_under', type: 'c', values: [1], rate: 1, tags: '' }],
    ['a:1|h|#t|@0.1', { name: 'a', type: 'h', values: [1], rate: 0.1, tags: 't' }],
  ])('%s is read', (text, line) => expect(parseLine(text)).toEqual({ line }));

  test.each([
    ['_e{5,4}:title|text', 'event'],
    ['_sc|redis|0', 'check'],
    ['users:abc|s|#a:b', 'set'],
    ['', 'blank'],
  ])('%j is no error', (text, unused) => expect(parseLine(text)).toEqual({ unused }));

  test.each([
    'nothing',
    'a:1',
    ':1|c',
    'a:|c',
    'a:x|c',
    'a:1|q',
    'a:1|c|@0',
    'a:1|c|@2',
    'a:1|c|@x',
    'a:1|c|@1.01',
    'a:1|c|@-1',
    'a|c:1',
    'a:1:|c',
    'a:-1|c',
    'a:1e999|g',
    'a: 1|c',
    'a:0x1|c',
    'a:Infinity|ms',
  ])('%s is malformed', (text) => expect(parseLine(text)).toHaveProperty('malformed'));

  test('tags are split at the first colon', () => {
    expect(parseTags('worker:Bills::Job,env:,blue')).toEqual([
      ['worker', 'Bills::Job'],
      ['env', ''],
      ['blue', ''],
    ]);
  });
});

test.each([
  ['lago-api.jobs.count', 'lago_api', 'jobs.count'],
  ['lago-api.sidekiq.jobs.perform', 'lago_api', 'jobs.perform'],
  ['sidekiq.sidekiq.jobs.recovered.fetch', 'sidekiq', 'jobs.recovered.fetch'],
  ['sidekiq.jobs.failure', 'sidekiq', 'jobs.failure'],
  ['jobs.failure', 'sidekiq', 'jobs.failure'],
  ['my.app.jobs.count', 'my_app', 'jobs.count'],
  ['1app.jobs.count', '_1app', 'jobs.count'],
  ['app.sidekiq.queue.latency', 'app', 'queue.latency'],
  [`${'n'.repeat(200)}.jobs.count`, 'n'.repeat(100), 'jobs.count'],
])('%s is of %s: %s', (name, namespace, wire) =>
  expect(statsdNameOf(name)).toMatchObject({ namespace, metric: { wire } })
);

test.each(['my.app.jobs.counted', 'my.app.processed'])('%s is none of Sidekiq', (name) =>
  expect(statsdNameOf(name)).toBeUndefined()
);

test('a name as long as a packet is read as fast as others', () => {
  const names = ['.', 'a.', 'b.jobs.', 'jobs.recovered.'].map((part) => part.repeat(60_000 / part.length));
  const began = performance.now();
  names.forEach((name) => expect(statsdNameOf(`${name}counted`)).toBeUndefined());
  expect(statsdNameOf(`${'a.'.repeat(30_000)}jobs.count`)).toMatchObject({ metric: { wire: 'jobs.count' } });
  // It took 8 s.
  expect(performance.now() - began).toBeLessThan(500);
});

test('of invented namespaces 50 are kept, and give way when they are silent', () => {
  const jobs = new StatsdIntake({ series: 1000, expireSeconds: 600 });
  const send = (namespace: string, at: number) => sendPacket(jobs, `${namespace}.jobs.count:1|c`, at);
  Array.from({ length: 60 }, (_, index) => send(`made${index}`, NOW));
  expect(jobs.registry.namespaces).toHaveLength(50);
  expect(jobs.counts.dropped).toBe(10);
  send('late', NOW + 1);
  expect(jobs.registry.namespaces).not.toContain('late');
  // One that was silent for a minute gives way; one that speaks does not.
  send('made7', NOW + 50);
  send('real', NOW + 60);
  expect(jobs.registry.namespaces).toHaveLength(50);
  expect(jobs.registry.namespaces).toEqual(expect.arrayContaining(['real', 'made7']));
  jobs.registry.seriesOf(metric('jobs.count'), NOW + 661);
  send('late', NOW + 662);
  expect(jobs.registry.namespaces).toEqual(['late']);
});

test('a run of jobs becomes counters by label set, weighted by the sample rate', () => {
  const tags = '#env:production,service:sidekiq,queue:billing,worker:Bills::Job';
  const jobs = receive(
    `lago-api.jobs.count:1|c|${tags}`,
    `lago-api.sidekiq.jobs.count:1|c|@0.25|${tags}`,
    `lago-api.jobs.failure:1|c|${tags},error_type:Net::ReadTimeout`
  );
  const labels = [
    ['env', 'production'],
    ['queue', 'billing'],
    ['service', 'sidekiq'],
    ['worker', 'Bills::Job'],
  ];
  expect(jobs.registry.seriesOf(metric('jobs.count'), NOW)).toMatchObject([{ value: 5, labels }]);
  expect(jobs.registry.seriesOf(metric('jobs.failure'), NOW)).toMatchObject([
    { value: 1, labels: [labels[0], ['error_type', 'Net::ReadTimeout'], ...labels.slice(1)] },
  ]);
});

test('durations arrive in milliseconds and are kept in seconds, packed values one by one', () => {
  const [series] = receive('jobs.perform:20:100:400000|ms|#worker:A').registry.seriesOf(metric('jobs.perform'), NOW);
  const { summary, buckets } = series!.timing!;
  expect(summary.count).toBe(3);
  expect(summary.sum).toBeCloseTo(400.12, 9);
  // 20 ms lies within le="0.02", as Prometheus’ bounds are inclusive; 400 s is above the last bound.
  expect(buckets[0]).toBe(1);
  expect(buckets[4]).toBe(1);
  expect(buckets[25]).toBe(1);
});

test('a sampled duration counts as often as its rate says, in sum, count and bucket', () => {
  const [series] = receive('jobs.perform:100|ms|@0.25|#worker:A').registry.seriesOf(metric('jobs.perform'), NOW);
  const { summary, buckets } = series!.timing!;
  expect(summary.count).toBe(4);
  expect(summary.sum).toBeCloseTo(0.4, 9);
  expect(buckets.reduce((sum, count) => sum + count, 0)).toBe(4);
});

// statsd_exporter counts three events of a rate of 0.3. Of three such lines ten events are reported.
test('counts of sampled durations are whole, and right in the long run', () => {
  const line = 'jobs.perform:10|ms|@0.3|#worker:A';
  const countsOf = (...lines: string[]) => {
    const [series] = receive(...lines).registry.seriesOf(metric('jobs.perform'), NOW);
    const { summary, buckets } = series!.timing!;
    return [summary.count, buckets[0]];
  };
  expect(countsOf(line)).toEqual([3, 3]);
  expect(countsOf(line, line, line)).toEqual([10, 10]);
});

test.each([
  ['numbers behind a comma', `a,${':1'.repeat(32_000)}x|c`],
  ['numbers behind a bracket', `a[${':1'.repeat(32_000)}x|c`],
  ['digits', `a:${'1'.repeat(65_000)}x|c`],
  ['digits behind a point', `a:1.${'1'.repeat(65_000)}x|ms`],
  ['a long packet of commas', `a${','.repeat(65_000)}:1|c`],
])('a line of 65 kB of %s takes no longer than its length', (_name, text) => {
  const began = process.cpuUsage();
  parseLine(text);
  const { user, system } = process.cpuUsage(began);
  // Patterns that take the square of the length took seconds.
  expect(user + system).toBeLessThan(200_000);
});

test.each([
  ['a,b=c:1|c', { name: 'a', tags: 'b:c', values: [1] }],
  ['a,b=c:1:2:3|ms', { name: 'a', tags: 'b:c', values: [1, 2, 3] }],
  ['a,b=x:y:1|c', { name: 'a', tags: 'b:x:y', values: [1] }],
  ['a,b=1:2:3|ms', { name: 'a', tags: 'b:1', values: [2, 3] }],
  ['a[b=c]d:1|c', { name: 'ad', tags: 'b:c', values: [1] }],
])('values behind tags in the name of %s begin at the last colons before numbers', (text, line) => {
  expect(parseLine(text)).toMatchObject({ line });
});

test('a gauge keeps the last value and is forgotten once its sender is silent', () => {
  const jobs = receive('sidekiq.queue.size:7|g|#queue:q', 'sidekiq.queue.size:3|g|#queue:q');
  expect(jobs.registry.seriesOf(metric('queue.size'), NOW + 200)).toMatchObject([{ value: 3 }]);
  expect(jobs.registry.seriesOf(metric('queue.size'), NOW + 301)).toEqual([]);
});

test('a silent counter is forgotten after the set time, and starts anew when it speaks again', () => {
  const jobs = receive('jobs.count:5|c|#worker:A');
  expect(jobs.registry.seriesOf(metric('jobs.count'), NOW + 599)).toHaveLength(1);
  expect(jobs.registry.seriesOf(metric('jobs.count'), NOW + 620)).toHaveLength(0);
  sendPacket(jobs, 'jobs.count:2|c|#worker:A', NOW + 630);
  expect(jobs.registry.seriesOf(metric('jobs.count'), NOW + 630)).toMatchObject([{ value: 2 }]);
});

test('label sets are capped, what is dropped is counted, known ones go on', () => {
  const jobs = receive(...Array.from({ length: 130 }, (_, index) => `jobs.count:1|c|#worker:W${index}`));
  sendPacket(jobs, 'jobs.count:1|c|#worker:W0', NOW);
  expect(jobs.registry.size).toBe(100);
  expect(jobs.counts).toMatchObject({ lines: 131, dropped: 30, malformed: 0 });
  expect(jobs.registry.seriesOf(metric('jobs.count'), NOW)[0]!.value).toBe(2);
});

test('a flood of invented names, tags and classes takes a bounded amount of memory', () => {
  const jobs = new StatsdIntake({ series: 1_000_000, expireSeconds: 600 });
  const padding = 'x'.repeat(1000);
  for (let index = 0; index < 20_000; index += 1) {
    sendPacket(jobs, `flood.${index}.${padding}:1|c\njobs.count:1|c|#worker:W${index}`, NOW);
  }
  expect(jobs.minutes.read(NOW, NOW)[0]!.classes.size).toBe(2000);
  expect(jobs.rememberedCharacters).toBeLessThanOrEqual(8_000_000);
});

test('labels are valid, short and few, whoever sends', () => {
  const many = Array.from({ length: 60 }, (_, index) => `tag-${index}:v`).join(',');
  const [series] = receive(
    `jobs.count:1|c|#1st:x,worker:${'W'.repeat(500)},quantile:9,le:1,__name__:y,${many}`
  ).registry.seriesOf(metric('jobs.count'), NOW);
  const names = series!.labels.map(([name]) => name);
  // Thirty-two, and Sidekiq’s own.
  expect(names).toHaveLength(33);
  expect(names).toContain('worker');
  expect(names.every((name) => /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name) && !name.startsWith('__'))).toBe(true);
  expect(names).not.toContain('quantile');
  expect(Math.max(...series!.labels.map(([, value]) => value.length))).toBeLessThanOrEqual(200);
});

test('malformed, unused and foreign lines are counted apart, and the first bad one is told', () => {
  const jobs = new StatsdIntake({ series: 10, expireSeconds: 600 });
  const bad = sendPacket(
    jobs,
    'rubbish\n_e{1,1}:a|b\n_sc|x|0\nother.metric:1|c\ndatadog.dogstatsd.client.bytes_dropped:40|c\njobs.count:1|c\nx:y|c\n',
    NOW
  );
  expect(bad).toEqual({ text: 'rubbish', problem: 'no "name:value|type"' });
  expect(jobs.counts).toMatchObject({
    packets: 1,
    lines: 7,
    malformed: 2,
    unused: 4,
    dropped: 0,
    droppedBySenders: 40,
  });
});

test.each([
  ['a value beyond 200 characters', `y.jobs.count:1|c|#worker:${'A'.repeat(201)}`],
  ['two tags of one name', 'y.jobs.count:1|c|#worker:A,team-x:a,team_x:b'],
  ['a name of letters that Prometheus has not', 'y.jobs.count:1|c|#worker:A,команда:a'],
  ['a name that Prometheus uses', 'y.jobs.count:1|c|#worker:A,le:5'],
])('a line that loses a part of its tags is counted: %s', (_, line) => {
  const jobs = new StatsdIntake({ series: 100, expireSeconds: 600 });
  sendPacket(jobs, line, NOW);
  sendPacket(jobs, line, NOW);
  expect(jobs.counts.cut).toBe(2);
});

test.each(['y.jobs.count:1|c|#worker:A,team:a,team:a', 'y.jobs.count:1|c|#worker:A,empty:,#b'])(
  'a line that loses nothing is not: %s',
  (line) => {
    const jobs = new StatsdIntake({ series: 100, expireSeconds: 600 });
    sendPacket(jobs, line, NOW);
    expect(jobs.counts.cut).toBe(0);
  }
);

test('names that differ in bytes that are no UTF-8 are two series', () => {
  const jobs = new StatsdIntake({ series: 100, expireSeconds: 600 });
  for (const byte of [0xff, 0xfe]) {
    jobs.receive(Buffer.concat([Buffer.from('y.jobs.count:1|c|#worker:Bad'), Buffer.from([byte])]), NOW);
  }
  const series = jobs.registry.seriesOf(metric('jobs.count'), NOW);
  expect(series.map(({ labels }) => labels)).toEqual([[['worker', 'Bad\\xff']], [['worker', 'Bad\\xfe']]]);
});

test('tags beyond the limit are counted, and those go first whose value never differs', () => {
  const jobs = new StatsdIntake({ series: 100, expireSeconds: 600 });
  const constant = Array.from({ length: 31 }, (_, index) => `a${index}:v`).join(',');
  const send = (pod: string, more: string) =>
    sendPacket(jobs, `jobs.count:1|c|#worker:A,pod:${pod},${constant}${more}`, NOW);
  send('1', '');
  send('2', '');
  expect(jobs.counts.cut).toBe(0);
  send('3', ',zone:z');
  send('3', ',zone:z');
  expect(jobs.counts.cut).toBe(2);
  const { labels } = jobs.registry.seriesOf(metric('jobs.count'), NOW).at(-1)!;
  expect(labels).toEqual(
    expect.arrayContaining([
      ['pod', '3'],
      ['worker', 'A'],
    ])
  );
  expect(labels).toHaveLength(33);
});

test('a flood of summaries with values far apart stays within the budget, and tells no wrong quantile', () => {
  const registry = new StatsdRegistry({ series: 100_000, expireSeconds: 600 }, 2_000_000);
  const { metric: perform } = statsdNameOf('jobs.perform')!;
  for (let round = 0; round < 40; round += 1) {
    for (let index = 0; index < 1000; index += 1) {
      const found = registry.seriesFor({ metric: perform, namespace: 'a' }, `worker:W${index}`, NOW + round);
      const line = { name: '', type: 'ms' as const, values: [1.3 ** (round + (index % 7))], rate: 1, tags: '' };
      if (found) {
        registry.take(found.series, line, NOW + round);
      }
    }
  }
  expect(registry.budget.taken).toBeLessThanOrEqual(2_000_000);
  expect(registry.budget.refused).toBeGreaterThan(0);
  for (const { timing } of registry.seriesOf(perform, NOW + 40)) {
    const { summary, buckets } = timing!;
    expect(summary.count).toBe(40);
    expect(buckets.reduce((sum, count) => sum + count, 0)).toBe(40);
    const [p50] = summary.quantiles([0.5], NOW + 40);
    expect(Number.isNaN(p50) || Math.abs(p50! / (1.3 ** 20 / 1000) - 1) < 5).toBe(true);
  }
  // What is forgotten gives its memory back.
  registry.seriesOf(perform, NOW + 700);
  expect(registry.budget.taken).toBe(0);
});

describe('the sliding summary', () => {
  // statsd_exporter, sent the same lines.
  test.each([
    ['two', [100, 10_000], { 0.5: 0.1, 0.9: 10, 0.99: 10 }],
    ['ten', Array.from({ length: 10 }, (_, index) => 100 * (index + 1)), { 0.5: 0.5, 0.9: 0.9, 0.99: 1 }],
    ['fifty', Array.from({ length: 50 }, (_, index) => 10 * (index + 1)), { 0.5: 0.25, 0.99: 0.5 }],
    ['one', [300], { 0.5: 0.3, 0.99: 0.3 }],
  ])('of %s values has those that Prometheus takes', (_, values, expected) => {
    const registry = new StatsdRegistry({ series: 10, expireSeconds: 600 }, 2_000_000);
    const { metric: perform } = statsdNameOf('jobs.perform')!;
    const { series } = registry.seriesFor({ metric: perform, namespace: 'a' }, 'worker:W', NOW)!;
    registry.take(series, { name: '', type: 'ms', values, rate: 1, tags: '' }, NOW);
    for (const [q, value] of Object.entries(expected)) {
      const [found] = registry.seriesOf(perform, NOW)[0]!.timing!.summary.quantiles([Number(q)], NOW);
      expect(Math.abs(found! / value - 1), q).toBeLessThan(0.006);
    }
  });

  test('its quantiles are within half a percent of the true ones', () => {
    const summary = new SlidingSummary(new MemoryBudget(1_000_000));
    for (let index = 1; index <= 10_000; index += 1) {
      summary.observe(index / 1000, 1, NOW + (index % 480));
    }
    const [p50, p90, p99] = summary.quantiles([0.5, 0.9, 0.99], NOW + 480);
    expect(Math.abs(p50! / 5 - 1)).toBeLessThan(0.0051);
    expect(Math.abs(p90! / 9 - 1)).toBeLessThan(0.0051);
    expect(Math.abs(p99! / 9.9 - 1)).toBeLessThan(0.0051);
  });

  test('its quantiles are as exact where one execution took a million times as long as the others', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -6, max: 8, noNaN: true }), { minLength: 1, maxLength: 60 }), (powers) => {
        const values = powers.map((power) => 10 ** power).sort((a, b) => a - b);
        const summary = new SlidingSummary(new MemoryBudget(1_000_000));
        values.forEach((value, index) => summary.observe(value, 1, NOW + index));
        const wanted = [0.5, 0.9, 0.95, 0.99];
        summary.quantiles(wanted, NOW + 60).forEach((found, index) => {
          const truth = values[Math.ceil(wanted[index]! * values.length - 1e-9) - 1]!;
          expect(Math.abs(found / truth - 1)).toBeLessThan(0.0051);
        });
      })
    );
    const one = new SlidingSummary(new MemoryBudget(1_000_000));
    one.observe(0.005, 999, NOW);
    one.observe(3600, 1, NOW);
    // As statsd_exporter 0.31 has it.
    expect(one.quantiles([0.5, 0.99], NOW).map((value) => Number(value.toPrecision(2)))).toEqual([0.005, 0.005]);
  });

  test('what is older than ten minutes is gone from quantiles, not from sum and count', () => {
    const summary = new SlidingSummary(new MemoryBudget(1_000_000));
    summary.observe(9, 1, NOW);
    summary.observe(1, 1, NOW + 400);
    expect(summary.quantiles([0.99], NOW + 601)[0]).toBeCloseTo(1, 2);
    expect(summary.quantiles([0.5], NOW + 2000)).toEqual([NaN]);
    expect(summary).toMatchObject({ sum: 10, count: 2 });
  });
});

describe('tags', () => {
  test('without a name make no label, whatever their value', () => {
    expect(parseTags(':x,worker:A,::,:')).toEqual([['worker', 'A']]);
    expect(parseTags('')).toEqual([]);
  });

  test('become labels by any name that JavaScript has a property of', () => {
    expect(labelsOf('constructor:a,toString:b,hasOwnProperty:c').labels).toEqual([
      ['constructor', 'a'],
      ['hasOwnProperty', 'c'],
      ['toString', 'b'],
    ]);
  });

  // As with statsd_exporter 0.31: a client puts the tags of its settings before those of the call.
  test('of one name keep the last value, and count what is lost', () => {
    expect(labelsOf('a:1,a:2,b-c:3,b.c:4')).toEqual({
      labels: [
        ['a', '2'],
        ['b_c', '4'],
      ],
      cut: 2,
    });
    expect(labelsOf('worker:host-1,env:prod,worker:HardJob,worker:').labels).toEqual([
      ['env', 'prod'],
      ['worker', 'HardJob'],
    ]);
  });

  test('are cut between characters', () => {
    const [[, value] = []] = labelsOf(`a:${'x'.repeat(199)}🚀`).labels;
    expect(value).toBe('x'.repeat(199));
    expect(labelsOf(`a:${'x'.repeat(198)}🚀`).labels[0]![1]).toBe(`${'x'.repeat(198)}🚀`);
  });
});

describe('line ends', () => {
  test('of CR LF belong to no value', () => {
    const jobs = receive();
    sendPacket(jobs, 'a.jobs.count:1|c|#queue:q,worker:A\r\na.jobs.count:1|c\r\n\r\n', NOW);
    expect(jobs.counts).toMatchObject({ lines: 2, malformed: 0 });
    expect(jobs.registry.seriesOf(metric('jobs.count'), NOW).map(({ labels, value }) => [labels, value])).toEqual([
      [
        [
          ['queue', 'q'],
          ['worker', 'A'],
        ],
        1,
      ],
      [[], 1],
    ]);
  });
});

describe('the limit on label sets', () => {
  const flood = (jobs: StatsdIntake, from: number, count: number, now: number, wire = 'jobs.count') => {
    for (let index = from; index < from + count; index += 1) {
      sendPacket(jobs, `${wire}:1|c|#worker:W${index}`, now);
    }
  };

  test('is each metric’s own', () => {
    const jobs = new StatsdIntake({ series: 10, expireSeconds: 600 });
    flood(jobs, 0, 50, NOW);
    flood(jobs, 0, 5, NOW, 'jobs.success');
    expect(jobs.registry.seriesOf(metric('jobs.success'), NOW)).toHaveLength(5);
    expect(jobs.counts.dropped).toBe(40);
  });

  test('gives the place of what was silent for ten minutes to what is new', () => {
    const jobs = new StatsdIntake({ series: 2, expireSeconds: 6000 });
    sendPacket(jobs, 'jobs.count:1|c|#worker:silent', NOW);
    sendPacket(jobs, 'jobs.count:1|c|#worker:alive', NOW + 1);
    sendPacket(jobs, 'jobs.count:1|c|#worker:alive', NOW + 500);
    flood(jobs, 0, 1, NOW + 599);
    expect(jobs.counts.dropped).toBe(1);
    flood(jobs, 1, 1, NOW + 600);
    expect(jobs.counts.dropped).toBe(1);
    const names = jobs.registry.seriesOf(metric('jobs.count'), NOW + 601).map(({ labels }) => labels[0]![1]);
    expect(names).toEqual(['alive', 'W1']);
    expect(jobs.registry.size).toBe(2);
    // What is known by its text is looked up anew.
    sendPacket(jobs, 'jobs.count:1|c|#worker:silent', NOW + 602);
    expect(jobs.counts.dropped).toBe(2);
  });
});

test('the minutes of a month are bounded to eight hours', () => {
  const jobs = new StatsdIntake({ series: 10, expireSeconds: 600 });
  for (let minute = 0; minute < 30 * 1440; minute += 1) {
    sendPacket(jobs, 'jobs.perform:5|ms|#worker:A', NOW + minute * 60);
  }
  const end = NOW + 30 * 86_400;
  const filled = jobs.minutes.read(NOW, end).filter(({ classes }) => classes.size > 0);
  expect(filled.length).toBe(8 * 60 + 1);
});

describe('minutes of what arrived', () => {
  test('count executions, failures and durations by class, weighted by the sample rate', () => {
    const jobs = receive(
      'jobs.count:1|c|@0.5|#worker:A',
      'jobs.failure:1|c|#worker:A,error_type:E',
      'jobs.perform:20:400000|ms|@0.5|#worker:A',
      'jobs.success:1|c|#worker:A',
      'jobs.count:7|c'
    );
    const [minute, next] = jobs.minutes.read(NOW, NOW + 60);
    expect(minute!.classes.get('A')).toMatchObject({ processed: 2, failed: 1, milliseconds: 800_040 });
    expect([...minute!.classes.keys()]).toEqual(['A']);
    expect(next!.classes.size).toBe(0);
    const [durations] = jobs.minutes.readDurations(['A', 'B'], [minute!]);
    // Sidekiq's bounds are exclusive: 20 ms lie in the second bucket.
    expect(durations!.counts[1]).toBe(2);
    expect(durations!.counts[25]).toBe(2);
    expect(durations).toMatchObject({ startsAt: minute!.startsAt, jobClass: 'A' });
    expect(jobs.minutes).toMatchObject({ firstAt: NOW, lastAt: NOW });
  });

  test('know when the first and the last duration arrived', () => {
    const jobs = receive('jobs.count:1|c|#worker:A');
    expect(jobs.minutes).toMatchObject({ firstAt: NOW, lastAt: 0 });
    sendPacket(jobs, 'jobs.perform:-5|ms|#worker:A', NOW + 70);
    expect(jobs.minutes).toMatchObject({ firstAt: NOW, lastAt: NOW + 70 });
    expect(jobs.minutes.read(NOW + 70, NOW + 70)[0]!.classes.get('A')!.milliseconds).toBe(0);
  });
});

test('every metric has a name for Prometheus, its kind and help', () => {
  expect(STATSD_METRICS.map(({ wire, name, kind, labels }) => `${kind} ${wire} ${name}{${labels.join(',')}}`)).toEqual([
    'counter jobs.count jobs_count{queue,worker}',
    'counter jobs.success jobs_success{queue,worker}',
    'counter jobs.failure jobs_failure{queue,worker,error_type}',
    'timing jobs.perform jobs_perform{queue,worker}',
    'timing jobs.perform_dist jobs_perform_dist{queue,worker}',
    'counter jobs.expired jobs_expired{class}',
    'counter jobs.poison jobs_poison{queue,class}',
    'counter jobs.recovered.fetch jobs_recovered_fetch{queue,class}',
    'counter jobs.recovered.push jobs_recovered_push{}',
    'counter batch.created batch_created{}',
    'counter batch.complete batch_complete{}',
    'counter batch.success batch_success{}',
    'timing batch.duration batch_duration{}',
    'timing batch.duration_dist batch_duration_dist{}',
    'gauge processed processed{}',
    'gauge failures failures{}',
    'gauge enqueued enqueued{}',
    'gauge retries retries{}',
    'gauge dead dead{}',
    'gauge scheduled scheduled{}',
    'gauge busy busy{}',
    'gauge queue.size queue_size{queue}',
    'gauge queue.latency queue_latency{queue}',
  ]);
});

describe('what no counter survives', () => {
  const value = (...lines: string[]) => receive(...lines).registry.seriesOf(metric('jobs.count'), NOW)[0]?.value;

  test.each([
    ['a gauge', 'jobs.count:3|g'],
    ['a timing', 'jobs.count:-9|ms'],
    ['a negative value', 'jobs.count:-2|c'],
    ['a sample rate that makes any number infinite', 'jobs.count:0|c|@1e-320'],
    ['a value beyond what adds up exactly', 'jobs.count:1e300|c'],
    ['an infinite value', 'jobs.count:1e999|c'],
  ])('%s leaves it as it is and counts as malformed', (_, line) => {
    const jobs = receive('jobs.count:5|c', line);
    expect(jobs.registry.seriesOf(metric('jobs.count'), NOW)[0]!.value).toBe(5);
    expect(jobs.counts.malformed).toBe(1);
  });

  test('what is malformed tells the metric and the type', () => {
    const jobs = new StatsdIntake({ series: 10, expireSeconds: 600 });
    expect(sendPacket(jobs, 'x.jobs.count:3|g', NOW)).toEqual({
      text: 'x.jobs.count:3|g',
      problem: 'jobs.count is a counter, and was sent as type g',
    });
  });

  test('a distribution is a timing', () => {
    expect(value('jobs.count:1|c')).toBe(1);
    expect(receive('jobs.perform:5|d').registry.seriesOf(metric('jobs.perform'), NOW)).toHaveLength(1);
  });
});

test.each([
  [
    'InfluxDB',
    'app.jobs.count,worker=Bills::Job,queue=q:1|c',
    [
      ['queue', 'q'],
      ['worker', 'Bills::Job'],
    ],
  ],
  [
    'Librato',
    'app.jobs.count#worker=A,queue=q:1|c',
    [
      ['queue', 'q'],
      ['worker', 'A'],
    ],
  ],
  [
    'SignalFx',
    'app.jobs.count[worker=A,queue=q]:1|c',
    [
      ['queue', 'q'],
      ['worker', 'A'],
    ],
  ],
  [
    'DogStatsD beside',
    'app.jobs.count,worker=A:1|c|#queue:q',
    [
      ['queue', 'q'],
      ['worker', 'A'],
    ],
  ],
])('tags as clients for %s write them are read', (_, line, labels) => {
  const jobs = receive(line);
  expect(jobs.registry.seriesOf(metric('jobs.count'), NOW)).toMatchObject([{ labels, value: 1 }]);
});

test.each(['\r', '\0', '\r\0'])('a line may end in %j', (end) => {
  expect(receive(`jobs.count:1|c${end}\njobs.count:2|c${end}`).counts).toMatchObject({ lines: 2, malformed: 0 });
});

test('durations from the shortest to the longest take a bounded store', () => {
  const jobs = receive(...Array.from({ length: 200 }, (_, power) => `jobs.perform:1e${power / 10}|ms`));
  const [series] = jobs.registry.seriesOf(metric('jobs.perform'), NOW);
  expect(jobs.registry.budget.taken).toBeLessThan(20_000);
  // 1e15.9 ms are the longest that a line may carry; the quantile ends at what is kept of them.
  expect(series!.timing!.summary.quantiles([0.5], NOW)[0]).toBeGreaterThan(1e3);
});

test('classes of all minutes are bounded, and the oldest minutes go first', () => {
  const jobs = new StatsdIntake({ series: 5000, expireSeconds: 1e6 });
  for (let minute = 0; minute < 120; minute += 1) {
    for (let index = 0; index < 2000; index += 1) {
      sendPacket(jobs, `jobs.perform:5|ms|#worker:W${index}`, NOW + minute * 60);
    }
  }
  const filled = jobs.minutes.read(NOW, NOW + 120 * 60).filter(({ classes }) => classes.size > 0);
  expect(filled.reduce((sum, { classes }) => sum + classes.size, 0)).toBe(200_000);
  expect(filled[filled.length - 1]!.startsAt).toBe(Math.floor(NOW / 60) * 60 + 119 * 60);
});

test('a known line whose series was pushed out by the line before it in the packet is dropped, not lost', () => {
  const jobs = new StatsdIntake({ series: 1, expireSeconds: 6000 });
  sendPacket(jobs, 'jobs.count:1|c|#worker:old\njobs.count:1|c|#worker:old', NOW);
  sendPacket(jobs, 'jobs.count:1|c|#worker:new\njobs.count:1|c|#worker:old', NOW + 601);
  expect(jobs.counts.dropped).toBe(1);
});
