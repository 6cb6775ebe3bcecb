import { expect, test } from 'vitest';
import { DASHBOARDS } from '../../../dashboards/dashboards';

const panels = DASHBOARDS.flatMap(({ id, rows }) =>
  rows.flatMap(({ panels: all }) => all.map((panel) => [`${id}: ${panel.title}`, panel] as const))
);

// The data source answers with a row of words where it has no rows: what the panel says is seen where the query failed.
test('no table of the data source alone denies what a failed query did not tell', () => {
  const denying = panels.filter(
    ([, { kind, noValue, prometheus }]) => kind === 'table' && noValue !== undefined && prometheus === undefined
  );
  expect(denying.map(([name]) => name)).toEqual([]);
});

test('no graph of the data source says that nothing was there', () => {
  const denying = panels.filter(
    ([, { kind, noValue = '', direct }]) =>
      kind !== 'table' && direct !== undefined && /^No job|^The queue had|^Did not/.test(noValue)
  );
  expect(denying.map(([name, { noValue }]) => [name, noValue])).toEqual([]);
});
