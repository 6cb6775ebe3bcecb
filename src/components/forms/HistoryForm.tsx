import { t } from '@grafana/i18n';
import type { HistoryQuery } from '../../../pkg/queries/history';
import type { FormProps } from './form';
import { SelectOption } from './OptionFields';

function by(): Array<{ value: NonNullable<HistoryQuery['by']>; label: string; description?: string }> {
  return [
    { value: 'total', label: t('forms.history.by.total.label', 'In total') },
    { value: 'queue', label: t('forms.history.by.queue.label', 'By queue') },
    { value: 'workerType', label: t('forms.history.by.workerType.label', 'By worker type') },
    {
      value: 'day',
      label: t('forms.history.by.day.label', 'By day'),
      description: t('forms.history.by.day.description', 'Sidekiq’s own counters, up to five years'),
    },
  ];
}

/** What a series is. */
export function HistoryForm({ query, change }: FormProps<Partial<HistoryQuery>>) {
  return (
    <SelectOption
      id="history-by"
      label={t('forms.history.series.label', 'Series')}
      help={t('forms.history.series.help', 'In total, or one series for each.')}
      value={query.by ?? 'total'}
      options={by()}
      onChange={(by) => change({ by })}
    />
  );
}
