import { groupBy } from '../../pkg/sidekiq/groupBy';
import type { Alert } from '../alert';
import { ALERTS } from '../alerts';
import { uidOf } from '../panel';
import { subjectOf } from '../subjects';

/** Labels of what is wrong, made of those of an alert. */
export const SENTENCE_LABELS = ['finding', 'path', 'of_job', 'then', 'of', 'ending', 'linked'] as const;

/** A sentence, and the dashboard that tells more of it. */
interface Told {
  name: string;
  sentence: string;
  path: string;
  /** What stands between the instance and the subject in the address. */
  ending: string;
  /** Labels of Prometheus: that in the sentence, and that whose value ends the path. */
  inSentence: string | undefined;
  inPath: string | undefined;
}

const LABEL = /\{\{ \$labels\.(\w+) \}\}/;

const TOLD = ALERTS.filter(({ prometheus }) => prometheus).map((alert): Told => {
  const { name, summary, dashboard } = alert;
  const subject = subjectOf(alert);
  const [, inSummary] = LABEL.exec(summary) ?? [];
  return {
    name,
    sentence: summary.replace(LABEL, '$$1'),
    path: `/d/${uidOf(dashboard, 'prometheus')}?var-datasource=\${datasource}&\${__url_time_range}`,
    ending: subject ? `&var-${subject.variable}=` : '',
    inSentence: inSummary && labelOf(alert, inSummary),
    inPath: subject && labelOf(alert, subject.label),
  };
});

function labelOf({ prometheus }: Alert, name: string): string {
  return prometheus?.labels?.[name] ?? name;
}

/** Labels of alerts that sentences and paths hold. */
export const ALERT_LABELS: readonly string[] = [
  ...new Set(TOLD.flatMap(({ inSentence, inPath }) => [inSentence, inPath]).filter((label) => label !== undefined)),
];

/** A label is made of one other: this one holds the name of an alert and one of its labels. */
const both = (label: string) => `alertname_${label}`;

function replaced(expr: string, label: string, text: string, source: string, regex: string): string {
  return `label_replace(${expr}, "${label}", "${text}", "${source}", "${regex}")`;
}

/**
 * Gives alerts of Prometheus the label `finding`, which is their summary, and the parts of the address of the dashboard that tells
 * more: `path`, `of_job`, `then`, `of` (the instance), `ending` and `linked` (the subject). What an alert does not have is left out.
 */
export function withSentences(expr: string): string {
  const joined = [...ALERT_LABELS, 'job', 'instance'].reduce(
    (all, label) => `label_join(${all}, "${both(label)}", "|", "alertname", "${label}")`,
    expr
  );
  const sentences = TOLD.reduce(
    (all, { name, sentence, inSentence }) =>
      inSentence === undefined
        ? replaced(all, 'finding', sentence, 'alertname', name)
        : replaced(all, 'finding', sentence, both(inSentence), `${name}\\\\|(.*)`),
    joined
  );
  const namesOf = (some: readonly Told[]) => some.map(({ name }) => name).join('|');
  const hasValue = (some: readonly Told[]) => `(?:${namesOf(some)})\\\\|(.+)`;
  const withPaths = [...groupBy(TOLD, ({ path }) => path)].reduce((all, [path, some]) => {
    const named = replaced(all, 'path', path, 'alertname', namesOf(some));
    // Without a scrape job or an instance the variable keeps all.
    return replaced(named, 'path', `${path}&var-job=`, both('job'), hasValue(some));
  }, sentences);
  const withJobs = replaced(withPaths, 'of_job', '$1', both('job'), hasValue(TOLD));
  const withNext = replaced(withJobs, 'then', '&var-instance=', both('instance'), hasValue(TOLD));
  const withTargets = replaced(withNext, 'of', '$1', both('instance'), hasValue(TOLD));
  const withEndings = [...groupBy(TOLD, ({ ending }) => ending)].reduce(
    (all, [ending, some]) => (ending === '' ? all : replaced(all, 'ending', ending, 'alertname', namesOf(some))),
    withTargets
  );
  return [...groupBy(TOLD, ({ inPath }) => inPath)].reduce(
    (all, [label, some]) =>
      label === undefined ? all : replaced(all, 'linked', '$1', both(label), `(?:${namesOf(some)})\\\\|(.*)`),
    withEndings
  );
}
