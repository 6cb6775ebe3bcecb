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

function aggregate(): Array<{ value: NonNullable<HistoryQuery['aggregate']>; label: string }> {
  return [
    { value: 'mean', label: t('forms.history.aggregate.mean.label', 'Mean') },
    { value: 'max', label: t('forms.history.aggregate.max.label', 'Maximum') },
    { value: 'min', label: t('forms.history.aggregate.min.label', 'Minimum') },
  ];
}

/** What a series is, and what a point of it tells. */
export function HistoryForm({ query, change }: FormProps<Partial<HistoryQuery>>) {
  return (
    <>
      <SelectOption
        id="history-by"
        label={t('forms.history.series.label', 'Series')}
        help={t('forms.history.series.help', 'In total, or one series for each.')}
        value={query.by ?? 'total'}
        options={by()}
        onChange={(by) => change({ by })}
      />
      {query.by !== 'day' && (
        <SelectOption
          id="history-aggregate"
          label={t('forms.history.aggregate.label', 'Point')}
          help={t(
            'forms.history.aggregate.help',
            'What a point tells of its interval. The maximum keeps a short peak in a long range. Rates are always means.'
          )}
          value={query.aggregate ?? 'mean'}
          options={aggregate()}
          onChange={(aggregate) => change({ aggregate })}
        />
      )}
    </>
  );
}
