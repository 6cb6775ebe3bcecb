import type { JobQuery } from '../../../pkg/queries/job';
import type { FormProps } from './form';
import { SelectOption, TextOption } from './OptionFields';

const SOURCES = [
  { value: 'any', label: 'Anywhere', description: 'retries, dead, scheduled, then every queue' },
  { value: 'queue', label: 'A queue', description: 'the shortest queue first' },
  { value: 'scheduled', label: 'Scheduled', description: 'the scheduled set alone' },
  { value: 'retry', label: 'Retries', description: 'the retry set alone' },
  { value: 'dead', label: 'Dead', description: 'the dead set alone' },
] satisfies Array<{ value: NonNullable<JobQuery['source']> | 'any'; label: string; description: string }>;

/** Which job. */
export function JobForm({ query, change }: FormProps<Partial<JobQuery>>) {
  return (
    <>
      <TextOption
        id="job-jid"
        label="JID"
        help="Id of the job, or a variable."
        value={query.jid ?? ''}
        onChange={(jid) => change({ jid })}
      />
      <SelectOption
        id="job-source"
        label="Jobs of"
        help="Where the job is looked for. A place is faster than everywhere."
        value={query.source ?? 'any'}
        options={SOURCES}
        onChange={(value) => change({ source: value === 'any' ? undefined : value })}
      />
    </>
  );
}
