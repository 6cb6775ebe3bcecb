import { CoreApp, type DataQueryRequest, type DataSourceInstanceSettings } from '@grafana/data';
import type { TemplateSrv } from '@grafana/runtime';
import { firstValueFrom, of, toArray } from 'rxjs';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { Filter } from '../../../pkg/queries/filterModel';
import { defaultQuery } from '../../../src/defaultQuery';
import { SidekiqDataSource } from '../../../src/datasource';
import { adhocFilters, interpolateFilters } from '../../../src/interpolation';
import type { SidekiqOptions, SidekiqQuery } from '../../../src/types';
import { QUERY_TYPES } from '../../../pkg/queries/registry';
import { LIST_OPTIONS, readable } from '../../../src/storedQuery';
import { SidekiqVariables } from '../../../src/variables';

const backend = vi.hoisted(() => ({
  getResource: vi.fn<(path: string, params?: unknown) => Promise<unknown>>(),
  query: vi.fn<(request: { targets: unknown[] }) => unknown>(),
  getDataStream: vi.fn<(options: unknown) => unknown>(),
  templates: undefined as TemplateSrv | undefined,
}));

vi.mock('@grafana/runtime', () => ({
  DataSourceWithBackend: class {
    uid = 'ds1';
    getResource = backend.getResource;
    query(request: { targets: unknown[] }) {
      return backend.query(request);
    }
  },
  getTemplateSrv: () => backend.templates,
  getGrafanaLiveSrv: () => ({ getDataStream: backend.getDataStream }),
}));
vi.mock('@grafana/data', () => ({
  CoreApp: {
    Explore: 'explore',
    PanelEditor: 'panel-editor',
    Dashboard: 'dashboard',
    UnifiedAlerting: 'unified-alerting',
    CloudAlerting: 'cloud-alerting',
  },
  createTheme: () => ({}),
  getDisplayProcessor: () => (value: unknown) => ({ text: String(value) }),
  formattedValueToString: ({ text }: { text: string }) => text,
  CustomVariableSupport: class {},
  DataFrameType: { TimeSeriesMulti: 'timeseries-multi' },
  FieldType: { string: 'string', time: 'time' },
  LiveChannelScope: { DataSource: 'ds' },
  StreamingFrameAction: { Append: 'append', Replace: 'replace' },
}));
vi.mock('@grafana/i18n', () => ({ t: (_key: string, text: string) => text }));
vi.mock('../../../src/components/VariableEditor', () => ({ VariableEditor: () => null }));

describe('a query that was written by hand', () => {
  const stored = (parts: object) => ({ refId: 'A', queryType: 'queues', ...parts }) as unknown as SidekiqQuery;
  const values = { field: 'queue', operator: '=', values: ['a'] };

  test.each([
    [[{ field: 'queue', operator: '=', value: 'a' }], [{ field: 'queue', operator: '=', values: [] }]],
    [[null, 'queue', { operator: '=' }, values], [values]],
    [[{ ...values, operator: 'is', values: ['a', 1] }], [values]],
    ['queue=a', []],
    [{ queue: 'a' }, []],
  ])('with the filters %j can be edited', (filters, shown) => {
    expect(readable(stored({ filters })).filters).toEqual(shown);
    expect(readable(stored({ figures: 'size' })).figures).toEqual([]);
    expect(readable(stored({}))).toEqual(stored({}));
  });

  test.each([...LIST_OPTIONS])('%s is a list, whatever is stored', (option) => {
    const shown = (value: unknown) =>
      (readable(stored({ [option]: value })) as unknown as Record<string, unknown>)[option];
    expect(shown('one')).toEqual(['one']);
    expect(shown(['one', 2, null])).toEqual(['one']);
    expect(shown({ one: 1 })).toEqual([]);
    expect(shown(5)).toEqual([]);
  });

  test('knows all options that are lists', () => {
    const lists = QUERY_TYPES.flatMap(({ options }) =>
      [...options].flatMap(([name, form]) => (form === 'list' ? [name] : []))
    );
    expect([...LIST_OPTIONS]).toEqual([...new Set(lists)].sort());
  });

  test('is asked as it is stored, so that the backend says what is wrong', () => {
    backend.templates = templates({});
    const source = new SidekiqDataSource({ uid: 'ds1' } as DataSourceInstanceSettings<SidekiqOptions>);
    const numbers = [{ field: 'queue', operator: '=', values: [5] }];
    for (const filters of [[{ field: 'queue', operator: '=', value: 'a' }], [null], 'queue=a', numbers]) {
      expect(source.applyTemplateVariables(stored({ filters }), {}).filters).toEqual(filters);
    }
  });
});

