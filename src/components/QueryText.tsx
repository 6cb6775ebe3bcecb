import { t } from '@grafana/i18n';
import { EditorRow } from '@grafana/plugin-ui';
import { ClipboardButton, Input, Text } from '@grafana/ui';
import { useState } from 'react';
import type { Fault } from '../../pkg/faults/fault';
import { parseQueryText, queryText } from '../../pkg/queries/queryText';
import type { CatalogEntry, SidekiqQuery } from '../types';
import { QueryField } from './QueryField';
import { filterText, keptOf, titlesOf } from './queryParts';

interface Props {
  query: SidekiqQuery;
  entry: CatalogEntry;
  catalog: readonly CatalogEntry[];
  onChange: (query: SidekiqQuery) => void;
}

/** What the query asks, in a sentence; what it costs Redis; and its text form, to copy and to paste. */
export function QueryText({ query, entry, catalog, onChange }: Props) {
  const text = queryText({ ...query }, new Map(Object.entries(entry.options)));
  const [problem, setProblem] = useState<string>();
  const take = (typed: string) => {
    if (typed.trim() === '' || typed.trim() === text) {
      setProblem(undefined);
      return;
    }
    try {
      const read = parseQueryText(typed, (id) => {
        const found = catalog.find((each) => each.id === id);
        return found && new Map(Object.entries(found.options));
      });
      setProblem(undefined);
      onChange({ ...keptOf(query), ...read } as SidekiqQuery);
    } catch (error) {
      setProblem((error as Partial<Fault>).explanation ?? (error as Error).message);
    }
  };
  return (
    <>
      <Text variant="bodySmall" color="secondary">
        {explanation(query, entry)}
      </Text>
      <EditorRow>
        <QueryField
          label={t('editor.text.label', 'As a command')}
          help={t('editor.text.help', 'The same query on the command line. Paste another one here to ask that.')}
          problem={problem}
        >
          <Input
            key={text}
            id={`query-text-${query.refId}`}
            width={80}
            defaultValue={text}
            addonAfter={
              <ClipboardButton
                icon="copy"
                variant="secondary"
                getText={() => text}
                aria-label={t('editor.text.copy', 'Copy the command')}
              />
            }
            onBlur={({ currentTarget }) => take(currentTarget.value)}
            onKeyDown={({ key, currentTarget }) => key === 'Enter' && take(currentTarget.value)}
          />
        </QueryField>
      </EditorRow>
    </>
  );
}

/** A sentence of what is asked, and one of what Redis is asked for it. */
function explanation(query: SidekiqQuery, entry: CatalogEntry): string {
  const { figures = [], filters = [], limit } = query;
  const options = Object.keys(entry.options)
    .map((name) => [name, query[name as keyof SidekiqQuery] as unknown] as const)
    .filter(([, value]) => value !== undefined && value !== '' && !(Array.isArray(value) && value.length === 0))
    .map(([name, value]) => `${name} = ${Array.isArray(value) ? value.join(', ') : String(value)}`);
  const titles = titlesOf(entry, figures);
  const kept = filters.filter(({ values }) => values.length > 0).map(filterText);
  const parts = [
    titles.length > 0 ? t('editor.explain.figures', 'Figures: {{figures}}.', { figures: titles.join(', ') }) : '',
    kept.length > 0 ? t('editor.explain.filters', 'Only where {{filters}}.', { filters: kept.join('; ') }) : '',
    options.length > 0 ? t('editor.explain.options', 'Options: {{options}}.', { options: options.join('; ') }) : '',
    t('editor.explain.limit', 'At most {{limit}} rows.', { limit: limit ?? entry.limit }),
    entry.cost === ''
      ? t('editor.explain.free', 'Cost: none beyond the reading that all panels share.')
      : t('editor.explain.cost', 'Cost beyond the reading that all panels share: {{cost}}.', { cost: entry.cost }),
  ];
  return [entry.description, ...parts].filter((part) => part !== '').join(' ');
}
