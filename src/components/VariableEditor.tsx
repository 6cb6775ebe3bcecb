import type { QueryEditorProps } from '@grafana/data';
import { t } from '@grafana/i18n';
import { EditorRow, EditorRows } from '@grafana/plugin-ui';
import { Alert, Combobox } from '@grafana/ui';
import { useEffect } from 'react';
import type { SidekiqApi, SidekiqOptions, SidekiqQuery, SidekiqVariableQuery } from '../types';
import { FiltersEditor } from './FiltersEditor';
import { QueryField } from './QueryField';
import { readable } from '../storedQuery';
import { fieldChoices, filterChoices } from './queryParts';
import { useCatalog } from './useCatalog';

type Props = QueryEditorProps<SidekiqApi, SidekiqQuery, SidekiqOptions, SidekiqVariableQuery>;

/** The form of a variable: whose values, and which to keep. A filter by another variable chains the two. */
export function VariableEditor({ query, datasource, onChange }: Props) {
  const { catalog, problem } = useCatalog(datasource);
  const queryType = query.queryType || 'queues';
  const field = query.field || 'queue';
  const entry = catalog.find(({ id }) => id === queryType);
  const options = fieldChoices(catalog);
  const change = (part: Partial<SidekiqVariableQuery>) =>
    onChange({ ...query, refId: 'variable', queryType, field, ...part });
  // Grafana hands a new variable's editor a query without a type, and lists nothing until one is saved.
  useEffect(() => {
    if (!query.queryType) {
      onChange({ ...query, refId: 'variable', queryType: 'queues', field: 'queue' });
    }
  }, [query, onChange]);
  return (
    <EditorRows>
      {problem && (
        <Alert severity="error" title={t('editor.noCatalog', 'The query types cannot be loaded')}>
          {problem}
        </Alert>
      )}
      <EditorRow>
        <QueryField
          label={t('variable.field.label', 'Values of')}
          help={t('variable.field.help', 'The text field whose distinct values are listed.')}
        >
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
        </QueryField>
      </EditorRow>
      <EditorRow>
        <QueryField
          label={t('filters.label', 'Filters')}
          help={t('variable.filters', 'A filter by another variable chains the two.')}
        >
          <FiltersEditor
            filters={readable({ filters: query.filters ?? [] }).filters}
            fields={filterChoices(entry, catalog)}
            loadValues={(name) => datasource.values({ queryType, field: name })}
            onChange={(filters) => change({ filters })}
          />
        </QueryField>
      </EditorRow>
    </EditorRows>
  );
}
