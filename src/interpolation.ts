import type { AdHocVariableFilter, ScopedVars } from '@grafana/data';
import type { TemplateSrv } from '@grafana/runtime';
import type { Filter, FilterOperator } from '../pkg/queries/filterModel';

/** Formats that join or quote values, which a list of values has no use for: `${queue:csv}` means each of its queues. */
const JOINED = /:(?:csv|distributed|doublequote|glob|json|lucene|pipe|raw|regex|singlequote|sqlstring)(?=[\]}]{1,2}$)/;
/** Those of them that are no regular expression. */
const LISTED = /:(?:csv|distributed|doublequote|glob|json|lucene|singlequote|sqlstring)(?=[\]}]{1,2}$)/;
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
    const plain = WHOLE_VARIABLE.test(value.trim()) ? value.trim().replace(LISTED, '') : value;
    return [templates.replace(plain, scopedVars, 'regex')].filter((text) => text !== '' && text !== '.*');
  }
  if (!WHOLE_VARIABLE.test(value.trim())) {
    return [templates.replace(value, scopedVars)];
  }
  const texts: string[] = [];
  const rest = templates.replace(value.trim().replace(JOINED, ''), scopedVars, (found: string | string[]) => {
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

/**
 * Puts variables' values into every text of a query but its filters. A variable that is a whole item of a list, such as
 * the chosen figures, becomes all of its values.
 */
export function interpolateTexts<Q extends object>(query: Q, templates: TemplateSrv, scopedVars: ScopedVars): Q {
  const replaced = (value: unknown): unknown =>
    typeof value === 'string'
      ? templates.replace(value, scopedVars)
      : isTexts(value)
        ? value.flatMap((item) => interpolateValue(item, '=', templates, scopedVars))
        : value;
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
