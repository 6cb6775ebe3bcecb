import { css } from '@emotion/css';
import type { QueryEditorProps } from '@grafana/data';
import { t } from '@grafana/i18n';
import { EditorRow, EditorRows } from '@grafana/plugin-ui';
import { Alert, Combobox } from '@grafana/ui';
import { useEffect } from 'react';
import { groupTitle } from '../catalogTexts';
import { defaultQuery, isAlerting } from '../defaultQuery';
import type { CatalogEntry, SidekiqApi, SidekiqOptions, SidekiqQuery } from '../types';
import { FiltersEditor } from './FiltersEditor';
import { APPENDED_TYPE } from '../live';
import { readable } from '../storedQuery';
import { FORMS } from './forms/forms';
import { NumberOption } from './forms/OptionFields';
import { LiveOptions } from './LiveOptions';
import { MultiChoice } from './MultiChoice';
import { QueryField } from './QueryField';
import { filterChoices, keptOf, titlesOf } from './queryParts';
import { QueryText } from './QueryText';
import { useCatalog } from './useCatalog';

type Props = QueryEditorProps<SidekiqApi, SidekiqQuery, SidekiqOptions>;

/** A pane of a split Explore is narrower than a row of fields: they wrap, and none is wider than the pane. */
const NARROW_PANE = css({
  width: '100%',
  minWidth: 0,
  '& *': { minWidth: 0, maxWidth: '100%' },
  '& > div': { flexWrap: 'nowrap' },
});

/** What is shown where no figure is chosen. */
function unchosenText(entry: CatalogEntry | undefined): string {
  const titles = Array.isArray(entry?.unchosen) ? titlesOf(entry, entry.unchosen as readonly string[]) : [];
  return titles.length > 0
    ? t('editor.figures.default', 'Default: {{figures}}', { figures: titles.join(', ') })
    : t('editor.figures.all', 'All');
}

/** Whether a column is a figure of the query as it is. */
function isOffered({ kind, by }: CatalogEntry['columns'][number], query: SidekiqQuery): boolean {
  const asked = (query as { by?: string }).by ?? 'total';
  return (kind === 'number' || kind === 'boolean') && (by === undefined || by.includes(asked));
}

/** The form of a query: what to ask, what to keep, which figures. Runs on every change. */
export function QueryEditor({ query: stored, datasource, app, onChange, onRunQuery }: Props) {
  const query = readable(stored);
  const { catalog, problem } = useCatalog(datasource);
  const entry = catalog.find(({ id }) => id === query.queryType);
  const figures = (entry?.columns ?? []).filter((column) => isOffered(column, query));
  const alerting = isAlerting(app);
  const change = (part: Partial<SidekiqQuery>) => {
    onChange({ ...query, ...part });
    onRunQuery();
  };
  // Grafana hands the editor of a new panel or alert rule a query without a type.
  useEffect(() => {
    if (!stored.queryType) {
      onChange({ ...defaultQuery(app), ...stored });
      onRunQuery();
    }
  }, [app, stored, onChange, onRunQuery]);
  const figuresChosen = query.figures ?? [];
  const Form = FORMS[query.queryType];
  return (
    <div className={NARROW_PANE}>
      <EditorRows>
        {problem && (
          <Alert severity="error" title={t('editor.noCatalog', 'The query types cannot be loaded')}>
            {problem}
          </Alert>
        )}
        <EditorRow>
          <QueryField
            label={t('editor.type.label', 'Query type')}
            help={entry?.description ?? t('editor.type.help', 'The query type.')}
          >
            <Combobox
              id={`query-type-${query.refId}`}
              width={44}
              options={catalog.map(({ id, group, title, description }) => ({
                value: id,
                group: groupTitle(group),
                label: title,
                description,
              }))}
              value={query.queryType}
              onChange={({ value }) => {
                // Filters by a field that the other type has too go along; options and figures mean nothing there.
                const fields = catalog.find(({ id }) => id === value)?.filterFields ?? [];
                const filters = (query.filters ?? []).filter(({ field }) => fields.includes(field));
                onChange({
                  ...keptOf(query),
                  ...(query.limit !== undefined && { limit: query.limit }),
                  queryType: value,
                  figures: [],
                  filters,
                });
                onRunQuery();
              }}
            />
          </QueryField>
          <QueryField
            label={t('editor.figures.label', 'Figures')}
            help={t(
              'editor.figures.help',
              'The number columns to return. Alert rules and expressions need exactly one.'
            )}
            problem={
              alerting && figuresChosen.length !== 1
                ? t('editor.figures.one', 'An alert rule needs exactly one figure.')
                : undefined
            }
          >
            <MultiChoice<string>
              id={`query-figures-${query.refId}`}
              width={60}
              placeholder={alerting ? t('editor.figures.chooseOne', 'Choose one') : unchosenText(entry)}
              options={figures.map(({ name, title, description }) => ({ value: name, label: title, description }))}
              value={figuresChosen}
              onChange={(names) => change({ figures: names })}
            />
          </QueryField>
          <NumberOption
            id={`query-limit-${query.refId}`}
            label={t('editor.limit.label', 'Limit')}
            help={t('editor.limit.help', 'Maximum number of rows.')}
            value={query.limit}
            example={String(entry?.limit ?? 1000)}
            onChange={(limit) => change({ limit: limit && Math.min(10_000, Math.max(1, Math.round(limit))) })}
          />
          {!alerting && entry?.live && (
            <LiveOptions query={query} appends={entry.id === APPENDED_TYPE} change={change} />
          )}
        </EditorRow>
        {Form && (
          <EditorRow>
            <Form key={query.queryType} query={query} datasource={datasource} change={change} />
          </EditorRow>
        )}
        <EditorRow>
          <QueryField
            label={t('filters.label', 'Filters')}
            help={t(
              'filters.help',
              'Rows are kept by their text fields. An expression must match the whole value. Variables work in every value.'
            )}
          >
            <FiltersEditor
              filters={query.filters ?? []}
              fields={filterChoices(entry, catalog)}
              loadValues={(field) => datasource.values({ queryType: query.queryType, field })}
              onChange={(filters) => change({ filters })}
            />
          </QueryField>
        </EditorRow>
        {entry && (
          <QueryText
            query={query}
            entry={entry}
            catalog={catalog}
            onChange={(next) => {
              onChange(next);
              onRunQuery();
            }}
          />
        )}
      </EditorRows>
    </div>
  );
}
