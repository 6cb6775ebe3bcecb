import { css } from '@emotion/css';
import { t } from '@grafana/i18n';
import { Button, Combobox, IconButton, MultiCombobox, Stack, type ComboboxOption } from '@grafana/ui';
import { useId } from 'react';
import { FILTER_OPERATORS, type Filter, type FilterOperator } from '../../pkg/queries/filterModel';

interface Props {
  filters: Filter[];
  fields: ReadonlyArray<ComboboxOption<string>>;
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
  const id = useId();
  return (
    <Stack direction="column" gap={1} alignItems="flex-start">
      {/* A Combobox takes no label of its own. */}
      <span hidden id={`${id}-field`}>
        {t('filters.field', 'Filter field')}
      </span>
      <span hidden id={`${id}-operator`}>
        {t('filters.operator', 'Filter operator')}
      </span>
      <span hidden id={`${id}-values`}>
        {t('filters.values', 'Filter values')}
      </span>
      {filters.map((filter, index) => (
        <Stack key={index} gap={0.5} alignItems="center" wrap="wrap">
          <Combobox
            aria-labelledby={`${id}-field`}
            width={20}
            options={[...fields]}
            value={filter.field}
            onChange={({ value }) => replace(index, { field: value, values: [] })}
          />
          <Combobox
            aria-labelledby={`${id}-operator`}
            width={10}
            options={operators}
            value={filter.operator}
            onChange={({ value }) => replace(index, { operator: value })}
          />
          <span className={VALUES}>
            <MultiCombobox<string>
              aria-labelledby={`${id}-values`}
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
        onClick={() => onChange([...filters, { field: fields[0]?.value ?? '', operator: '=', values: [] }])}
      >
        {t('filters.add', 'Filter')}
      </Button>
    </Stack>
  );
}
