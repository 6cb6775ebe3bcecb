import { t } from '@grafana/i18n';
import type { CompareQuery } from '../../../pkg/queries/compare';
import type { FormProps } from './form';
import { SelectOption, TextOption } from './OptionFields';

function by(): Array<{ value: NonNullable<CompareQuery['by']>; label: string }> {
  return [
    { value: 'total', label: t('forms.compare.by.total.label', 'In total') },
    { value: 'queue', label: t('forms.compare.by.queue.label', 'By queue') },
    { value: 'workerType', label: t('forms.compare.by.workerType.label', 'By worker type') },
    { value: 'class', label: t('forms.compare.by.class.label', 'By job class') },
    { value: 'error', label: t('forms.compare.by.error.label', 'By error') },
  ];
}

function comparedWith(): Array<{ value: NonNullable<CompareQuery['with']>; label: string }> {
  return [
    { value: 'deploy', label: t('forms.compare.with.deploy.label', 'Before the last deploy') },
    { value: 'instant', label: t('forms.compare.with.instant.label', 'Before an instant') },
    { value: 'day', label: t('forms.compare.with.day.label', 'Yesterday') },
    { value: 'week', label: t('forms.compare.with.week.label', 'Last week') },
  ];
}

/** What is compared, and with which time before. */
export function CompareForm({ query, change }: FormProps<Partial<CompareQuery>>) {
  return (
    <>
      <SelectOption
        id="compare-by"
        label={t('forms.compare.series.label', 'Series')}
        help={t('forms.compare.series.help', 'In total, or one row for each.')}
        value={query.by ?? 'total'}
        options={by()}
        onChange={(by) => change({ by, measures: [] })}
      />
      <SelectOption
        id="compare-with"
        label={t('forms.compare.with.label', 'Compare with')}
        help={t('forms.compare.with.help', 'Both times are of the same length.')}
        value={query.with ?? 'day'}
        options={comparedWith()}
        onChange={(chosen) => change({ with: chosen })}
      />
      {query.with === 'instant' && (
        <TextOption
          id="compare-at"
          label={t('forms.compare.at.label', 'Instant')}
          help={t('forms.compare.at.help', 'Within the time range, for example 2026-11-27T03:00:00Z.')}
          value={query.at ?? ''}
          onChange={(at) => change({ at })}
        />
      )}
    </>
  );
}
