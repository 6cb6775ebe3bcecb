import type { CapacityQuery } from '../../../pkg/queries/capacity';
import type { FormProps } from './form';
import { SelectOption } from './OptionFields';

const BY = [
  { value: 'workerType', label: 'By worker type' },
  { value: 'queue', label: 'By queue' },
] satisfies Array<{ value: NonNullable<CapacityQuery['by']>; label: string }>;

/** What makes a row. */
export function CapacityForm({ query, change }: FormProps<Partial<CapacityQuery>>) {
  return (
    <SelectOption
      id="capacity-by"
      label="Rows"
      help="Worker types are set in the data source."
      value={query.by ?? 'workerType'}
      options={BY}
      onChange={(by) => change({ by })}
    />
  );
}
