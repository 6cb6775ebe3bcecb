import { describe, expect, test } from 'vitest';
import { RedisReads } from '../../../pkg/installation/redisReads';
import { runQuery } from '../../../pkg/queries/registry';
import { readValues } from '../../../pkg/queries/values';
import type { Source } from '../../../pkg/source/source';
import { aMemory, NOTHING_RECORDED } from '../../support/ask';
import { fakeRedis } from '../../support/fakeRedis';
import { aQueueState, aState, NOW } from '../../support/state';

const state = aState({
  queues: ['low', 'billing', ''].map((name) => aQueueState(name, { workerType: name === 'low' ? 'Mail' : '' })),
});
const installation = {
  now: () => NOW,
  state: () => Promise.resolve(state),
  reads: () => new RedisReads(fakeRedis(), aMemory(), state.options, NOTHING_RECORDED),
} as unknown as Source;

const values = (params: Record<string, string>) => readValues(installation, new URLSearchParams(params));

describe('values of a field', () => {
  test('are distinct, sorted and not empty', async () => {
    expect(await values({ queryType: 'queues', field: 'queue' })).toEqual(['billing', 'low']);
  });

  test('are narrowed by the filters of the query', async () => {
    const query = JSON.stringify({ filters: [{ field: 'queue', operator: '=~', values: ['b.*'] }] });
    expect(await values({ queryType: 'queues', field: 'queue', query })).toEqual(['billing']);
    expect(await values({ queryType: 'queues', field: 'queue', query: '' })).toEqual(['billing', 'low']);
  });

  test.each([
    ['history', 'queue', ['billing', 'low']],
    ['history', 'workerType', ['Mail']],
    ['capacity', 'queue', ['billing', 'low']],
    ['jobs', 'queue', ['billing', 'low']],
    ['backlog', 'queue', ['billing', 'low']],
    // Nothing lists all job ids.
    ['jobs', 'jid', []],
  ])('of %s are offered for %s, whatever else the query still lacks', async (type, field, expected) => {
    expect(await values({ queryType: type, field })).toEqual(expected);
  });

  test.each([
    [{ field: 'queue' }, /queryType/],
    [{ queryType: 'queues' }, /field/],
    [
      { queryType: 'nothing', field: 'queue' },
      /There is no query type "nothing"\..*Use one of: findings, overview, queues,/,
    ],
    [{ queryType: 'queues', field: 'size' }, /The query type "queues" has no text field "size"\. Choose from: queue/],
    [{ queryType: 'queues', field: 'queue', query: '{' }, /"query" is not JSON\. Send the query model as JSON/],
  ])('of %o cannot be read, and the message says why', async (params, text) => {
    await expect(values(params as Record<string, string>)).rejects.toMatchObject({
      kind: 'query',
      explanation: expect.stringMatching(text),
    });
  });
});

describe('a request', () => {
  const run = (from: number, to: number, intervalSeconds = 60) =>
    runQuery({ queryType: 'history', by: 'total', figures: ['enqueued'] }, installation, {
      range: { from, to },
      intervalSeconds,
      alerting: false,
    });

  test('whose range ends before it begins is refused', async () => {
    await expect(run(NOW, NOW - 1)).rejects.toMatchObject({
      kind: 'query',
      message: 'The time range ends before it begins.',
      remedy: 'Choose a range whose end is later than its beginning.',
    });
    await expect(run(NOW, NOW)).resolves.toBeDefined();
  });

  test.each([
    [-1e300, 1e300, 1e300],
    [Number.NaN, Number.NaN, Number.NaN],
    [0, Number.POSITIVE_INFINITY, 0],
    [0, NOW, -5],
  ])('of %d to %d by %d is brought within bounds', async (from, to, interval) => {
    await expect(run(from, to, interval)).resolves.toBeDefined();
  });
});
