import { t } from '@grafana/i18n';
import type { JobMetricsQuery } from '../../../pkg/queries/jobMetrics';
import type { FormProps } from './form';
import { NumberOption, SelectOption } from './OptionFields';

function shows(): Array<{ value: NonNullable<JobMetricsQuery['show']>; label: string; description: string }> {
  return [
    {
      value: 'table',
      label: t('forms.jobMetrics.shows.table.label', 'Table'),
      description: t('forms.jobMetrics.shows.table.description', 'one row per class, queue or worker type'),
    },
    {
      value: 'series',
      label: t('forms.jobMetrics.shows.series.label', 'Time series'),
      description: t('forms.jobMetrics.shows.series.description', 'one figure over time'),
    },
    {
      value: 'heatmap',
      label: t('forms.jobMetrics.shows.heatmap.label', 'Heatmap'),
      description: t('forms.jobMetrics.shows.heatmap.description', 'durations over time'),
    },
  ];
}

function groups(): Array<{ value: NonNullable<JobMetricsQuery['by']>; label: string; description: string }> {
  return [
    {
      value: 'class',
      label: t('forms.jobMetrics.groups.class.label', 'Class'),
      description: t('forms.jobMetrics.groups.class.description', 'as Sidekiq counts'),
    },
    {
      value: 'queue',
      label: t('forms.jobMetrics.groups.queue.label', 'Queue'),
      description: t('forms.jobMetrics.groups.queue.description', 'an estimate where a class has several queues'),
    },
    {
      value: 'workerType',
      label: t('forms.jobMetrics.groups.workerType.label', 'Worker type'),
      description: t('forms.jobMetrics.groups.workerType.description', 'the queues of a worker type together'),
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
        id="job-metrics-by"
        label={t('forms.jobMetrics.by.label', 'Group by')}
        help={t('forms.jobMetrics.by.help', 'What a row or a series is.')}
        value={query.by ?? 'class'}
        options={groups()}
        onChange={(by) => change({ by })}
      />
      <SelectOption
        id="job-metrics-sort"
        label={t('forms.jobMetrics.topBy.label', 'Top by')}
        help={t('forms.jobMetrics.topBy.help', 'Rows and series are ranked by this figure.')}
        value={query.sortBy ?? 'totalTime'}
        options={sorts()}
        onChange={(sortBy) => change({ sortBy })}
      />
      <NumberOption
        id="job-metrics-top"
        label={t('forms.jobMetrics.top.label', 'Top')}
        help={t('forms.jobMetrics.top.help', 'Number of rows or series.')}
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
