import { t } from '@grafana/i18n';
import type { JobsQuery } from '../../../pkg/queries/jobs';
import type { FormProps } from './form';
import { IterationOption } from './IterationOption';
import { FormatOption } from './FormatOption';
import { NumberOption, SelectOption, SuggestOption, TextOption } from './OptionFields';

function sources(): Array<{ value: NonNullable<JobsQuery['source']>; label: string; description: string }> {
  return [
    {
      value: 'queue',
      label: t('forms.jobs.sources.queue.label', 'A queue'),
      description: t('forms.jobs.sources.queue.description', 'the next job first'),
    },
    {
      value: 'scheduled',
      label: t('forms.jobs.sources.scheduled.label', 'Scheduled'),
      description: t('forms.jobs.sources.scheduled.description', 'the next due first'),
    },
    {
      value: 'retry',
      label: t('forms.jobs.sources.retry.label', 'Retries'),
      description: t('forms.jobs.sources.retry.description', 'the next attempt first'),
    },
    {
      value: 'dead',
      label: t('forms.jobs.sources.dead.label', 'Dead'),
      description: t('forms.jobs.sources.dead.description', 'most recent first'),
    },
  ];
}

/** Which jobs, and how old. */
export function JobsForm({ query, datasource, change }: FormProps<Partial<JobsQuery>>) {
  const source = query.source ?? 'queue';
  return (
    <>
      <SelectOption
        id="jobs-source"
        label={t('forms.jobs.jobsOf.label', 'Jobs of')}
        help={t('forms.jobs.jobsOf.help', 'The queue or set of the jobs.')}
        value={source}
        options={sources()}
        onChange={(value) => change({ source: value, cursor: undefined })}
      />
      {source === 'queue' && (
        <SuggestOption
          id="jobs-queue"
          label={t('forms.jobs.queue.label', 'Queue')}
          help={t(
            'forms.jobs.queue.help',
            'Name of the queue, or a variable. If empty, the queue whose oldest job has waited longest.'
          )}
          value={query.queue ?? ''}
          load={() => datasource.values({ queryType: 'queues', field: 'queue' })}
          onChange={(queue) => change({ queue, cursor: undefined })}
        />
      )}
      <NumberOption
        id="jobs-min-age"
        label={t('forms.jobs.minAgeS.label', 'Min. age (s)')}
        help={t('forms.jobs.minAgeS.help', 'Only jobs that have waited at least this long.')}
        example="0"
        value={query.minAgeSeconds}
        onChange={(minAgeSeconds) => change({ minAgeSeconds })}
      />
      <TextOption
        key={query.cursor ?? ''}
        id="jobs-cursor"
        label={t('forms.jobs.cursor.label', 'Cursor')}
        help={t('forms.jobs.cursor.help', 'Where the page begins: the notice of the page before names it.')}
        value={query.cursor ?? ''}
        onChange={(cursor) => change({ cursor: cursor === '' ? undefined : cursor })}
      />
      <IterationOption id="jobs-iteration" value={query.iteration} onChange={(iteration) => change({ iteration })} />
      <FormatOption id="jobs-format" value={query.format} onChange={(format) => change({ format })} />
    </>
  );
}
