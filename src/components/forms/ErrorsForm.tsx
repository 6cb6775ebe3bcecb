import { t } from '@grafana/i18n';
import type { ErrorsQuery } from '../../../pkg/queries/errors';
import { MultiChoice } from '../MultiChoice';
import { QueryField } from '../QueryField';
import type { FormProps } from './form';
import { FormatOption } from './FormatOption';

type Group = NonNullable<ErrorsQuery['groupBy']>[number];

function groups(): Array<{ value: Group; label: string }> {
  return [
    { value: 'fingerprint', label: t('forms.errors.groups.fingerprint.label', 'Kind of failure') },
    { value: 'errorClass', label: t('forms.errors.groups.errorClass.label', 'Error') },
    { value: 'class', label: t('forms.errors.groups.class.label', 'Job class') },
    { value: 'queue', label: t('forms.errors.groups.queue.label', 'Queue') },
  ];
}

/** What makes a row. */
export function ErrorsForm({ query, change }: FormProps<Partial<ErrorsQuery>>) {
  return (
    <>
      <QueryField
        label={t('forms.errors.rowsBy.label', 'Group by')}
        help={t(
          'forms.errors.rowsBy.help',
          'One row for each combination. A kind of failure is an error class, a message without its variable parts, and a place in the code.'
        )}
      >
        <MultiChoice<Group>
          id="errors-group-by"
          width={48}
          options={groups()}
          value={query.groupBy ?? ['errorClass', 'class', 'queue']}
          onChange={(groupBy) => change({ groupBy })}
        />
      </QueryField>
      <FormatOption id="errors-format" value={query.format} onChange={(format) => change({ format })} />
    </>
  );
}
