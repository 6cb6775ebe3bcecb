import { describe, expect, test } from 'vitest';
import { parseLine, parseTags } from '../../pkg/statsd/line';
import { ProJobs } from '../../pkg/statsd/proJobs';
import { PRO_METRICS, proMetricOf } from '../../pkg/statsd/metrics';
import { SlidingSummary } from '../../pkg/statsd/summary';

const NOW = 1_750_000_000;
const metric = (wire: string) => PRO_METRICS.find((each) => each.wire === wire)!;

function receive(...lines: string[]): ProJobs {
  const jobs = new ProJobs({ series: 100, expireSeconds: 600 });
  jobs.receive(lines.join('\n'), NOW);
  return jobs;
}

describe('a DogStatsD line', () => {
  test.each([
    ['a.b:1|c', { name: 'a.b', type: 'c', values: [1], rate: 1, tags: '' }],
    ['a:12.5|ms|@0.5|#queue:q', { name: 'a', type: 'ms', values: [12.5], rate: 0.5, tags: 'queue:q' }],
    ['a:1:2:3|d|#w:X::Y', { name: 'a', type: 'd', values: [1, 2, 3], rate: 1, tags: 'w:X::Y' }],
    ['a:-4|g|#a:1|c:ci-123|T1656581400|e:it-false', { name: 'a', type: 'g', values: [-4], rate: 1, tags: 'a:1' }],
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
    'a|c:1',
    'a:1:|c',
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
  ['lago-api.jobs.count', 'jobs.count'],
  ['lago-api.sidekiq.jobs.perform', 'jobs.perform'],
  ['sidekiq.sidekiq.jobs.recovered.fetch', 'jobs.recovered.fetch'],
  ['jobs.failure', 'jobs.failure'],
  ['app.sidekiq.queue.latency', 'queue.latency'],
  ['my.app.jobs.counted', undefined],
  ['my.app.processed', undefined],
])('%s is %s', (name, wire) => expect(proMetricOf(name)?.wire).toBe(wire));

test('a run of jobs becomes counters by label set, weighted by the sample rate', () => {
  const tags = '#env:production,service:sidekiq,queue:billing,worker:Bills::Job';
  const jobs = receive(
    `lago-api.jobs.count:1|c|${tags}`,
    `lago-api.sidekiq.jobs.count:1|c|@0.25|${tags}`,
    `lago-api.jobs.failure:1|c|${tags},error_type:Net::ReadTimeout`
  );
  const labels = { env: 'production', queue: 'billing', service: 'sidekiq', worker: 'Bills::Job' };
  expect(jobs.seriesOf(metric('jobs.count'), NOW)).toMatchObject([{ value: 5, labels }]);
  expect(jobs.seriesOf(metric('jobs.failure'), NOW)).toMatchObject([
    { value: 1, labels: { ...labels, error_type: 'Net::ReadTimeout' } },
  ]);
});

test('durations arrive in milliseconds and are kept in seconds, packed values one by one', () => {
  const [series] = receive('jobs.perform:20:100:400000|ms|#worker:A').seriesOf(metric('jobs.perform'), NOW);
  const { summary, buckets } = series!.timing!;
  expect(summary.count).toBe(3);
  expect(summary.sum).toBeCloseTo(400.12, 9);
  // 20 ms lies within le="0.02", as Prometheus’ bounds are inclusive; 400 s is above the last bound.
  expect(buckets[0]).toBe(1);
  expect(buckets[4]).toBe(1);
  expect(buckets[25]).toBe(1);
});

test('a gauge keeps the last value and is forgotten once its sender is silent', () => {
  const jobs = receive('sidekiq.queue.size:7|g|#queue:q', 'sidekiq.queue.size:3|g|#queue:q');
  expect(jobs.seriesOf(metric('queue.size'), NOW + 200)).toMatchObject([{ value: 3 }]);
  expect(jobs.seriesOf(metric('queue.size'), NOW + 301)).toEqual([]);
});

test('a silent counter is forgotten after the set time, and starts anew when it speaks again', () => {
  const jobs = receive('jobs.count:5|c|#worker:A');
  expect(jobs.seriesOf(metric('jobs.count'), NOW + 599)).toHaveLength(1);
  expect(jobs.seriesOf(metric('jobs.count'), NOW + 620)).toHaveLength(0);
  jobs.receive('jobs.count:2|c|#worker:A', NOW + 630);
  expect(jobs.seriesOf(metric('jobs.count'), NOW + 630)).toMatchObject([{ value: 2 }]);
});

test('label sets are capped, what is dropped is counted, known ones go on', () => {
  const jobs = receive(...Array.from({ length: 130 }, (_, index) => `jobs.count:1|c|#worker:W${index}`));
  jobs.receive('jobs.count:1|c|#worker:W0', NOW);
  expect(jobs.size).toBe(100);
  expect(jobs.counts).toMatchObject({ lines: 131, dropped: 30, malformed: 0 });
  expect(jobs.seriesOf(metric('jobs.count'), NOW)[0]!.value).toBe(2);
});

test('a flood of made-up names, tags and classes takes a bounded amount of memory', () => {
  const jobs = new ProJobs({ series: 1_000_000, expireSeconds: 600 });
  const padding = 'x'.repeat(1000);
  for (let index = 0; index < 20_000; index += 1) {
    jobs.receive(`flood.${index}.${padding}:1|c\njobs.count:1|c|#worker:W${index}`, NOW);
  }
  expect(jobs.minutes.read(NOW, NOW)[0]!.classes.size).toBe(2000);
  expect(jobs.rememberedCharacters).toBeLessThanOrEqual(8_000_000);
});

test('labels are valid, short and few, whoever sends', () => {
  const many = Array.from({ length: 30 }, (_, index) => `tag-${index}:v`).join(',');
  const [series] = receive(
    `jobs.count:1|c|#1st:x,worker:${'W'.repeat(500)},quantile:9,le:1,__name__:y,${many}`
  ).seriesOf(metric('jobs.count'), NOW);
  const names = Object.keys(series!.labels);
  expect(names).toHaveLength(16);
  expect(names.every((name) => /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name) && !name.startsWith('__'))).toBe(true);
  expect(names).not.toContain('quantile');
  expect(Math.max(...Object.values(series!.labels).map((value) => value.length))).toBeLessThanOrEqual(200);
});

test('malformed, unused and foreign lines are counted apart, and the first bad one is told', () => {
  const jobs = new ProJobs({ series: 10, expireSeconds: 600 });
  const bad = jobs.receive(
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

describe('the sliding summary', () => {
  test('its quantiles are within half a percent of the true ones', () => {
    const summary = new SlidingSummary();
    for (let index = 1; index <= 10_000; index += 1) {
      summary.observe(index / 1000, 1, NOW + (index % 480));
    }
    const [p50, p90, p99] = summary.quantiles([0.5, 0.9, 0.99], NOW + 480);
    expect(Math.abs(p50! / 5 - 1)).toBeLessThan(0.0051);
    expect(Math.abs(p90! / 9 - 1)).toBeLessThan(0.0051);
    expect(Math.abs(p99! / 9.9 - 1)).toBeLessThan(0.0051);
  });

  test('what is older than ten minutes is gone from quantiles, not from sum and count', () => {
    const summary = new SlidingSummary();
    summary.observe(9, 1, NOW);
    summary.observe(1, 1, NOW + 400);
    expect(summary.quantiles([0.99], NOW + 601)[0]).toBeCloseTo(1, 2);
    expect(summary.quantiles([0.5], NOW + 2000)).toEqual([NaN]);
    expect(summary).toMatchObject({ sum: 10, count: 2 });
  });
});
