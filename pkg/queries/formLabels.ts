/**
 * The labels of options in the forms of the query types; an option that is left out has its own name there, or no field. The
 * forms' texts can be translated, errors are English, so the English labels stand here once more.
 */
export const OPTION_LABELS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  capacity: { by: 'Group by' },
  compare: { by: 'Group by', with: 'Compare with', measures: 'Compared figures', at: 'Instant' },
  errors: { groupBy: 'Group by' },
  events: { kinds: 'Events' },
  history: { by: 'Group by', aggregate: 'Point' },
  job: { source: 'Jobs of' },
  objectives: { by: 'Group by' },
  job_metrics: { by: 'Group by', show: 'Format', sortBy: 'Top by', origin: 'Source' },
  jobs: { source: 'Jobs of', minAgeSeconds: 'Min. age (s)' },
  what_if: { by: 'Group by', arrivals: 'Work', runTime: 'Run time', own: 'Own threads' },
};

/**
 * An error for readers of Grafana: it goes on with the label of the option that it names.
 *
 * @param queryType as the query has it; that of another type has no labels
 */
export function withOptionLabels(sentence: string, queryType: string): string {
  const labels = Object.hasOwn(OPTION_LABELS, queryType) ? OPTION_LABELS[queryType]! : {};
  const [, option = ''] = /\b(?:query's|option) "([A-Za-z]+)(?:\.[\w.]*)?"/.exec(sentence) ?? [];
  return Object.hasOwn(labels, option) ? `${sentence} In the form "${option}" is "${labels[option]}".` : sentence;
}
