import { css } from '@emotion/css';
import { t } from '@grafana/i18n';
import { Button, Combobox, IconButton, MultiCombobox, Stack, type ComboboxOption } from '@grafana/ui';
import { FILTER_OPERATORS, type Filter, type FilterOperator } from '../../pkg/queries/filterModel';

interface Props {
  filters: Filter[];
  fields: readonly string[];
  /** Offers values of a field. */
  loadValues: (field: string) => Promise<string[]>;
  onChange: (filters: Filter[]) => void;
}

/** MultiCombobox takes a width of its own for pixels when it counts which of the values fit. */
const VALUES = css({ display: 'block', width: 320 });

function operatorOptions(): Array<ComboboxOption<FilterOperator>> {
  const descriptions = {
    '=': t('filters.equal', 'is one of'),
    '!=': t('filters.notEqual', 'is none of'),
    '=~': t('filters.matches', 'matches the whole value'),
    '!~': t('filters.notMatches', 'does not match'),
  };
  return FILTER_OPERATORS.map((value) => ({ value, label: value, description: descriptions[value] }));
}

/** Rows of "field, operator, values"; values may be variables. */
export function FiltersEditor({ filters, fields, loadValues, onChange }: Props) {
  const replace = (index: number, change: Partial<Filter>) =>
    onChange(filters.map((filter, at) => (at === index ? { ...filter, ...change } : filter)));
  const operators = operatorOptions();
  return (
    <Stack direction="column" gap={1} alignItems="flex-start">
      {filters.map((filter, index) => (
        <Stack key={index} gap={0.5} alignItems="center" wrap="wrap">
          <Combobox
            aria-label={t('filters.field', 'Filter field')}
            width={20}
            options={fields.map((value) => ({ value, label: value }))}
            value={filter.field}
            onChange={({ value }) => replace(index, { field: value, values: [] })}
          />
          <Combobox
            aria-label={t('filters.operator', 'Filter operator')}
            width={10}
            options={operators}
            value={filter.operator}
            onChange={({ value }) => replace(index, { operator: value })}
          />
          <span className={VALUES}>
            <MultiCombobox<string>
              aria-label={t('filters.values', 'Filter values')}
              createCustomValue
              placeholder={t('filters.placeholder', 'Any value, $variable or expression')}
              options={async (typed) =>
                (await loadValues(filter.field))
                  .filter((value) => value.toLowerCase().includes(typed.toLowerCase()))
                  .map((value) => ({ value, label: value }))
              }
              value={filter.values.map((value) => ({ value, label: value }))}
              onChange={(chosen) => replace(index, { values: chosen.map(({ value }) => value) })}
            />
          </span>
          <IconButton
            name="times"
            tooltip={t('filters.remove', 'Remove filter')}
            onClick={() => onChange(filters.filter((_, at) => at !== index))}
          />
        </Stack>
      ))}
      <Button
        size="sm"
        variant="secondary"
        icon="plus"
        disabled={fields.length === 0}
        onClick={() => onChange([...filters, { field: fields[0] ?? '', operator: '=', values: [] }])}
      >
        {t('filters.add', 'Filter')}
      </Button>
    </Stack>
  );
}
