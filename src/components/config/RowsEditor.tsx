import { t } from '@grafana/i18n';
import { Button, IconButton, Stack } from '@grafana/ui';
import type { ReactNode } from 'react';

interface Props<Row> {
  rows: readonly Row[];
  onChange: (rows: Row[]) => void;
  nameOf: (row: Row) => string;
  /** The fields of one row; `replace` changes some of it. */
  fields: (row: Row, replace: (part: Partial<Row>) => void) => ReactNode;
  add: { label: string; row: Row };
  preset?: { label: string; disabled?: boolean; onClick: () => void };
}

/** A list that can grow, shrink, and be set to a preset, with a row of fields for each entry. */
export function RowsEditor<Row extends object>({ rows, onChange, nameOf, fields, add, preset }: Props<Row>) {
  return (
    <Stack direction="column" gap={2}>
      {rows.map((row, index) => (
        <Stack key={index} gap={1} alignItems="flex-end" wrap="wrap">
          {fields(row, (part) => onChange(rows.map((each, at) => (at === index ? { ...each, ...part } : each))))}
          <IconButton
            name="trash-alt"
            tooltip={t('config.rows.remove', 'Remove {{name}}', {
              name: nameOf(row),
              interpolation: { escapeValue: false },
            })}
            onClick={() => onChange(rows.filter((_, at) => at !== index))}
          />
        </Stack>
      ))}
      <Stack gap={1}>
        <Button size="sm" variant="secondary" icon="plus" onClick={() => onChange([...rows, add.row])}>
          {add.label}
        </Button>
        {preset && (
          <Button size="sm" variant="secondary" fill="text" disabled={preset.disabled} onClick={preset.onClick}>
            {preset.label}
          </Button>
        )}
      </Stack>
    </Stack>
  );
}
