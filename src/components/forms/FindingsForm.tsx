import type { FindingsQuery } from '../../../pkg/queries/findings';
import type { FormProps } from './form';
import { SelectOption } from './OptionFields';

const SEVERITIES = [
  { value: 'info', label: 'All' },
  { value: 'warning', label: 'Warnings and critical' },
  { value: 'critical', label: 'Critical' },
] satisfies Array<{ value: NonNullable<FindingsQuery['severity']>; label: string }>;

/** How much a finding must matter. */
export function FindingsForm({ query, change }: FormProps<Partial<FindingsQuery>>) {
  return (
    <SelectOption
      id="findings-severity"
      label="Severity"
      help="The least severity to show."
      value={query.severity ?? 'info'}
      options={SEVERITIES}
      onChange={(severity) => change({ severity })}
    />
  );
}
