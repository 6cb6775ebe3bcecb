import { t } from '@grafana/i18n';
import type { JobQuery } from '../../../pkg/queries/job';
import type { FormProps } from './form';
import { SelectOption, TextOption } from './OptionFields';

function sources(): Array<{ value: NonNullable<JobQuery['source']> | 'any'; label: string; description: string }> {
  return [
    {
      value: 'any',
      label: t('forms.job.sources.any.label', 'Anywhere'),
      description: t('forms.job.sources.any.description', 'retries, dead, scheduled, then every queue'),
    },
    {
      value: 'queue',
      label: t('forms.job.sources.queue.label', 'A queue'),
      description: t('forms.job.sources.queue.description', 'the shortest queue first'),
    },
    {
      value: 'scheduled',
      label: t('forms.job.sources.scheduled.label', 'Scheduled'),
      description: t('forms.job.sources.scheduled.description', 'the scheduled set alone'),
    },
    {
      value: 'retry',
      label: t('forms.job.sources.retry.label', 'Retries'),
      description: t('forms.job.sources.retry.description', 'the retry set alone'),
    },
    {
      value: 'dead',
      label: t('forms.job.sources.dead.label', 'Dead'),
      description: t('forms.job.sources.dead.description', 'the dead set alone'),
    },
  ];
}

/** Which job. */
export function JobForm({ query, change }: FormProps<Partial<JobQuery>>) {
  return (
    <>
      <TextOption
        id="job-jid"
        label={t('forms.job.jid.label', 'JID')}
        help={t('forms.job.jid.help', 'Id of the job, or a variable.')}
        value={query.jid ?? ''}
        onChange={(jid) => change({ jid })}
      />
      <SelectOption
        id="job-source"
        label={t('forms.job.jobsOf.label', 'Jobs of')}
        help={t('forms.job.jobsOf.help', 'Where the job is looked for. A place is faster than everywhere.')}
        value={query.source ?? 'any'}
        options={sources()}
        onChange={(value) => change({ source: value === 'any' ? undefined : value })}
      />
    </>
  );
}
