import { t } from '@grafana/i18n';
import type { CompareQuery } from '../../../pkg/queries/compare';
import type { CatalogEntry } from '../../types';
import { MultiChoice } from '../MultiChoice';
import { QueryField } from '../QueryField';
import { useCatalog } from '../useCatalog';
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

/** Columns of job metrics that are compared of a class too. */
const QUANTILES = ['p50', 'p90', 'p95', 'p99'];

/** What can be compared: the figures of the history, and quantiles of the run times of classes. */
function measures(catalog: readonly CatalogEntry[], by: string) {
  const columnsOf = (id: string) => catalog.find((entry) => entry.id === id)?.columns ?? [];
  return [
    ...columnsOf('history').filter((column) => column.by?.includes(by)),
    ...columnsOf('job_metrics').filter(({ name }) => by === 'class' && QUANTILES.includes(name)),
  ].map(({ name, title, description }) => ({ value: name, label: title, description }));
}

/** What is compared, and with which time before. */
export function CompareForm({ query, datasource, change }: FormProps<Partial<CompareQuery>>) {
  const { catalog } = useCatalog(datasource);
  const series = query.by ?? 'total';
  return (
    <>
      <SelectOption
        id="compare-by"
        label={t('forms.compare.series.label', 'Group by')}
        help={t('forms.compare.series.help', 'In total, or one row for each.')}
        value={series}
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
      {series !== 'error' && (
        <QueryField
          label={t('forms.compare.measures.label', 'Compared figures')}
          help={t('forms.compare.measures.help', 'What is compared of each; the figures beside are columns.')}
        >
          <MultiChoice<string>
            id={`compare-measures-${query.refId}`}
            width={40}
            placeholder={t('forms.compare.measures.unchosen', 'The most telling ones')}
            options={measures(catalog, series)}
            value={query.measures ?? []}
            onChange={(chosen) => change({ measures: chosen })}
          />
        </QueryField>
      )}
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
