import { t } from '@grafana/i18n';
import type { CatalogEntry } from './types';

/** The keys of a query type's texts; scripts/translations.ts writes their English texts. */
export function typeKeys(id: string): { title: string; description: string } {
  return { title: `queries.${id}.title`, description: `queries.${id}.description` };
}

/** The key of a group of the type menu. */
export function groupKey(group: string): string {
  return `groups.${group.toLowerCase().replaceAll(' ', '_')}`;
}

/** A query type with its texts in the user's language; the backend's own are English. */
export function translated(entry: CatalogEntry): CatalogEntry {
  const { title, description } = typeKeys(entry.id);
  return {
    ...entry,
    title: t(title, entry.title),
    description: t(description, entry.description),
  };
}

/** The name of a group of the type menu, in the user's language. */
export function groupTitle(group: string): string {
  return t(groupKey(group), group);
}
