import type { AdHocVariableFilter, ScopedVars } from '@grafana/data';
import type { TemplateSrv } from '@grafana/runtime';
import type { Filter, FilterOperator } from '../pkg/queries/filterModel';

/** Formats that join or quote values, and make no regular expression of them. */
const LISTS = 'csv|distributed|doublequote|glob|json|lucene|singlequote|sqlstring';
const LISTED = formatOf(LISTS);
/** All that a list of values has no use for: `${queue:csv}` means each of its queues. */
const JOINED = formatOf(`${LISTS}|pipe|raw|regex`);
/** The custom value of "All" in the dashboards of this plugin. */
const ALL = '.*';
const WHOLE_VARIABLE = /^(?:\$\w+|\$\{[^}]+\}|\[\[[^\]]+\]\])$/;

/** The format of a variable that is a whole text, if it is one of these. */
function formatOf(names: string): RegExp {
  return new RegExp(`:(?:${names})(?=[\\]}]{1,2}$)`);
}

/**
 * Puts variables' values into filters. A value that is a variable as a whole becomes all of its values,
 * so that multi-value variables work; "All" with a custom value of `.*` keeps everything.
 */
export function interpolateFilters(
  filters: readonly Filter[],
  templates: TemplateSrv,
  scopedVars: ScopedVars
): Filter[] {
  return filters.map((filter) => {
    // Written by hand, it may be anything: the backend says what is wrong.
    if (typeof filter?.field !== 'string' || !isTexts(filter.values) || typeof filter.operator !== 'string') {
      return filter;
    }
    const field = templates.replace(filter.field, scopedVars);
    const { values, isAll } = interpolateValues(filter.values, filter.operator, templates, scopedVars);
    // "Is none of all" keeps nothing, as it does where "All" stands for each of its values.
    return isAll && filter.operator.startsWith('!')
      ? { ...filter, field, operator: '!~', values: [ALL] }
      : { ...filter, field, values };
  });
}

/** The values of a list with those of its variables, and whether one of these is "All", which is no value. */
function interpolateValues(
  list: readonly string[],
  operator: FilterOperator,
  templates: TemplateSrv,
  scopedVars: ScopedVars
): { values: string[]; isAll: boolean } {
  const found = list.map((value) => {
    const texts = interpolateValue(value, operator, templates, scopedVars);
    return { texts, isAll: hasVariable(value) && texts.includes(ALL) };
  });
  return {
    values: found.flatMap(({ texts, isAll }) => (isAll ? texts.filter((text) => text !== ALL) : texts)),
    isAll: found.some(({ isAll }) => isAll),
  };
}

function hasVariable(value: string): boolean {
  return value.includes('$') || value.includes('[[');
}

function interpolateValue(
  value: string,
  operator: FilterOperator,
  templates: TemplateSrv,
  scopedVars: ScopedVars
): string[] {
  if (!hasVariable(value)) {
    return [value];
  }
  if (operator === '=~' || operator === '!~') {
    const plain = WHOLE_VARIABLE.test(value.trim()) ? value.trim().replace(LISTED, '') : value;
    return [templates.replace(plain, scopedVars, 'regex')].filter((text) => text !== '');
  }
  if (!WHOLE_VARIABLE.test(value.trim())) {
    return [templates.replace(value, scopedVars)];
  }
  const texts: string[] = [];
  const rest = templates.replace(value.trim().replace(JOINED, ''), scopedVars, (found: string | string[]) => {
    texts.push(...(Array.isArray(found) ? found : [found]));
    return '';
  });
  return [...texts, rest].filter((text) => text !== '');
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
        ? interpolateValues(value, '=', templates, scopedVars).values
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
