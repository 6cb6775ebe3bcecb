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
      description: t('forms.job.sources.queue.description', 'all queues, the shortest first'),
    },
    {
      value: 'scheduled',
      label: t('forms.job.sources.scheduled.label', 'Scheduled'),
      description: t('forms.job.sources.scheduled.description', 'only the scheduled set'),
    },
    {
      value: 'retry',
      label: t('forms.job.sources.retry.label', 'Retries'),
      description: t('forms.job.sources.retry.description', 'only the retry set'),
    },
    {
      value: 'dead',
      label: t('forms.job.sources.dead.label', 'Dead'),
      description: t('forms.job.sources.dead.description', 'only the dead set'),
    },
  ];
}

/** Which job. */
export function JobForm({ query, change }: FormProps<Partial<JobQuery>>) {
  return (
    <>
      <TextOption
        example="b4a577edbccf1d805744efa9"
        id="job-jid"
        label={t('forms.job.jid.label', 'JID')}
        help={t('forms.job.jid.help', 'Job ID, or a variable.')}
        value={query.jid ?? ''}
        onChange={(jid) => change({ jid })}
      />
      <SelectOption
        id="job-source"
        label={t('forms.job.jobsOf.label', 'Jobs of')}
        help={t('forms.job.jobsOf.help', 'Where to search for the job. A single place is faster.')}
        value={query.source ?? 'any'}
        options={sources()}
        onChange={(value) => change({ source: value === 'any' ? undefined : value })}
      />
    </>
  );
}