/** Values of variables as Grafana formats them: by a function, as a regular expression, or as `{a,b}`. */
function templates(values: Record<string, string | string[]>): TemplateSrv {
  return {
    replace: (text: string, _vars: unknown, format?: unknown) =>
      text.replace(
        /\$\{(\w+)(:csv)?\}|\$(\w+)|\[\[(\w+)\]\]/g,
        (whole, a?: string, own?: string, b?: string, c?: string) => {
          const value = values[a ?? b ?? c ?? ''];
          if (value === undefined) {
            return whole;
          }
          // A format of the text goes before that of the call.
          if (own) {
            return [value].flat().join(',');
          }
          if (typeof format === 'function') {
            return (format as (found: string | string[]) => string)(value);
          }
          const list = [value].flat();
          if (format === 'regex') {
            const escaped = list.map((each) => (each === '.*' ? each : each.replace(/[.|]/g, '\\$&')));
            return escaped.length > 1 ? `(${escaped.join('|')})` : escaped[0]!;
          }
          return list.length > 1 ? `{${list.join(',')}}` : list[0]!;
        }
      ),
  } as unknown as TemplateSrv;
}

const VALUES = { queue: ['a.b', 'c'], one: 'x', all: '.*', none: [] as string[] };
const filter = (operator: Filter['operator'], ...values: string[]): Filter => ({ field: 'queue', operator, values });
const valuesOf = (each: Filter) => interpolateFilters([each], templates(VALUES), {})[0]!.values;

describe('a filter', () => {
  test.each([
    ['plain text', filter('=', 'a', 'b'), ['a', 'b']],
    ['a multi-value variable', filter('=', '$queue'), ['a.b', 'c']],
    ['the other spellings', filter('!=', '${queue}', '[[one]]'), ['a.b', 'c', 'x']],
    ['a multi-value variable of another format', filter('=', '${queue:csv}'), ['a.b', 'c']],
    ['the same in a regular expression', filter('=~', '${queue:csv}'), ['(a\\.b|c)']],
    ['All', filter('=', '$all'), []],
    ['a text that reads as All', filter('=', '.*'), ['.*']],
    ['nothing chosen', filter('=', '$none'), []],
    ['a variable within text', filter('=', 'pre_${one}'), ['pre_x']],
    ['a variable in a regular expression', filter('=~', '^$queue$'), ['^(a\\.b|c)$']],
    ['All in a regular expression', filter('=~', '$all'), []],
    ['an unknown variable', filter('=', '$unknown'), ['$unknown']],
  ])('with %s becomes its values', (_, each, expected) => {
    expect(valuesOf(each)).toEqual(expected);
  });

  test.each(['!=', '!~'] as const)('by %s All keeps nothing', (operator) => {
    const [found] = interpolateFilters([filter(operator, 'a', '$all')], templates(VALUES), {});
    expect(found).toMatchObject({ operator: '!~', values: ['.*'] });
  });

  test.each(['$queue', '${queue}', '[[queue]]', '${queue:csv}'])('of a list becomes all values of %s', (text) => {
    backend.templates = templates(VALUES);
    const source = new SidekiqDataSource({} as DataSourceInstanceSettings<SidekiqOptions>);
    const query = { refId: 'A', queryType: 'queues', figures: ['size', text] };
    expect(source.applyTemplateVariables(query, {}).figures).toEqual(['size', 'a.b', 'c']);
  });

  test('may name its field by a variable', () => {
    const [found] = interpolateFilters([{ ...filter('=', 'a'), field: '$one' }], templates(VALUES), {});
    expect(found!.field).toBe('x');
  });

  test('is made of each ad-hoc filter whose operator is known', () => {
    const adhoc = (operator: string, more = {}) => ({ key: 'class', operator, value: 'A', ...more });
    expect(
      adhocFilters([adhoc('='), adhoc('!='), adhoc('=~'), adhoc('!~'), adhoc('=|', { values: ['A', 'B'] }), adhoc('<')])
    ).toEqual([
      { field: 'class', operator: '=', values: ['A'], adhoc: true },
      { field: 'class', operator: '!=', values: ['A'], adhoc: true },
      { field: 'class', operator: '=~', values: ['A'], adhoc: true },
      { field: 'class', operator: '!~', values: ['A'], adhoc: true },
      { field: 'class', operator: '=', values: ['A', 'B'], adhoc: true },
    ]);
    expect(adhocFilters()).toEqual([]);
  });
});

