import type { DataFrame, Field, FieldType } from '@grafana/data';
import { expect, test, vi } from 'vitest';
import { fitForExplore } from '../../../src/exploreTables';

const [STRING, NUMBER] = ['string', 'number'] as unknown as [FieldType, FieldType];

vi.mock('@grafana/data', () => ({
  FieldType: { string: 'string', time: 'time', number: 'number' },
  createTheme: () => ({}),
  getDisplayProcessor:
    ({ field: { config } }: { field: Field }) =>
    (value: unknown) => ({ text: String(value), suffix: config.unit ?? '' }),
  formattedValueToString: ({ text, suffix }: { text: string; suffix: string }) => `${text} ${suffix}`.trim(),
}));
vi.mock('@grafana/i18n', () => ({ t: (_key: string, text: string) => text }));

const field = (name: string, type: FieldType, values: unknown[], config: Field['config'] = {}): Field => ({
  name,
  type,
  values,
  config,
});
const table = (...fields: Field[]): DataFrame => ({
  fields,
  length: fields[0]!.values.length,
  meta: { preferredVisualisationType: 'table' },
});
const fitted = (frame: DataFrame, name = 'queues') =>
  fitForExplore({ data: [{ ...frame, name }] }, { uid: 'ds 1', from: 1, to: 2 }).data[0] as DataFrame;

test('the row of the overview is read from top to bottom, with their units', () => {
  const others = Array.from({ length: 10 }, (_, index) => field(`n${index}`, NUMBER, [index]));
  const frame = fitted(
    table(
      field('processed', NUMBER, [38_235_133], { displayName: 'Processed', unit: 'locale' }),
      field('failureRate', NUMBER, [0.0295], { displayName: 'Failure rate', unit: 'percentunit' }),
      field('latencyMax', NUMBER, [null], { displayName: 'Longest wait', unit: 's' }),
      ...others
    ),
    'overview'
  );
  expect(frame.length).toBe(13);
  expect(frame.fields.map(({ name }) => name)).toEqual(['Figure', 'Value']);
  expect(frame.fields[0]!.values.slice(0, 4)).toEqual(['Processed', 'Failure rate', 'Longest wait', 'n0']);
  expect(frame.fields[1]!.values.slice(0, 4)).toEqual(['38235133 locale', '0.0295 percentunit', '–', '0']);
});

test('one row of another table, and few figures of the overview, stay as they are', () => {
  const many = table(...Array.from({ length: 13 }, (_, index) => field(`n${index}`, NUMBER, [1])));
  expect(fitted(many).fields).toHaveLength(13);
  const few = table(field('a', NUMBER, [1]), field('b', NUMBER, [2]));
  expect(fitted(few, 'overview')).toEqual({ ...few, name: 'overview' });
});

test('what has a dashboard of its own leads there', () => {
  const links = (name: string) =>
    fitted(table(field(name, STRING, ['mail is late.']), field('path', STRING, ['/d/sidekiq-queue?var-queue=mail'])))
      .fields[0]!.config.links;
  expect(links('finding')).toEqual([
    { title: 'Open the dashboard', url: '${__data.fields.path}&var-datasource=ds%201&from=1&to=2' },
  ]);
  expect(links('title')).toMatchObject([{ url: '${__data.fields.path}&var-datasource=ds%201' }]);
  expect(links('queue')).toBeUndefined();
});
