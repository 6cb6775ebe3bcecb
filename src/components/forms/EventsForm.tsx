import { t } from '@grafana/i18n';
import type { EventsQuery } from '../../../pkg/queries/events';
import { MultiChoice } from '../MultiChoice';
import { QueryField } from '../QueryField';
import type { FormProps } from './form';
import { FormatOption } from './FormatOption';
import { SelectOption } from './OptionFields';

type Kind = NonNullable<EventsQuery['kinds']>[number];

function kinds(): Array<{ value: Kind; label: string }> {
  return [
    { value: 'deploy', label: t('forms.events.kinds.deploy.label', 'Deploys') },
    { value: 'start', label: t('forms.events.kinds.start.label', 'Process starts') },
    { value: 'stop', label: t('forms.events.kinds.stop.label', 'Process stops') },
    { value: 'vanished', label: t('forms.events.kinds.vanished.label', 'Vanished processes') },
    { value: 'returned', label: t('forms.events.kinds.returned.label', 'Returned processes') },
    { value: 'version', label: t('forms.events.kinds.version.label', 'New Sidekiq versions') },
    { value: 'leader', label: t('forms.events.kinds.leader.label', 'Leader changes') },
    { value: 'finding', label: t('forms.events.kinds.finding.label', 'Findings') },
  ];
}

function orders(): Array<{ value: NonNullable<EventsQuery['order']>; label: string; description: string }> {
  return [
    {
      value: 'newest',
      label: t('forms.events.orders.newest.label', 'Newest first'),
      description: t('forms.events.orders.newest.description', 'one row for each event'),
    },
    {
      value: 'worst',
      label: t('forms.events.orders.worst.label', 'Worst first'),
      description: t('forms.events.orders.worst.description', 'one row for each finding of a subject'),
    },
  ];
}

/** Which events, in which order. */
export function EventsForm({ query, change }: FormProps<Partial<EventsQuery>>) {
  return (
    <>
      <QueryField
        label={t('forms.events.events.label', 'Events')}
        help={t('forms.events.events.help', 'Kinds of events; all if none is chosen.')}
      >
        <MultiChoice<Kind>
          id="events-kinds"
          width={40}
          placeholder={t('forms.events.placeholder', 'All')}
          options={kinds()}
          value={query.kinds ?? []}
          onChange={(kinds) => change({ kinds: kinds.length === 0 ? undefined : kinds })}
        />
      </QueryField>
      <SelectOption
        id="events-order"
        label={t('forms.events.order.label', 'Order')}
        help={t('forms.events.order.help', 'Which rows are first.')}
        value={query.order ?? 'newest'}
        options={orders()}
        onChange={(order) => change({ order })}
      />
      <FormatOption id="events-format" value={query.format} onChange={(format) => change({ format })} />
    </>
  );
}
