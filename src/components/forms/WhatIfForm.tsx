import { t } from '@grafana/i18n';
import type { WhatIfQuery } from '../../../pkg/queries/whatIf';
import type { FormProps } from './form';
import { LongTextOption, SelectOption, TextOption } from './OptionFields';

type Query = Partial<WhatIfQuery>;
type ListField = 'threads' | 'processes' | 'traffic' | 'runTime' | 'own' | 'order' | 'paused' | 'computing';

function by(): Array<{ value: NonNullable<Query['by']>; label: string }> {
  return [
    { value: 'queue', label: t('forms.whatIf.by.queue.label', 'By queue') },
    { value: 'workerType', label: t('forms.whatIf.by.workerType.label', 'By worker type') },
  ];
}

function arrivals(): Array<{ value: NonNullable<Query['arrivals']>; label: string; description: string }> {
  return [
    {
      value: 'range',
      label: t('forms.whatIf.arrivals.range.label', 'Time range'),
      description: t('forms.whatIf.arrivals.range.description', 'Work as it came, the last six hours at most'),
    },
    {
      value: 'usual',
      label: t('forms.whatIf.arrivals.usual.label', 'Usual'),
      description: t('forms.whatIf.arrivals.usual.description', 'Usual work of the next hour, from the backlog of now'),
    },
  ];
}

function search(): Array<{ value: NonNullable<Query['search']>; label: string; description?: string }> {
  return [
    { value: 'none', label: t('forms.whatIf.search.none.label', 'Nothing') },
    {
      value: 'threads',
      label: t('forms.whatIf.search.threads.label', 'Fewest threads'),
      description: t('forms.whatIf.search.threads.description', 'That meet all latency objectives'),
    },
    {
      value: 'order',
      label: t('forms.whatIf.search.order.label', 'Best order'),
      description: t('forms.whatIf.search.order.description', 'Order and weights of the queues for the threads'),
    },
    {
      value: 'threshold',
      label: t('forms.whatIf.search.threshold.label', 'Best threshold'),
      description: t(
        'forms.whatIf.search.threshold.description',
        'Of the ScaledObject: meets the objectives at the least cost'
      ),
    },
  ];
}

const EXAMPLES: Readonly<Record<ListField, string>> = {
  threads: 'Default Worker=20',
  processes: 'Default Worker=3',
  traffic: '2, mailers=1.5',
  runTime: 'Pdfs::RenderJob=0.5',
  own: 'mailers=2',
  order: 'Default Worker=critical:3>default:1',
  paused: 'reports',
  computing: '0.2, Pdfs::RenderJob=0.9',
};

/** The changes, and how much executions compute, each a list of names with values. */
function changes(): Array<{ field: ListField; label: string; help: string }> {
  return [
    {
      field: 'threads',
      label: t('forms.whatIf.threads.label', 'Threads'),
      help: t('forms.whatIf.threads.help', 'Threads that serve a worker type or queue together: Default Worker=20.'),
    },
    {
      field: 'processes',
      label: t('forms.whatIf.processes.label', 'Processes'),
      help: t('forms.whatIf.processes.help', 'Processes that serve a worker type or queue: Default Worker=3.'),
    },
    {
      field: 'traffic',
      label: t('forms.whatIf.traffic.label', 'Traffic'),
      help: t('forms.whatIf.traffic.help', 'Times as many jobs, of all or of a queue or class: 2, mailers=1.5.'),
    },
    {
      field: 'runTime',
      label: t('forms.whatIf.runTime.label', 'Run time'),
      help: t('forms.whatIf.runTime.help', 'Times as long, of all or of a queue or class: Pdfs::RenderJob=0.5.'),
    },
    {
      field: 'own',
      label: t('forms.whatIf.own.label', 'Own threads'),
      help: t('forms.whatIf.own.help', 'A queue served by threads of its own alone: mailers=2.'),
    },
    {
      field: 'order',
      label: t('forms.whatIf.order.label', 'Order'),
      help: t(
        'forms.whatIf.order.help',
        'Strict as Default Worker=critical>default, or with weights critical:3>default:1.'
      ),
    },
    {
      field: 'paused',
      label: t('forms.whatIf.paused.label', 'Paused'),
      help: t('forms.whatIf.paused.help', 'Queues of which no job is taken.'),
    },
    {
      field: 'computing',
      label: t('forms.whatIf.computing.label', 'Computing'),
      help: t(
        'forms.whatIf.computing.help',
        'Share of the run time that uses the processor, of all or of a queue or class: 0.2, Pdfs::RenderJob=0.9. Such jobs take longer with more threads in a process.'
      ),
    },
  ];
}

/** Work that is simulated, and what is changed. */
export function WhatIfForm({ query, change }: FormProps<Query>) {
  return (
    <>
      <SelectOption
        id="what-if-by"
        label={t('forms.whatIf.rows.label', 'Group by')}
        help={t('forms.whatIf.rows.help', 'One row for each.')}
        value={query.by ?? 'queue'}
        options={by()}
        onChange={(value) => change({ by: value })}
      />
      <SelectOption
        id="what-if-arrivals"
        label={t('forms.whatIf.work.label', 'Work')}
        help={t('forms.whatIf.work.help', 'Jobs that come, with their run times.')}
        value={query.arrivals ?? 'range'}
        options={arrivals()}
        onChange={(value) => change({ arrivals: value })}
      />
      <SelectOption
        id="what-if-search"
        label={t('forms.whatIf.find.label', 'Search')}
        help={t('forms.whatIf.find.help', 'What is searched for, beside the changes.')}
        value={query.search ?? 'none'}
        options={search()}
        onChange={(value) => change({ search: value })}
      />
      {changes().map(({ field, label, help }) => (
        <TextOption
          key={field}
          id={`what-if-${field}`}
          label={label}
          help={help}
          example={EXAMPLES[field]}
          value={(query[field] ?? []).join(', ')}
          onChange={(text) => change({ [field]: listOf(text) })}
        />
      ))}
      <LongTextOption
        id="what-if-scaledObject"
        label={t('forms.whatIf.scaledObject.label', 'ScaledObject')}
        help={t('forms.whatIf.scaledObject.help', 'A ScaledObject of KEDA as YAML: what it would have done.')}
        value={query.scaledObject ?? ''}
        onChange={(scaledObject) => change({ scaledObject })}
      />
    </>
  );
}

function listOf(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