/** What the backend answers. */
const ASKED = { data: [] };

describe('the data source', () => {
  let source: SidekiqDataSource;
  const request = (...targets: Array<Partial<SidekiqQuery>>) =>
    ({
      requestId: 'R',
      intervalMs: 10,
      maxDataPoints: 50,
      scopedVars: {},
      targets: targets.map((target, index) => ({ refId: 'AB'[index], queryType: 'queues', ...target })),
    }) as unknown as DataQueryRequest<SidekiqQuery>;

  beforeEach(() => {
    vi.resetAllMocks();
    backend.getDataStream.mockReturnValue(of('watched'));
    backend.templates = templates(VALUES);
    source = new SidekiqDataSource({} as DataSourceInstanceSettings<SidekiqOptions>);
  });

  test.each([
    ['now', 'dateTimeFromNow'],
    ['now/d', 'dateTimeFromNow'],
    ['now-1h', 'dateTimeAsIso'],
    ['2026-11-27T04:00:00Z', 'dateTimeAsIso'],
  ])('of a range to %s has instants in the unit %s', async (to, unit) => {
    const fields = [
      { name: 'last', config: { unit: 'dateTimeFromNow' } },
      { name: 'wait', config: { unit: 's' } },
    ];
    backend.query.mockReturnValue(of({ data: [{ fields }] }));
    const asked = {
      ...request({}),
      range: { raw: { from: 'now-6h', to } },
    } as unknown as DataQueryRequest<SidekiqQuery>;
    const answer = (await firstValueFrom(source.query(asked))) as { data: Array<{ fields: typeof fields }> };
    expect(answer.data[0]!.fields.map(({ config }) => config.unit)).toEqual([unit, 's']);
  });

  test.each([
    ['begins with the range where its first step begins before', [1000, 4000], [2000, 4000]],
    ['begins with the range where it is of one step', [1000], [2000]],
    ['stays where it begins later', [3000, 4000], [3000, 4000]],
    ['stays where more than a step lies before', [500, 1000, 4000], [500, 1000, 4000]],
    ['stays where it is empty', [], []],
  ])('a series %s', async (_, at, expected) => {
    const frame = (values: number[]) => ({
      meta: { type: 'timeseries-multi' },
      fields: [
        { name: 'time', type: 'time', config: {}, values },
        { name: 'value', type: 'number', config: {}, values: values.map(() => 1) },
      ],
    });
    backend.query.mockReturnValue(of({ data: [frame(at)] }));
    const asked = { ...request({}), range: { from: { valueOf: () => 2000 }, raw: { from: 'now-1s', to: 'now' } } };
    const answer = await firstValueFrom(source.query(asked as unknown as DataQueryRequest<SidekiqQuery>));
    expect(answer).toEqual({ data: [frame(expected)] });
  });

  test('asks the backend for what is not live, and watches what is', async () => {
    backend.query.mockReturnValue(of(ASKED));
    backend.getDataStream.mockReturnValue(of('watched'));
    const answers = source.query(request({}, { live: true, filters: [filter('=', '$queue')] }));
    expect(await firstValueFrom(answers.pipe(toArray()))).toEqual(['watched', ASKED]);
    // A person reads it; an expression asks with the interpolated query alone, which says nothing of that.
    expect(backend.query.mock.calls[0]![0].targets).toMatchObject([{ refId: 'A', reader: true }]);
    expect(source.applyTemplateVariables({ refId: 'A', queryType: 'queues' }, {})).not.toHaveProperty('reader');
    // Of annotations Grafana reads events alone, and no sentence.
    await firstValueFrom(source.query(request({ refId: 'Anno' })));
    expect(backend.query.mock.calls[1]![0].targets).toMatchObject([{ refId: 'Anno', reader: false }]);
    expect(backend.getDataStream).toHaveBeenCalledWith({
      key: 'R.B',
      addr: {
        scope: 'ds',
        namespace: 'ds1',
        path: expect.stringMatching(/^queues\/\w+$/),
        data: { queryType: 'queues', filters: [filter('=', 'a.b', 'c')], intervalMs: 1000 },
      },
      buffer: { action: 'replace' },
    });
  });

  test('appends the rows of a live overview, as many as the panel has points', () => {
    source.query(request({ live: true, queryType: 'overview' }));
    expect(backend.getDataStream.mock.calls[0]![0]).toMatchObject({ buffer: { maxLength: 50, action: 'append' } });
    expect(backend.query).not.toHaveBeenCalled();
  });

  describe('in Explore, live', () => {
    const watched = (fields: object[]) => of({ data: [{ name: 'queues', length: 1, fields, meta: {} }] });
    const time = { name: 'Time', type: 'time', config: {}, values: [1] };
    const size = { name: 'size', type: 'number', config: {}, values: [3] };
    const answer = async (target: Partial<SidekiqQuery>) => {
      backend.getDataStream.mockReturnValue(watched([time, size]));
      const asked = { ...request({ live: true, ...target }), app: CoreApp.Explore };
      return (await firstValueFrom(source.query(asked))).data[0] as { fields: object[]; meta: object };
    };

    test('rows have no column of the instant that they share', async () => {
      expect((await answer({ queryType: 'queues' })).fields).toEqual([size]);
    });

    test('chosen figures of the overview are a graph', async () => {
      const shown = await answer({ queryType: 'overview', figures: ['enqueued'] });
      expect(shown).toMatchObject({ fields: [time, size], meta: { preferredVisualisationType: 'graph' } });
      expect((await answer({ queryType: 'overview' })).meta).toEqual({});
    });
  });

  test('watches with the options of the query, at its own interval and length', () => {
    const more = { severity: 'critical', version: 1, liveEverySeconds: 30, livePoints: 7 } as Partial<SidekiqQuery>;
    source.query(request({ live: true, queryType: 'overview', ...more }));
    const [options] = backend.getDataStream.mock.calls[0] as [{ addr: { data: object }; buffer: object }];
    expect(options.addr.data).toEqual({
      queryType: 'overview',
      severity: 'critical',
      version: 1,
      filters: [],
      intervalMs: 30_000,
    });
    expect(options.buffer).toEqual({ maxLength: 7, action: 'append' });
  });

  test('asks once for a range that has ended, though the query is live', () => {
    backend.query.mockReturnValue(of(ASKED));
    for (const [to, isLive] of [
      ['now', true],
      ['now/d', true],
      ['now-2h', false],
      [new Date(0), false],
    ] as const) {
      backend.getDataStream.mockClear();
      source.query({ ...request({ live: true }), range: { raw: { from: 'now-6h', to } } } as never);
      expect(backend.getDataStream.mock.calls.length > 0, String(to)).toBe(isLive);
    }
  });

  test('asks once within a panel of "Mixed", which waits for the end of each stream', () => {
    backend.query.mockReturnValue(of(ASKED));
    source.query({ ...request({ live: true }), requestId: 'mixed-0-Q101' });
    expect(backend.getDataStream).not.toHaveBeenCalled();
    expect(backend.query).toHaveBeenCalledOnce();
  });

  test('never asks for a push more than once a second', () => {
    source.query(request({ live: true, liveEverySeconds: 0 }));
    expect(backend.getDataStream.mock.calls[0]![0]).toMatchObject({ addr: { data: { intervalMs: 1000 } } });
  });

  test('shares a channel among equal queries only', () => {
    source.query(request({ live: true }, { live: true, filters: [filter('=', 'x')] }));
    source.query(request({ live: true }));
    const [first, other, again] = backend.getDataStream.mock.calls.map(
      ([options]) => (options as { addr: { path: string } }).addr.path
    );
    expect(again).toBe(first);
    expect(other).not.toBe(first);
  });

  test('runs no hidden query and none without a type', () => {
    expect(source.filterQuery({ refId: 'A', queryType: 'queues' })).toBe(true);
    expect(source.filterQuery({ refId: 'A', queryType: 'queues', hide: true })).toBe(false);
    expect(source.filterQuery({ refId: 'A', queryType: '' })).toBe(false);
  });

  test('has one table of long texts or many columns fitted in Explore, and leaves small tables, several and panels as they are', async () => {
    const table = (...texts: string[]) => ({
      name: 'x',
      length: texts.length,
      meta: { preferredVisualisationType: 'table' },
      fields: [
        { name: 'text', type: 'string', config: { custom: { hideFrom: {} } }, values: texts },
        { name: 'since', type: 'time', config: {}, values: texts.map(() => 0) },
        { name: 'state', type: 'string', config: { mappings: [] }, values: texts.map(() => 'ok') },
        { name: 'paused', type: 'boolean', config: { mappings: [] }, values: texts.map(() => false) },
      ],
    });
    const answer = async (app: string, data: object[]) => {
      backend.query.mockReturnValue(of({ data }));
      const { data: shown } = await firstValueFrom(source.query({ ...request({}), app }));
      return shown as Array<ReturnType<typeof table>>;
    };
    const long = table('short', 'x'.repeat(90));
    const [shown] = await answer('explore', [long]);
    expect(shown!.meta).toEqual({ preferredVisualisationType: 'table', preferredVisualisationPluginId: 'table' });
    expect(shown!.fields.map(({ config }) => config.custom)).toEqual([
      { hideFrom: {}, minWidth: 360, wrapText: true },
      { minWidth: 148 },
      { width: 95, cellOptions: { type: 'color-text' } },
      { minWidth: 95 },
    ]);
    const [narrow] = await answer('explore', [
      { ...long, fields: Array.from({ length: 7 }, (_, index) => ({ ...table('x').fields[2]!, name: `t${index}` })) },
    ]);
    expect(narrow!.meta).toMatchObject({ preferredVisualisationPluginId: 'table' });
    const asIs = [[long, long], [table('short')], [table()]];
    for (const data of asIs) {
      expect(await answer('explore', data)).toBe(data);
    }
    const inPanel = [long];
    expect(await answer('dashboard', inPanel)).toBe(inPanel);
  });

  test('fills variables into texts, but not into the letter of the query', () => {
    const query = { refId: '$one', queryType: 'jobs', queue: '$one', limit: 5 } as unknown as SidekiqQuery;
    expect(source.applyTemplateVariables(query, {}, [{ key: 'class', operator: '=', value: '$queue' }])).toEqual({
      refId: '$one',
      queryType: 'jobs',
      queue: 'x',
      limit: 5,
      filters: [{ field: 'class', operator: '=', values: ['a.b', 'c'], adhoc: true }],
    });
  });

  test('begins with rows in Explore, lines in a panel, one figure in a rule, and annotations with events', () => {
    // A figure here would come into every saved query that chooses none.
    expect(source.getDefaultQuery()).toEqual({ queryType: 'queues', version: 1 });
    expect(defaultQuery(CoreApp.Explore)).toMatchObject({ queryType: 'queues' });
    expect(defaultQuery(CoreApp.PanelEditor)).toMatchObject({ queryType: 'history', figures: ['enqueued', 'busy'] });
    expect(defaultQuery(CoreApp.UnifiedAlerting)).toMatchObject({ queryType: 'findings', figures: ['level'] });
    expect(source.annotations!.getDefaultQuery!()).toMatchObject({ queryType: 'events' });
    expect(new SidekiqVariables(source).getDefaultQuery()).toMatchObject({ queryType: 'queues', field: 'queue' });
  });

  test('asks for events where an annotation stores nothing yet, and for what it stores', () => {
    const ask = (target?: object) =>
      source.annotations!.prepareQuery!({ target } as Parameters<
        NonNullable<NonNullable<typeof source.annotations>['prepareQuery']>
      >[0]);
    expect(ask()).toEqual({ refId: 'annotation', queryType: 'events', version: 1 });
    expect(ask({ refId: 'Anno', queryType: 'findings' })).toMatchObject({ refId: 'Anno', queryType: 'findings' });
    expect(source.filterQuery(ask()!)).toBe(true);
  });

  test('offers the variables and the links of its dashboards to a new one', async () => {
    const variables = (await source.getDefaultVariables()) as Array<{ spec: { name: string; query: object } }>;
    expect(variables.map(({ spec }) => spec.name)).toEqual(['workerType', 'queue']);
    expect(variables[1]!.spec.query).toMatchObject({ spec: { queryType: 'queues', field: 'queue' } });
    expect(await source.getDefaultLinks()).toMatchObject([
      { type: 'dashboards', tags: ['sidekiq', 'direct', 'installation'] },
    ]);
  });

  test('puts values of variables into chosen figures', () => {
    backend.templates = templates({ quantile: 'p95' });
    const query = { refId: 'A', queryType: 'job_metrics', figures: ['$quantile', 'rate'] };
    expect(source.applyTemplateVariables(query, {})).toMatchObject({ figures: ['p95', 'rate'], refId: 'A' });
  });

  test('describes a query in one line', () => {
    const query = { refId: 'A', queryType: 'queues', figures: ['size', 'latency'], filters: [filter('!=', 'a', 'b')] };
    expect(source.getQueryDisplayText(query)).toBe('queues · size, latency · queue != a, b');
    expect(source.getQueryDisplayText({ refId: 'A', queryType: 'busy' })).toBe('busy');
    const stored = { refId: 'A', queryType: 'jobs', source: 'dead', queue: '', limit: 7, version: 1, live: false };
    expect(source.getQueryDisplayText(stored)).toBe('jobs · source dead · limit 7');
    const errors = { refId: 'A', queryType: 'errors', groupBy: ['class', 'queue'], datasource: { uid: 'x' } };
    expect(source.getQueryDisplayText(errors)).toBe('errors · groupBy class,queue');
  });

  test('loads the catalog once, and again after a failure', async () => {
    backend.getResource.mockRejectedValueOnce(new Error('away')).mockResolvedValue([]);
    await expect(source.catalog()).rejects.toThrow('away');
    await source.catalog();
    await source.catalog();
    expect(backend.getResource).toHaveBeenCalledTimes(2);
  });

  test('offers keys of the queries’ types to ad-hoc filters, and values of the first type that has the key', async () => {
    const catalog = [
      { id: 'queues', filterFields: ['queue', 'workerType'], columns: [{ name: 'workerType', title: 'Worker type' }] },
      { id: 'busy', filterFields: ['queue', 'class'], columns: [] },
    ];
    backend.getResource.mockImplementation((path) => Promise.resolve(path === 'catalog' ? catalog : ['A', 'B']));
    expect(await source.getTagKeys()).toEqual([
      { text: 'class', value: 'class' },
      { text: 'queue', value: 'queue' },
      { text: 'Worker type', value: 'workerType' },
    ]);
    const queries = [{ refId: 'A', queryType: 'busy' }];
    expect(await source.getTagKeys({ queries })).toEqual([
      { text: 'class', value: 'class' },
      { text: 'queue', value: 'queue' },
    ]);
    expect(await source.getTagValues({ key: 'class', filters: [] })).toEqual([{ text: 'A' }, { text: 'B' }]);
    expect(backend.getResource).toHaveBeenLastCalledWith('values', {
      queryType: 'busy',
      field: 'class',
      query: '{"filters":[]}',
    });
    expect(await source.getTagValues({ key: 'nothing', filters: [] })).toEqual([]);
  });
});

describe('a variable', () => {
  test('lists the values of a field, narrowed by other variables', async () => {
    backend.templates = templates(VALUES);
    const values = vi.fn().mockResolvedValue(['A', 'B']);
    const target = { refId: 'v', queryType: 'busy', field: 'class', filters: [filter('=', '$queue')] };
    const request = { targets: [target], scopedVars: {} } as unknown as DataQueryRequest<typeof target>;
    const { data } = await firstValueFrom(new SidekiqVariables({ values }).query(request));
    expect(data).toEqual([
      { text: 'A', value: 'A' },
      { text: 'B', value: 'B' },
    ]);
    expect(values).toHaveBeenCalledWith({ queryType: 'busy', field: 'class', filters: [filter('=', 'a.b', 'c')] });
  });
});
