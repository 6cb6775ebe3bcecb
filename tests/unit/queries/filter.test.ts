import { describe, expect, test } from 'vitest';
import { compileFilters } from '../../../pkg/queries/filter';
import type { Filter } from '../../../pkg/queries/filterModel';
import { baseQuerySchema, parseQuery } from '../../../pkg/queries/model';
import { QUERY_GROUPS, type QueryType } from '../../../pkg/queries/queryType';
import { LIVE_TYPES, QUERY_TYPES, queryType } from '../../../pkg/queries/registry';
import { askState, noticesOf } from '../../support/ask';
import { aState } from '../../support/state';

const keeps = (filters: Filter[], value: string | string[], fields = ['queue']) =>
  compileFilters(filters, fields)(() => value);
const by = (operator: Filter['operator'], ...values: string[]): Filter[] => [{ field: 'queue', operator, values }];

test.each([
  ['=', ['a', 'b'], 'b', true],
  ['=', ['a', 'b'], 'c', false],
  ['!=', ['a', 'b'], 'c', true],
  ['!=', ['a', 'b'], 'a', false],
  ['=~', ['a.*'], 'abc', true],
  ['=~', ['a'], 'abc', false],
  ['=~', ['b'], 'abc', false],
  ['=~', ['x', 'a.c'], 'abc', true],
  ['=~', ['a.c'], 'a\nc', true],
  ['!~', ['a.*', 'b'], 'c', true],
  ['!~', ['a.*', 'b'], 'b', false],
  ['=', [], 'anything', true],
  ['=~', [''], '', true],
] as const)('a filter %s %o on %o is %o', (operator, values, value, expected) => {
  expect(keeps(by(operator, ...values), value)).toBe(expected);
});

test('of several values one is enough, and none for an exclusion', () => {
  expect(keeps(by('=', 'b'), ['a', 'b'])).toBe(true);
  expect(keeps(by('!=', 'b'), ['a', 'b'])).toBe(false);
  expect(keeps(by('=', 'b'), [])).toBe(false);
  expect(keeps(by('!=', 'b'), [])).toBe(true);
});

test('all filters must keep a row, each by its own field', () => {
  const test = compileFilters([...by('=', 'a'), { field: 'class', operator: '=', values: ['C'] }], ['queue', 'class']);
  expect(test((field) => ({ queue: 'a', class: 'C' })[field]!)).toBe(true);
  expect(test((field) => ({ queue: 'a', class: 'D' })[field]!)).toBe(false);
});

test('a field that is not there is refused, one of an ad-hoc filter or without values passed over', () => {
  const unknown: Filter = { field: 'colour', operator: '=', values: ['red'] };
  expect(() => compileFilters([unknown], ['queue', 'class'])).toThrow(
    expect.objectContaining({
      kind: 'query',
      message: 'There is no field "colour" to filter by.',
      remedy: 'Filter by one of: queue, class.',
    })
  );
  expect(() => compileFilters([unknown], [])).toThrow(
    expect.objectContaining({ remedy: 'This query type takes no filters.' })
  );
  expect(keeps([{ ...unknown, adhoc: true }], 'x')).toBe(true);
  expect(keeps([{ ...unknown, values: [] }], 'x')).toBe(true);
});

test('an expression that cannot be read names the field and the reason', () => {
  expect(() => compileFilters(by('=~', '('), ['queue'])).toThrow(
    expect.objectContaining({
      kind: 'query',
      message: 'The filter on "queue" is not a regular expression: "(".',
      remedy: expect.stringMatching(/^Correct the expression \(.*missing closing \)/),
    })
  );
  // RE2, as Prometheus has it, knows no look-ahead and no back-reference.
  expect(() => compileFilters(by('=~', '(?=a)'), ['queue'])).toThrow(/not a regular expression/);
});

test('an expression that backtracks for ever elsewhere is answered', () => {
  const evil = compileFilters(by('=~', '(a+)+$'), ['queue']);
  expect(evil(() => `${'a'.repeat(5000)}!`)).toBe(false);
  const plain = compileFilters(by('=~', 'a+'), ['queue']);
  expect(plain(() => 'a'.repeat(5000))).toBe(true);
});

describe('a query', () => {
  test('has its defaults', () => {
    expect(parseQuery(baseQuerySchema, { queryType: 'queues' })).toEqual({
      queryType: 'queues',
      figures: [],
      filters: [],
      limit: 1000,
    });
  });

  test.each([
    [{ queryType: 'queues', limit: 0 }, 'limit'],
    [{ queryType: 'queues', limit: 10_001 }, 'limit'],
    [{ queryType: 'queues', limit: 1.5 }, 'limit'],
    [{ queryType: 'queues', filters: [{ field: '', operator: '=', values: [] }] }, 'filters.0.field'],
    [{ queryType: 'queues', filters: [{ field: 'a', operator: '<', values: [] }] }, 'filters.0.operator'],
    [{ queryType: 'queues', figures: 'size' }, 'figures'],
    [{ queryType: 'queues', version: 99 }, 'version'],
    [{}, 'queryType'],
    [null, 'model'],
  ])('%o is refused by its field', (raw, field) => {
    expect(() => parseQuery(baseQuerySchema, raw)).toThrow(
      expect.objectContaining({
        kind: 'query',
        message: expect.stringMatching(new RegExp(`^The query's "${field}" is not valid: .+\\.$`)),
        remedy: 'Correct the field in the query editor, or the option of the command.',
      })
    );
  });

  test('of a newer plugin says so', () => {
    expect(() => parseQuery(baseQuerySchema, { queryType: 'queues', version: 2 })).toThrow(
      /saved by a newer version of the plugin/
    );
    expect(parseQuery(baseQuerySchema, { queryType: 'queues', version: 1 })).toMatchObject({ version: 1 });
  });
});

