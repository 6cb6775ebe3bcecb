import type { DataLink } from '../frames/frame';
import type { QueryRequest } from './queryType';

/** A link on a value that opens another query of the same data source in Explore. The value is put into `${__value.raw}`. */
function explore({ dataSource }: QueryRequest, title: string, query: object): DataLink[] {
  return dataSource
    ? [{ title, url: '', internal: { query, datasourceUid: dataSource.uid, datasourceName: dataSource.name } }]
    : [];
}

/** From a queue's name to the jobs that wait in it. */
export function jobsOfQueue(request: QueryRequest): DataLink[] {
  return explore(request, 'Jobs of this queue', { queryType: 'jobs', source: 'queue', queue: '${__value.raw}' });
}

/** From a job class to its metrics. */
export function metricsOfClass(request: QueryRequest): DataLink[] {
  return explore(request, 'Metrics of this class', {
    queryType: 'job_metrics',
    filters: [{ field: 'class', operator: '=', values: ['${__value.raw}'] }],
  });
}

/** From a job's id to all that is known of it. */
export function detailsOfJob(request: QueryRequest): DataLink[] {
  return explore(request, 'This job', { queryType: 'job', jid: '${__value.raw}' });
}
