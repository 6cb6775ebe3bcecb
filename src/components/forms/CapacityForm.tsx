import { t } from '@grafana/i18n';
import type { CapacityQuery } from '../../../pkg/queries/capacity';
import type { FormProps } from './form';
import { SelectOption } from './OptionFields';

function by(): Array<{ value: NonNullable<CapacityQuery['by']>; label: string }> {
  return [
    { value: 'workerType', label: t('forms.capacity.by.workerType.label', 'By worker type') },
    { value: 'queue', label: t('forms.capacity.by.queue.label', 'By queue') },
  ];
}

/** What makes a row. */
export function CapacityForm({ query, change }: FormProps<Partial<CapacityQuery>>) {
  return (
    <SelectOption
      id="capacity-by"
      label={t('forms.capacity.rows.label', 'Group by')}
      help={t('forms.capacity.rows.help', 'Worker types are set in the data source.')}
      value={query.by ?? 'workerType'}
      options={by()}
      onChange={(by) => change({ by })}
    />
  );
}
