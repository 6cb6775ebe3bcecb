import { CoreApp, type QueryEditorProps } from '@grafana/data';
import { Alert, Combobox, InlineField, InlineSwitch, Input, Stack, Text } from '@grafana/ui';
import { useEffect } from 'react';
import { defaultQuery } from '../defaultQuery';
import type { SidekiqApi, SidekiqOptions, SidekiqQuery } from '../types';
import { FiltersEditor } from './FiltersEditor';
import { FORMS } from './forms/forms';
import { MultiChoice } from './MultiChoice';
import { useCatalog } from './useCatalog';

type Props = QueryEditorProps<SidekiqApi, SidekiqQuery, SidekiqOptions>;

const LABEL_WIDTH = 14;

/** What a query keeps when its type changes: Grafana's own fields, and the version of the model. */
const KEPT = ['refId', 'datasource', 'key', 'hide', 'version'];

/** The form of a query: what to ask, what to keep, which figures. Runs on every change. */
export function QueryEditor({ query, datasource, app, onChange, onRunQuery }: Props) {
  const { catalog, problem } = useCatalog(datasource);
  const entry = catalog.find(({ id }) => id === query.queryType);
  const figures = (entry?.columns ?? []).filter(({ kind }) => kind === 'number' || kind === 'boolean');
  const alerting = app === CoreApp.UnifiedAlerting || app === CoreApp.CloudAlerting;
  const change = (part: Partial<SidekiqQuery>) => {
    onChange({ ...query, ...part });
    onRunQuery();
  };
  // Grafana hands a new panel's editor a query without a type.
  useEffect(() => {
    if (!query.queryType) {
      onChange({ ...defaultQuery(app), ...query });
      onRunQuery();
    }
  }, [app, query, onChange, onRunQuery]);
  const figuresChosen = query.figures ?? [];
  const Form = FORMS[query.queryType];
  return (
    <Stack direction="column" gap={0.5}>
      {problem && (
        <Alert severity="error" title="The query types cannot be loaded">
          {problem}
        </Alert>
      )}
      <Stack gap={0} wrap="wrap">
        <InlineField label="Show" labelWidth={LABEL_WIDTH} tooltip={entry?.description ?? 'What to ask of Sidekiq'}>
          <Combobox
            id={`query-type-${query.refId}`}
            width={32}
            options={catalog.map(({ id, group, title, description }) => ({
              value: id,
              group,
              label: title,
              description,
            }))}
            value={query.queryType}
            onChange={({ value }) => {
              // Filters by a field that the other type has too go along; options and figures mean nothing there.
              const fields = catalog.find(({ id }) => id === value)?.filterFields ?? [];
              const filters = (query.filters ?? []).filter(({ field }) => fields.includes(field));
              const kept = Object.fromEntries(Object.entries(query).filter(([name]) => KEPT.includes(name)));
              onChange({ refId: query.refId, ...kept, queryType: value, figures: [], filters });
              onRunQuery();
            }}
          />
        </InlineField>
        <InlineField
          label="Figures"
          labelWidth={LABEL_WIDTH}
          invalid={alerting && figuresChosen.length !== 1}
          error="An alert rule needs exactly one figure."
          tooltip="The number columns to return; all when none is chosen. Alert rules and expressions need exactly one."
        >
          <MultiChoice<string>
            id={`query-figures-${query.refId}`}
            width={48}
            placeholder={alerting ? 'Choose one' : 'All'}
            options={figures.map(({ name, title, description }) => ({ value: name, label: title, description }))}
            value={figuresChosen}
            onChange={(names) => change({ figures: names })}
          />
        </InlineField>
        <InlineField label="Limit" labelWidth={8} tooltip="Rows at most.">
          <Input
            id={`query-limit-${query.refId}`}
            type="number"
            width={10}
            min={1}
            max={10_000}
            placeholder="1000"
            defaultValue={query.limit ?? ''}
            onBlur={({ currentTarget: { value } }) => {
              const limit = value === '' ? undefined : Math.min(10_000, Math.max(1, Math.round(Number(value))));
              if (limit !== query.limit) {
                change({ limit });
              }
            }}
          />
        </InlineField>
        {!alerting && entry?.live && (
          <InlineField label="Live" labelWidth={8} tooltip="Push new figures as they come, about once a second.">
            <InlineSwitch
              id={`query-live-${query.refId}`}
              value={query.live ?? false}
              onChange={({ currentTarget }) => change({ live: currentTarget.checked })}
            />
          </InlineField>
        )}
      </Stack>
      {Form && (
        <Stack gap={0} wrap="wrap">
          <Form key={query.queryType} query={query} datasource={datasource} change={change} />
        </Stack>
      )}
      <Stack gap={0}>
        <InlineField
          label="Filters"
          labelWidth={LABEL_WIDTH}
          tooltip="Keep rows by their text fields. Expressions must match the whole value. Variables work everywhere."
        >
          <FiltersEditor
            filters={query.filters ?? []}
            fields={entry?.filterFields ?? []}
            loadValues={(field) => datasource.values({ queryType: query.queryType, field })}
            onChange={(filters) => change({ filters })}
          />
        </InlineField>
      </Stack>
      {entry && (
        <Text variant="bodySmall" color="secondary">
          {entry.description}
        </Text>
      )}
    </Stack>
  );
}
