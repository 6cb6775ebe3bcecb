import type { AdHocVariableFilter, ScopedVars } from '@grafana/data';
import type { TemplateSrv } from '@grafana/runtime';
import type { Filter, FilterOperator } from '../pkg/queries/filterModel';

const WHOLE_VARIABLE = /^(?:\$\w+|\$\{[^}]+\}|\[\[[^\]]+\]\])$/;

/**
 * Puts variables' values into filters. A value that is a variable as a whole becomes all of its values,
 * so that multi-value variables work; "All" with a custom value of `.*` keeps everything.
 */
export function interpolateFilters(
  filters: readonly Filter[],
  templates: TemplateSrv,
  scopedVars: ScopedVars
): Filter[] {
  return filters.map((filter) => ({
    ...filter,
    field: templates.replace(filter.field, scopedVars),
    values: filter.values.flatMap((value) => interpolateValue(value, filter.operator, templates, scopedVars)),
  }));
}

function interpolateValue(
  value: string,
  operator: FilterOperator,
  templates: TemplateSrv,
  scopedVars: ScopedVars
): string[] {
  if (!value.includes('$') && !value.includes('[[')) {
    return [value];
  }
  if (operator === '=~' || operator === '!~') {
    return [templates.replace(value, scopedVars, 'regex')].filter((text) => text !== '' && text !== '.*');
  }
  if (!WHOLE_VARIABLE.test(value.trim())) {
    return [templates.replace(value, scopedVars)];
  }
  const texts: string[] = [];
  const rest = templates.replace(value.trim(), scopedVars, (found: string | string[]) => {
    texts.push(...(Array.isArray(found) ? found : [found]));
    return '';
  });
  return [...texts, rest].filter((text) => text !== '' && text !== '.*');
}

const OPERATORS: Record<string, FilterOperator> = {
  '=': '=',
  '!=': '!=',
  '=~': '=~',
  '!~': '!~',
  '=|': '=',
  '!=|': '!=',
};

/** Ad-hoc filters of a dashboard as filters of a query; one whose field a query lacks is passed over. */
export function adhocFilters(filters: readonly AdHocVariableFilter[] = []): Filter[] {
  return filters.flatMap(({ key, operator, value, values }) => {
    const known = OPERATORS[operator];
    return known ? [{ field: key, operator: known, values: values ?? [value], adhoc: true }] : [];
  });
}

/** Puts variables' values into every text of a query but its filters, which take several values. */
export function interpolateTexts<Q extends object>(query: Q, templates: TemplateSrv, scopedVars: ScopedVars): Q {
  const text = (value: string) => (value.includes('$') ? templates.replace(value, scopedVars) : value);
  const replaced = (value: unknown): unknown =>
    typeof value === 'string' ? templates.replace(value, scopedVars) : isTexts(value) ? value.map(text) : value;
  const entries = Object.entries(query).map(([name, value]: [string, unknown]): [string, unknown] => [
    name,
    name === 'refId' ? value : replaced(value),
  ]);
  return Object.fromEntries(entries) as Q;
}

/** A list such as the chosen figures. */
function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}
