import type { JobsQuery } from '../../../pkg/queries/jobs';
import type { FormProps } from './form';
import { FormatOption } from './FormatOption';
import { NumberOption, SelectOption, SuggestOption } from './OptionFields';

const SOURCES = [
  { value: 'queue', label: 'A queue', description: 'the next job first' },
  { value: 'scheduled', label: 'Scheduled', description: 'the next due first' },
  { value: 'retry', label: 'Retries', description: 'the next attempt first' },
  { value: 'dead', label: 'Dead', description: 'the latest death first' },
] satisfies Array<{ value: NonNullable<JobsQuery['source']>; label: string; description: string }>;

/** Which jobs, and how old. */
export function JobsForm({ query, datasource, change }: FormProps<Partial<JobsQuery>>) {
  const source = query.source ?? 'queue';
  return (
    <>
      <SelectOption
        id="jobs-source"
        label="Jobs of"
        help="Where the jobs lie."
        value={source}
        options={SOURCES}
        onChange={(value) => change({ source: value, cursor: undefined })}
      />
      {source === 'queue' && (
        <SuggestOption
          id="jobs-queue"
          label="Queue"
          help="Name of the queue, or a variable."
          value={query.queue ?? 'default'}
          load={() => datasource.values({ queryType: 'queues', field: 'queue' })}
          onChange={(queue) => change({ queue, cursor: undefined })}
        />
      )}
      <NumberOption
        id="jobs-min-age"
        label="Min. age (s)"
        help="Only jobs that have waited at least so long."
        placeholder="0"
        value={query.minAgeSeconds}
        onChange={(minAgeSeconds) => change({ minAgeSeconds })}
      />
      <FormatOption id="jobs-format" value={query.format} onChange={(format) => change({ format })} />
    </>
  );
}
