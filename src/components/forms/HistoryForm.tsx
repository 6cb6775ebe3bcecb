import type { HistoryQuery } from '../../../pkg/queries/history';
import type { FormProps } from './form';
import { SelectOption } from './OptionFields';

const BY = [
  { value: 'total', label: 'In total' },
  { value: 'queue', label: 'By queue' },
  { value: 'workerType', label: 'By worker type' },
  { value: 'day', label: 'By day', description: 'Sidekiq’s own counters, up to five years' },
] satisfies Array<{ value: NonNullable<HistoryQuery['by']>; label: string; description?: string }>;

/** What a series is. */
export function HistoryForm({ query, change }: FormProps<Partial<HistoryQuery>>) {
  return (
    <SelectOption
      id="history-by"
      label="Series"
      help="In total, or one series for each."
      value={query.by ?? 'total'}
      options={BY}
      onChange={(by) => change({ by })}
    />
  );
}
