import type { CatalogEntry, SidekiqQuery } from '../types';

const KEPT = ['datasource', 'key', 'hide', 'version'];

/** What a query keeps when another one is pasted in its place: Grafana's own fields, and the version of the model. */
export function keptOf(query: SidekiqQuery): Pick<SidekiqQuery, 'refId'> {
  const kept = Object.fromEntries(Object.entries(query).filter(([name]) => KEPT.includes(name)));
  return { refId: query.refId, ...kept };
}

/** A filter as a person reads it. */
export function filterText({ field, operator, values }: NonNullable<SidekiqQuery['filters']>[number]): string {
  return `${field} ${operator} ${values.join(', ')}`;
}

/** The titles of columns; a name that is none is its own. */
export function titlesOf({ columns }: CatalogEntry, names: readonly string[]): string[] {
  return names.map((name) => columns.find((column) => column.name === name)?.title ?? name);
}

/** The text fields by which rows may be filtered, by the titles of their columns; the name follows where it differs. */
export function filterChoices(
  entry: CatalogEntry | undefined
): Array<{ value: string; label: string; description?: string }> {
  return (entry?.filterFields ?? []).map((value) => {
    const [label = value] = titlesOf(entry!, [value]);
    return { value, label, ...(label.toLowerCase() !== value.toLowerCase() && { description: value }) };
  });
}
