import {
  CustomVariableBuilder,
  QueryVariableBuilder,
  TextBoxVariableBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { SOURCES, type Flavour, type Variable } from './panel';

/** A variable of a dashboard; `null` where a flavour has none of its kind. */
export function variableOf(variable: Variable, flavour: Flavour) {
  const { name, label, description } = variable;
  if (variable.choice) {
    return choiceOf(variable);
  }
  if (variable.typed) {
    const typed = new TextBoxVariableBuilder(name).label(label).defaultValue('');
    return description === undefined ? typed : typed.description(description);
  }
  return variable[flavour] === undefined ? null : queriedOf(variable, flavour);
}

function choiceOf({ name, label, choice = [] }: Variable): CustomVariableBuilder {
  const [first = ''] = choice;
  const [text = '', value = text] = first.split(' : ');
  return new CustomVariableBuilder(name).label(label).values(choice.join(',')).current({ selected: true, text, value });
}

/**
 * Values are read as the dashboard is loaded: whenever they are read again, Grafana replaces a chosen value that is not among
 * them, such as a class that has not run lately. The values of a narrowed variable are all that its panels ask for.
 */
function queriedOf(variable: Variable, flavour: Flavour): QueryVariableBuilder {
  const { name, label, direct, prometheus, multi, narrowed, regex = '' } = variable;
  const query =
    flavour === 'direct' ? { refId: 'variable', ...direct } : { refId: 'variable', query: prometheus ?? '' };
  const builder = new QueryVariableBuilder(name)
    .label(label)
    .datasource(SOURCES[flavour])
    .query(query as never)
    .refresh(narrowed ? VariableRefresh.OnTimeRangeChanged : VariableRefresh.OnDashboardLoad)
    .sort(VariableSort.AlphabeticalAsc)
    .regex(regex)
    .multi(multi)
    .includeAll(multi)
    .current(multi ? { selected: true, text: 'All', value: '$__all' } : ({} as never));
  return narrowed ? builder : builder.allValue('.*');
}
