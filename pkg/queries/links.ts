import type { DataLink } from '../frames/frame';
import type { QueryContext } from './context';

/** A link on a value that opens another query of the same data source in Explore. The value is put into `${__value.raw}`. */
function explore(context: QueryContext, title: string, query: object): DataLink[] {
  const { dataSource } = context;
  return dataSource
    ? [{ title, url: '', internal: { query, datasourceUid: dataSource.uid, datasourceName: dataSource.name } }]
    : [];
}

/** From a queue's name to the jobs that wait in it. */
export function jobsOfQueue(context: QueryContext): DataLink[] {
  return explore(context, 'Jobs of this queue', { queryType: 'jobs', source: 'queue', queue: '${__value.raw}' });
}

/** From a job class to its metrics. */
export function metricsOfClass(context: QueryContext): DataLink[] {
  return explore(context, 'Metrics of this class', {
    queryType: 'job_metrics',
    filters: [{ field: 'class', operator: '=', values: ['${__value.raw}'] }],
  });
}
