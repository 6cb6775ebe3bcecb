import { InlineField, MultiCombobox } from '@grafana/ui';
import type { ErrorsQuery } from '../../../pkg/queries/errors';
import type { FormProps } from './form';

type Group = NonNullable<ErrorsQuery['groupBy']>[number];

const GROUPS: Array<{ value: Group; label: string }> = [
  { value: 'errorClass', label: 'Error' },
  { value: 'class', label: 'Job class' },
  { value: 'queue', label: 'Queue' },
];

/** What makes a row. */
export function ErrorsForm({ query, change }: FormProps<Partial<ErrorsQuery>>) {
  return (
    <InlineField label="Rows by" labelWidth={14} tooltip="One row for each combination of these.">
      <MultiCombobox<Group>
        width={40}
        options={GROUPS}
        value={query.groupBy ?? GROUPS.map(({ value }) => value)}
        onChange={(groups) => change({ groupBy: groups.map(({ value }) => value) })}
      />
    </InlineField>
  );
}
