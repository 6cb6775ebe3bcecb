import { CustomVariableSupport, type DataQueryRequest, type DataQueryResponse } from '@grafana/data';
import { getTemplateSrv } from '@grafana/runtime';
import { from, map, type Observable } from 'rxjs';
import { VariableEditor } from './components/VariableEditor';
import { interpolateFilters } from './interpolation';
import type { SidekiqApi, SidekiqVariableQuery } from './types';

/** Dashboard variables: the distinct values of a text field, chained by filters that name other variables. */
export class SidekiqVariables extends CustomVariableSupport<SidekiqApi, SidekiqVariableQuery> {
  override editor = VariableEditor;

  constructor(private readonly source: Pick<SidekiqApi, 'values'>) {
    super();
  }

  override getDefaultQuery(): Partial<SidekiqVariableQuery> {
    return { refId: 'variable', queryType: 'queues', field: 'queue' };
  }

  override query({ targets, scopedVars }: DataQueryRequest<SidekiqVariableQuery>): Observable<DataQueryResponse> {
    const [query] = targets;
    const filters = interpolateFilters(
      Array.isArray(query?.filters) ? query.filters : [],
      getTemplateSrv(),
      scopedVars
    );
    return from(
      this.source.values({ queryType: query?.queryType ?? 'queues', field: query?.field ?? 'queue', filters })
    ).pipe(map((values) => ({ data: values.map((value) => ({ text: value, value })) })));
  }
}
