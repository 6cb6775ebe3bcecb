import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Fault } from '../../../pkg/faults/fault';
import { refuse } from '../../../pkg/plugin/data';
import { OPTION_LABELS, withOptionLabels } from '../../../pkg/queries/formLabels';
import { runQuery } from '../../../pkg/queries/registry';
import type { Source } from '../../../pkg/source/source';
import { aState } from '../../support/state';

/** The form of each query type, as its source names the label and the option of each field. */
const FORMS: Record<string, string> = {
  capacity: 'Capacity',
  compare: 'Compare',
  contexts: 'Contexts',
  errors: 'Errors',
  events: 'Events',
  findings: 'Findings',
  history: 'History',
  job: 'Job',
  job_metrics: 'JobMetrics',
  jobs: 'Jobs',
  objectives: 'Capacity',
  what_if: 'WhatIf',
};

function labelsOf(form: string): Record<string, string> {
  const source = readFileSync(join(__dirname, `../../../src/components/forms/${form}Form.tsx`), 'utf8');
  // Of this field alone: the next label begins another one.
  const fields = /label=\{t\('[\w.]+', '([^']+)'\)\}(?:(?!label=)[\s\S])*?change\(\{ (\w+)/g;
  const listed = /field: '(\w+)',\s+label: t\('[\w.]+', '([^']+)'\)/g;
  return Object.fromEntries([
    ...[...source.matchAll(fields)].map(([, label, option]) => [option, label]),
    ...[...source.matchAll(listed)].map(([, option, label]) => [option, label]),
  ]) as Record<string, string>;
}

const isOwnName = (option: string, label: string) => option.toLowerCase() === label.toLowerCase();

test.each(Object.entries(FORMS))('the labels of options of %s in errors are those of the form', (type, form) => {
  const shown = labelsOf(form);
  expect(Object.keys(shown)).not.toHaveLength(0);
  const wanted = Object.fromEntries(Object.entries(shown).filter(([option, label]) => !isOwnName(option, label)));
  expect(OPTION_LABELS[type] ?? {}).toEqual(wanted);
});

test('every label belongs to a query type with a form', () => {
  expect(Object.keys(OPTION_LABELS).filter((type) => !(type in FORMS))).toEqual([]);
});

test.each([
  [{ queryType: 'jobs', minAgeSeconds: -1 }, '"minAgeSeconds" is "Min. age (s)"'],
  [{ queryType: 'what_if', runTime: 5 }, '"runTime" is "Run time"'],
  [{ queryType: 'errors', groupBy: ['colour'] }, '"groupBy" is "Group by"'],
])('an error of %j names the field of the form', async (query, named) => {
  const source = { state: async () => aState(), reads: () => ({}) } as unknown as Source;
  const failed = await runQuery(query, source, {
    range: { from: 0, to: 60 },
    intervalSeconds: 60,
    alerting: false,
  }).catch((error: unknown) => error);
  expect(failed).toBeInstanceOf(Fault);
  expect(refuse(failed, 'A', query.queryType).error).toContain(` In the form ${named}.`);
});

test('an option whose field has its name, and one of another type, get no hint', () => {
  expect(withOptionLabels('The query\'s "limit" is not valid.', 'jobs')).toBe('The query\'s "limit" is not valid.');
  expect(withOptionLabels('The query\'s "by" is not valid.', 'constructor')).toBe('The query\'s "by" is not valid.');
  expect(withOptionLabels('The queue "by" is empty.', 'history')).toBe('The queue "by" is empty.');
});
