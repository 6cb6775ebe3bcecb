import { t } from '@grafana/i18n';
import type { HistoryQuery } from '../../../pkg/queries/history';
import type { FormProps } from './form';
import { SelectOption } from './OptionFields';

function by(): Array<{ value: NonNullable<HistoryQuery['by']>; label: string; description?: string }> {
  return [
    { value: 'total', label: t('forms.history.by.total.label', 'In total') },
    { value: 'queue', label: t('forms.history.by.queue.label', 'By queue') },
    { value: 'workerType', label: t('forms.history.by.workerType.label', 'By worker type') },
    { value: 'class', label: t('forms.history.by.class.label', 'By job class') },
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

function band(): Array<{ value: NonNullable<HistoryQuery['band']>; label: string; description?: string }> {
  return [
    { value: 'none', label: t('forms.history.band.none.label', 'None') },
    {
      value: 'usual',
      label: t('forms.history.band.usual.label', 'Usual'),
      description: t('forms.history.band.usual.description', 'The band that holds 95% of the values at this hour'),
    },
    {
      value: 'deviation',
      label: t('forms.history.band.deviation.label', 'Deviation'),
      description: t(
        'forms.history.band.deviation.description',
        'By how many times the width of the band the figure lies outside: one figure for an alert rule'
      ),
    },
  ];
}

function compare(): Array<{ value: NonNullable<HistoryQuery['compare']>; label: string }> {
  return [
    { value: 'none', label: t('forms.history.compare.none.label', 'None') },
    { value: 'day', label: t('forms.history.compare.day.label', 'Day before') },
    { value: 'week', label: t('forms.history.compare.week.label', 'Week before') },
  ];
}

/** What a series is, and what a point of it tells. */
export function HistoryForm({ query, change }: FormProps<Partial<HistoryQuery>>) {
  return (
    <>
      <SelectOption
        id="history-by"
        label={t('forms.history.series.label', 'Group by')}
        help={t('forms.history.series.help', 'In total, or one series for each.')}
        value={query.by ?? 'total'}
        options={by()}
        onChange={(by) => change({ by, ...(by === 'day' && { band: 'none' as const, compare: 'none' as const }) })}
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
          onChange={(aggregate) => change({ aggregate, ...(aggregate !== 'mean' && { band: 'none' as const }) })}
        />
      )}
      {query.by !== 'day' && (query.aggregate ?? 'mean') === 'mean' && (
        <SelectOption
          id="history-band"
          label={t('forms.history.band.label', 'Band')}
          help={t(
            'forms.history.band.help',
            'What is usual at this hour of the week, or of the day while there are less than three weeks of history. Points are then of five minutes at least.'
          )}
          value={query.band ?? 'none'}
          options={band()}
          onChange={(band) => change({ band, ...(band === 'deviation' && { compare: 'none' as const }) })}
        />
      )}
      {query.by !== 'day' && query.band !== 'deviation' && (
        <SelectOption
          id="history-compare"
          label={t('forms.history.compare.label', 'Compare')}
          help={t('forms.history.compare.help', 'Draws the same figure of another day beside it, as a dashed line.')}
          value={query.compare ?? 'none'}
          options={compare()}
          onChange={(compare) => change({ compare })}
        />
      )}
    </>
  );
}
