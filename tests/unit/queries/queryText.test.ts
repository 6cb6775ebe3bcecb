import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { parseQueryText, queryText, type WrittenQuery } from '../../../pkg/queries/queryText';
import { QUERY_TYPES, queryType } from '../../../pkg/queries/registry';
import { explanationOf } from '../../support/faults';
import fc, { runs } from '../../support/fastCheck';

const optionsOf = (id: string) => QUERY_TYPES.find((type) => type.id === id)?.options;
const written = (query: WrittenQuery) => queryText(query, queryType(query.queryType).options);
const read = (text: string) => parseQueryText(text, optionsOf);

describe('the text of a query', () => {
  test.each<[WrittenQuery, string]>([
    [{ queryType: 'queues' }, 'gpx_sidekiq query queues'],
    [
      { queryType: 'queues', figures: ['size', 'latency'], limit: 5 },
      'gpx_sidekiq query queues --figures size,latency --limit 5',
    ],
    [
      { queryType: 'busy', filters: [{ field: 'class', operator: '=~', values: ['Invoice.*', 'A::B'] }] },
      "gpx_sidekiq query busy --filter 'class=~(?:Invoice.*)|(?:A::B)'",
    ],
    [
      { queryType: 'busy', filters: [{ field: 'class', operator: '!=', values: ["it's", 'b,c'] }] },
      `gpx_sidekiq query busy --filter 'class!=["it'\\''s","b,c"]'`,
    ],
    [
      { queryType: 'errors', groupBy: ['class', 'queue'], refId: 'A', filters: [] },
      'gpx_sidekiq query errors --option groupBy=class,queue',
    ],
    [
      { queryType: 'jobs', source: 'dead', minAgeSeconds: 60 },
      'gpx_sidekiq query jobs --option source=dead --option minAgeSeconds=60',
    ],
  ])('%j is %s', (query, text) => {
    expect(written(query)).toBe(text);
  });

  const texts = fc.string({ unit: fc.constantFrom(...'ab\'"\\, $é[]=~ \n'), minLength: 1, maxLength: 8 });
  const query = fc.record({
    queryType: fc.constant('jobs'),
    figures: fc.uniqueArray(fc.constantFrom('age', 'bytes', 'retryCount'), { maxLength: 3 }),
    filters: fc.array(
      fc.record({
        field: fc.constantFrom('class', 'queue'),
        operator: fc.constantFrom('=' as const, '!=' as const),
        values: fc.array(texts, { minLength: 1, maxLength: 3 }),
      }),
      { maxLength: 2 }
    ),
    source: fc.constantFrom('queue', 'dead'),
    queue: texts,
    limit: fc.integer({ min: 1, max: 5000 }),
  });

  test.each([
    ['[a]', ['[a]']],
    ['[a],b', ['[a]', 'b']],
    ['["[a]"]', ['[a]']],
    ['["a","b,c"]', ['a', 'b,c']],
  ])('a filter by queue=%s is by %j: a name may begin with a bracket', (value, values) => {
    expect(read(`gpx_sidekiq query queues --filter 'queue=${value}'`)).toMatchObject({ filters: [{ values }] });
  });

  test('is read back as the same query, whatever its names hold', () => {
    fc.assert(
      fc.property(query, (made) => {
        expect(read(written(made))).toEqual(made);
      }),
      { numRuns: runs(2000) }
    );
  });

  test('is parted by a shell into the words that are meant', () => {
    fc.assert(
      fc.property(texts, (name) => {
        const line = written({ queryType: 'jobs', queue: name }).replace('gpx_sidekiq query', "printf '%s\\0'");
        expect(spawnSync('sh', ['-c', line], { encoding: 'utf8' }).stdout.split('\0')).toEqual([
          'jobs',
          '--option',
          `queue=${name}`,
          '',
        ]);
      }),
      { numRuns: runs(60) }
    );
  });

  test('may be pasted without the command, with a path before it, and with flags and values joined', () => {
    const expected = { queryType: 'queues', figures: ['size'], filters: [], limit: 3 };
    expect(read('queues --figures=size --limit 3')).toEqual(expected);
    expect(read('queues --json --figures=size --limit 3')).toEqual(expected);
    expect(read('  /opt/gpx_sidekiq query queues --limit=3 --figures "size" ')).toEqual(expected);
  });

  test.each([
    ['', 'There is no query type "". Write gpx_sidekiq query, a query type and its flags.'],
    ['rm -rf /', 'There is no query type "rm". Write gpx_sidekiq query, a query type and its flags.'],
    ['queues --follow', 'The word "--follow" cannot be read. Use --figures, --filter, --limit and --option.'],
    ['queues --limit abc', 'The limit "abc" is no number. Write a whole number from 1, as --limit 100.'],
    ['queues --limit -3', 'The limit "-3" is no number.'],
    ['queues --limit', 'The flag --limit has no value. Write a value behind --limit.'],
    ["queues --filter 'queue", "A quote (') does not end. Close it."],
    ['queues --option a=b', 'There is no option "a". This query type takes no options.'],
    ['queues --filter queue', 'The filter "queue" cannot be read. Write field=value'],
  ])('%j is refused', (text, told) => {
    const explanation = explanationOf(() => read(text));
    expect(explanation.startsWith(told)).toBe(true);
  });
});
