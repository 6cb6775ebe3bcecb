import { expect, test } from 'vitest';
import english from '../../../src/locales/en-US/jobwatch-sidekiq-datasource.json';
import { Fault } from '../../../pkg/faults/fault';
import { refuse } from '../../../pkg/plugin/data';
import { FORM_LABELS, withFormLabels } from '../../../pkg/settings/formLabels';
import { optionsSchema, SECRET_NAMES } from '../../../pkg/settings/model';

type Texts = Record<string, Record<string, string> | string | undefined>;
const texts = english.config as unknown as Texts;

/** Under which key the form's text of a setting stands, where that is not its name and `label`. */
const ELSEWHERE: Record<string, [string, string]> = {
  username: ['user', 'label'],
  workerTypes: ['workerTypes', 'queues'],
  cadences: ['cadences', 'title'],
  links: ['links', 'title'],
};

/** What only provisioning sets. */
const WITHOUT_FORM = ['samplerEnabled', 'historyFileMode', 'socketMode'];

test.each(['url', 'username', ...Object.keys(optionsSchema.shape), ...SECRET_NAMES])(
  'the label of %s in errors is that of the form',
  (name) => {
    const [key, part] = ELSEWHERE[name] ?? [name, 'label'];
    const shown = (texts[key] as Record<string, string> | undefined)?.[part];
    expect(FORM_LABELS[name as keyof typeof FORM_LABELS]).toBe(WITHOUT_FORM.includes(name) ? undefined : shown);
    expect(shown === undefined).toBe(WITHOUT_FORM.includes(name));
  }
);

test('an error names a setting by its name, and by its label in the form', () => {
  const fault = new Fault({
    kind: 'settings',
    message: 'The setting "sampleSeconds" is not valid: it must be at least 1.',
    remedy: 'Correct it.',
  });
  expect(refuse(fault, 'A').error).toBe(
    'The setting "sampleSeconds" is not valid: it must be at least 1. Correct it. In the form "sampleSeconds" is "Sampling interval (seconds)".'
  );
});

test('other quoted words stay as they are', () => {
  const sentence = 'The queue "database" has no "latencySeconds"; "toString" and "URL" are no settings.';
  expect(withFormLabels(sentence)).toBe(sentence);
  expect(withFormLabels('The setting "database" is not valid.')).toBe(
    'The setting "database" is not valid. In the form "database" is "Database".'
  );
  expect(withFormLabels('For longer times set a history file ("historyFile").')).toBe(
    'For longer times set a history file ("historyFile"). In the form "historyFile" is "History file".'
  );
});
