import { t } from '@grafana/i18n';
import type { FindingsQuery } from '../../../pkg/queries/findings';
import type { FormProps } from './form';
import { SelectOption } from './OptionFields';
import { ShownOption } from './ShownOption';

function severities(): Array<{ value: NonNullable<FindingsQuery['severity']>; label: string }> {
  return [
    { value: 'info', label: t('forms.findings.severities.info.label', 'All') },
    { value: 'warning', label: t('forms.findings.severities.warning.label', 'Warnings and critical') },
    { value: 'critical', label: t('forms.findings.severities.critical.label', 'Critical') },
  ];
}

/** How much a finding must matter, and whether its data source is named. */
export function FindingsForm({ query, change }: FormProps<Partial<FindingsQuery>>) {
  return (
    <>
      <SelectOption
        id="findings-severity"
        label={t('forms.findings.severity.label', 'Severity')}
        help={t('forms.findings.severity.help', 'The least severity to show.')}
        value={query.severity ?? 'info'}
        options={severities()}
        onChange={(severity) => change({ severity })}
      />
      <ShownOption
        id="findings-installation"
        label={t('forms.findings.installation.label', 'Installation')}
        help={t(
          'forms.findings.installation.help',
          'A column with the name of the data source, for panels that ask several.'
        )}
        value={query.installation}
        onChange={(installation) => change({ installation })}
      />
    </>
  );
}