test('a filter of the whole dashboard that a table knows nothing of is told', async () => {
  const adhoc = (field: string) => ({ field, operator: '=', values: ['payments'], adhoc: true });
  const notices = async (type: QueryType, ...filters: object[]) =>
    noticesOf(await askState(type, aState(), { query: { filters } }));
  const told = 'The ad-hoc filter by queue does not apply to Overview.';
  expect(await notices(queryType('overview'), adhoc('queue'))).toContain(told);
  expect(await notices(queryType('queues'), adhoc('queue'))).toEqual([]);
  expect(await notices(queryType('overview'), { ...adhoc('queue'), values: [] })).not.toContain(told);
});

describe('the registry', () => {
  test('has every type by its id', () => {
    expect(QUERY_TYPES.map(({ id, options }) => [id, ...options.keys()])).toEqual([
      ['findings', 'severity', 'installation'],
      ['overview'],
      ['queues'],
      ['processes'],
      ['busy', 'iteration'],
      ['capacity', 'by'],
      ['redis'],
      ['connections'],
      ['history', 'by', 'aggregate', 'band', 'compare'],
      ['objectives', 'by'],
      ['compare', 'by', 'with', 'at', 'measures'],
      [
        ...['what_if', 'by', 'arrivals', 'search', 'threads', 'processes', 'traffic', 'runTime', 'own', 'order'],
        ...['paused', 'computing', 'scaledObject', 'replicaStartSeconds', 'seed'],
      ],
      ['job_metrics', 'by', 'origin', 'show', 'sortBy', 'top'],
      ['jobs', 'source', 'queue', 'cursor', 'minAgeSeconds', 'maxAgeSeconds', 'iteration', 'format'],
      ['job', 'jid', 'source', 'queue'],
      ['backlog'],
      ['contexts', 'field'],
      ['memory'],
      ['waits'],
      ['errors', 'groupBy', 'format'],
      ['lost'],
      ['locks'],
      ['recurring'],
      ['profiles'],
      ['events', 'kinds', 'order', 'format'],
    ]);
    // Grafana's menu draws a heading wherever the group changes.
    expect([...new Set(QUERY_TYPES.map(({ group }) => group))]).toEqual(QUERY_GROUPS);
    const changes = QUERY_TYPES.filter(({ group }, index) => group !== QUERY_TYPES[index - 1]?.group);
    expect(changes).toHaveLength(QUERY_GROUPS.length);
    for (const type of QUERY_TYPES) {
      expect(queryType(type.id)).toBe(type);
    }
  });

  test('refuses what is none', () => {
    for (const id of ['nope', 'undefined', 'constructor']) {
      expect(() => queryType(id)).toThrow(
        expect.objectContaining({
          kind: 'query',
          message: `There is no query type "${id}".`,
          remedy: expect.stringMatching(/^Use one of: findings, overview, queues, /),
        })
      );
    }
  });

  test('knows which can be watched live, and by what they are filtered', () => {
    expect(LIVE_TYPES).toEqual(['overview', 'queues', 'processes', 'busy']);
    expect(Object.fromEntries(QUERY_TYPES.map(({ id, filterFields }) => [id, filterFields.join(' ')]))).toEqual({
      findings: 'severity installation finding action cause evidence kind subject rule path pathSince',
      overview: '',
      queues: 'queue state workerType',
      processes: 'process host state queues workerType tag labels version',
      busy: 'process host thread queue workerType class metricsClass jid iterationCursor',
      backlog: 'queue class metricsClass',
      jobs: 'jid class metricsClass queue errorClass errorMessage tags context batch arguments iterationCursor',
      errors: 'errorClass class queue pattern frame trend classes queues message',
      job: 'group field value',
      profiles: 'jid class metricsClass token',
      waits: 'queue class metricsClass',
      job_metrics: 'class workerType queue',
      history: 'queue workerType class',
      objectives: 'workerType queue state',
      compare: 'key figure verdict compared',
      what_if: 'workerType queue',
      capacity: 'workerType queue state',
      lost: 'process host jid class queue outcome',
      memory: 'class',
      connections: 'host name user library commands',
      contexts: 'field value queue class',
      locks: 'class queue place kind jid gem digest',
      recurring: 'name source prefix class queue schedule',
      events: 'title kind host severity subject rule tags path',
      redis: 'version role policy',
    });
  });
});

test.each([
  ['of one', ['a'.repeat(80_000)]],
  ['of many together', Array.from({ length: 100 }, () => 'a'.repeat(1000))],
])('expressions %s that are too long are refused', (_, values) => {
  expect(() => compileFilters([{ field: 'f', operator: '=~', values }], ['f'])).toThrow(/characters/);
});
