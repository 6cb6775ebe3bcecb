import { expect, test } from 'vitest';
import { catalog } from '../../../pkg/queries/catalog';
import { fieldChoices } from '../../../src/components/queryParts';

test('a variable is offered queues, classes and hosts first, and sentences last', () => {
  const offered = fieldChoices(catalog()).map(({ label }) => label);
  const first = offered.slice(0, 25).map((label) => label.split(': ')[1]);
  expect(new Set(first)).toEqual(new Set(['Queue', 'Class']));
  expect(offered.indexOf('Findings: What to do')).toBeGreaterThan(offered.indexOf('Processes: Host'));
  expect(offered).toHaveLength(new Set(offered).size);
});

test('a field without a column of its own has the title that others give it', () => {
  const offered = fieldChoices(catalog()).map(({ label }) => label);
  expect(offered).toContain('History: Class');
  expect(offered).not.toContain('History: class');
});
