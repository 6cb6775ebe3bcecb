import type { JobMetricsQuery } from '../../../pkg/queries/jobMetrics';
import type { FormProps } from './form';
import { NumberOption, SelectOption } from './OptionFields';

const SHOWS = [
  { value: 'table', label: 'Table', description: 'one row per class' },
  { value: 'series', label: 'Time series', description: 'one figure over time, per class' },
  { value: 'heatmap', label: 'Heatmap', description: 'durations over time' },
] satisfies Array<{ value: NonNullable<JobMetricsQuery['show']>; label: string; description: string }>;

const SORTS = [
  { value: 'totalTime', label: 'Total time' },
  { value: 'executions', label: 'Executions' },
  { value: 'failures', label: 'Failures' },
  { value: 'failureRate', label: 'Failure rate' },
  { value: 'meanTime', label: 'Mean time' },
] satisfies Array<{ value: NonNullable<JobMetricsQuery['sortBy']>; label: string }>;

const ORIGINS = [
  { value: 'auto', label: 'Automatic', description: 'Sidekiq Pro where its metrics arrive, Redis before that' },
  { value: 'redis', label: 'Redis', description: 'Sidekiq’s own metrics' },
  { value: 'statsd', label: 'DogStatsD', description: 'what Sidekiq Pro sends' },
] satisfies Array<{ value: NonNullable<JobMetricsQuery['origin']>; label: string; description: string }>;

/** As what, and which classes. */
export function JobMetricsForm({ query, change }: FormProps<Partial<JobMetricsQuery>>) {
  return (
    <>
      <SelectOption
        id="job-metrics-show"
        label="As"
        help="A time series shows the first figure, by default the rate."
        value={query.show ?? 'table'}
        options={SHOWS}
        onChange={(show) => change({ show })}
      />
      <SelectOption
        id="job-metrics-sort"
        label="Top by"
        help="Classes are ranked by this figure."
        value={query.sortBy ?? 'totalTime'}
        options={SORTS}
        onChange={(sortBy) => change({ sortBy })}
      />
      <NumberOption
        id="job-metrics-top"
        label="Top"
        help="So many classes."
        placeholder="20"
        value={query.top}
        onChange={(top) => change({ top })}
      />
      <SelectOption
        id="job-metrics-origin"
        label="From"
        help="Where the figures come from; a notice on the panel says so too."
        value={query.origin ?? 'auto'}
        options={ORIGINS}
        onChange={(origin) => change({ origin })}
      />
    </>
  );
}
