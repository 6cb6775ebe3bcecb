import { t } from '@grafana/i18n';
import type { JobMetricsQuery } from '../../../pkg/queries/jobMetrics';
import type { FormProps } from './form';
import { NumberOption, SelectOption } from './OptionFields';

function shows(): Array<{ value: NonNullable<JobMetricsQuery['show']>; label: string; description: string }> {
  return [
    {
      value: 'table',
      label: t('forms.jobMetrics.shows.table.label', 'Table'),
      description: t('forms.jobMetrics.shows.table.description', 'one row per class'),
    },
    {
      value: 'series',
      label: t('forms.jobMetrics.shows.series.label', 'Time series'),
      description: t('forms.jobMetrics.shows.series.description', 'one figure over time, per class'),
    },
    {
      value: 'heatmap',
      label: t('forms.jobMetrics.shows.heatmap.label', 'Heatmap'),
      description: t('forms.jobMetrics.shows.heatmap.description', 'durations over time'),
    },
  ];
}

function sorts(): Array<{ value: NonNullable<JobMetricsQuery['sortBy']>; label: string }> {
  return [
    { value: 'totalTime', label: t('forms.jobMetrics.sorts.totalTime.label', 'Total time') },
    { value: 'executions', label: t('forms.jobMetrics.sorts.executions.label', 'Executions') },
    { value: 'failures', label: t('forms.jobMetrics.sorts.failures.label', 'Failures') },
    { value: 'failureRate', label: t('forms.jobMetrics.sorts.failureRate.label', 'Failure rate') },
    { value: 'meanTime', label: t('forms.jobMetrics.sorts.meanTime.label', 'Mean time') },
  ];
}

function origins(): Array<{ value: NonNullable<JobMetricsQuery['origin']>; label: string; description: string }> {
  return [
    {
      value: 'auto',
      label: t('forms.jobMetrics.origins.auto.label', 'Automatic'),
      description: t(
        'forms.jobMetrics.origins.auto.description',
        'Sidekiq Pro once its metrics arrive, Redis until then'
      ),
    },
    {
      value: 'redis',
      label: t('forms.jobMetrics.origins.redis.label', 'Redis'),
      description: t('forms.jobMetrics.origins.redis.description', 'Sidekiq’s own metrics'),
    },
    {
      value: 'statsd',
      label: t('forms.jobMetrics.origins.statsd.label', 'DogStatsD'),
      description: t('forms.jobMetrics.origins.statsd.description', 'what Sidekiq Pro sends'),
    },
  ];
}

/** As what, and which classes. */
export function JobMetricsForm({ query, change }: FormProps<Partial<JobMetricsQuery>>) {
  return (
    <>
      <SelectOption
        id="job-metrics-show"
        label={t('forms.jobMetrics.format.label', 'Format')}
        help={t('forms.jobMetrics.format.help', 'A time series shows the first figure, by default the rate.')}
        value={query.show ?? 'table'}
        options={shows()}
        onChange={(show) => change({ show })}
      />
      <SelectOption
        id="job-metrics-sort"
        label={t('forms.jobMetrics.topBy.label', 'Top by')}
        help={t('forms.jobMetrics.topBy.help', 'Classes are ranked by this figure.')}
        value={query.sortBy ?? 'totalTime'}
        options={sorts()}
        onChange={(sortBy) => change({ sortBy })}
      />
      <NumberOption
        id="job-metrics-top"
        label={t('forms.jobMetrics.top.label', 'Top')}
        help={t('forms.jobMetrics.top.help', 'Number of classes.')}
        example="20"
        value={query.top}
        onChange={(top) => change({ top })}
      />
      <SelectOption
        id="job-metrics-origin"
        label={t('forms.jobMetrics.source.label', 'Source')}
        help={t('forms.jobMetrics.source.help', 'Where the figures come from. A notice on the panel names the source.')}
        value={query.origin ?? 'auto'}
        options={origins()}
        onChange={(origin) => change({ origin })}
      />
    </>
  );
}
