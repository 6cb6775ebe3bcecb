import { t } from '@grafana/i18n';
import type { ContextsQuery } from '../../../pkg/queries/contexts';
import type { FormProps } from './form';
import { TextOption } from './OptionFields';

/** By which field. */
export function ContextsForm({ query, change }: FormProps<Partial<ContextsQuery>>) {
  return (
    <TextOption
      example="tenant"
      id="contexts-field"
      label={t('forms.contexts.field.label', 'Field')}
      help={t(
        'forms.contexts.field.help',
        'A field that the settings of the data source allow, or a variable. Empty for the first of them.'
      )}
      value={query.field ?? ''}
      onChange={(field) => change({ field })}
    />
  );
}
