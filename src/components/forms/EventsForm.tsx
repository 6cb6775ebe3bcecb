import type { EventsQuery } from '../../../pkg/queries/events';
import { MultiChoice } from '../MultiChoice';
import { QueryField } from '../QueryField';
import type { FormProps } from './form';
import { FormatOption } from './FormatOption';

type Kind = NonNullable<EventsQuery['kinds']>[number];

const KINDS: Array<{ value: Kind; label: string }> = [
  { value: 'deploy', label: 'Deploys' },
  { value: 'start', label: 'Process starts' },
  { value: 'stop', label: 'Process stops' },
  { value: 'vanished', label: 'Vanished processes' },
  { value: 'version', label: 'New Sidekiq versions' },
  { value: 'leader', label: 'Leader changes' },
];

/** Which events. */
export function EventsForm({ query, change }: FormProps<Partial<EventsQuery>>) {
  return (
    <>
      <QueryField label="Events" help="What to show; everything when none is chosen.">
        <MultiChoice<Kind>
          id="events-kinds"
          width={40}
          placeholder="All"
          options={KINDS}
          value={query.kinds ?? []}
          onChange={(kinds) => change({ kinds: kinds.length === 0 ? undefined : kinds })}
        />
      </QueryField>
      <FormatOption id="events-format" value={query.format} onChange={(format) => change({ format })} />
    </>
  );
}
