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

/**
 * The text fields by which rows may be filtered, by the titles of their columns, or by those that other query types have for
 * them; the name follows where it differs.
 */
export function filterChoices(
  entry: CatalogEntry | undefined,
  catalog: readonly CatalogEntry[] = []
): Array<{ value: string; label: string; description?: string }> {
  return (entry?.filterFields ?? []).map((value) => {
    const titled = [entry!, ...catalog].find(({ columns }) => columns.some(({ name }) => name === value));
    const [label = value] = titled ? titlesOf(titled, [value]) : [];
    return { value, label, ...(label.toLowerCase() !== value.toLowerCase() && { description: value }) };
  });
}

/** The text fields of all query types, those that most of them have first: queues, classes and hosts make variables, sentences none. */
export function fieldChoices(catalog: readonly CatalogEntry[]) {
  const many = (name: string) => catalog.filter(({ filterFields }) => filterFields.includes(name)).length;
  return catalog
    .flatMap((entry) =>
      filterChoices(entry, catalog).map(({ value, label, ...rest }) => ({
        ...rest,
        field: value,
        value: `${entry.id}.${value}`,
        label: `${entry.title}: ${label}`,
      }))
    )
    .sort((one, other) => many(other.field) - many(one.field))
    .map(({ field: _, ...choice }) => choice);
}
