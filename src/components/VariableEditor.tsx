import type { QueryEditorProps } from '@grafana/data';
import { Combobox, InlineField, Stack } from '@grafana/ui';
import type { SidekiqApi, SidekiqOptions, SidekiqQuery, SidekiqVariableQuery } from '../types';
import { FiltersEditor } from './FiltersEditor';
import { useCatalog } from './useCatalog';

type Props = QueryEditorProps<SidekiqApi, SidekiqQuery, SidekiqOptions, SidekiqVariableQuery>;

const LABEL_WIDTH = 14;

/** The form of a variable: whose values, and which to keep. A filter by another variable chains the two. */
export function VariableEditor({ query, datasource, onChange }: Props) {
  const { catalog } = useCatalog(datasource);
  const queryType = query.queryType || 'queues';
  const field = query.field || 'queue';
  const entry = catalog.find(({ id }) => id === queryType);
  const options = catalog.flatMap(({ id, title, filterFields }) =>
    filterFields.map((name) => ({ value: `${id}.${name}`, label: `${title}: ${name}` }))
  );
  const change = (part: Partial<SidekiqVariableQuery>) =>
    onChange({ ...query, refId: 'variable', queryType, field, ...part });
  return (
    <Stack direction="column" gap={1}>
      <InlineField label="Values of" labelWidth={LABEL_WIDTH} tooltip="A text field of what can be asked.">
        <Combobox
          id="variable-field"
          width={40}
          options={options}
          value={`${queryType}.${field}`}
          onChange={({ value }) => {
            const [type = 'queues', name = 'queue'] = value.split('.');
            change({ queryType: type, field: name, filters: [] });
          }}
        />
      </InlineField>
      <InlineField label="Filters" labelWidth={LABEL_WIDTH} tooltip="Filter by another variable to chain the two.">
        <FiltersEditor
          filters={query.filters ?? []}
          fields={entry?.filterFields ?? []}
          loadValues={(name) => datasource.values({ queryType, field: name })}
          onChange={(filters) => change({ filters })}
        />
      </InlineField>
    </Stack>
  );
}
