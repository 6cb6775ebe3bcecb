import type { DataLink } from '../frames/frame';
import { LINKED, type Linked } from '../settings/links';
import type { Options } from '../settings/model';
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

/** The column that holds the class under which Sidekiq keeps metrics: mailers are shown by another name. */
export const METRICS_CLASS = 'metricsClass';

/** From a job class to its metrics. */
export function metricsOfClass(request: QueryRequest): DataLink[] {
  return explore(request, 'Metrics of this class', {
    queryType: 'job_metrics',
    filters: [{ field: 'class', operator: '=', values: [`\${__data.fields.${METRICS_CLASS}}`] }],
  });
}

/** From an error class to the jobs that wait for a retry, or died, with it. */
export function jobsOfError(request: QueryRequest): DataLink[] {
  const filters = [{ field: 'errorClass', operator: '=', values: ['${__value.raw}'] }];
  return [
    ...explore(request, 'Jobs in retry with this error', { queryType: 'jobs', source: 'retry', filters }),
    ...explore(request, 'Dead jobs with this error', { queryType: 'jobs', source: 'dead', filters }),
  ];
}

/** From a job class to the jobs of it that wait for a retry, or died. The class under which metrics are kept finds them too. */
export function failedOfClass(request: QueryRequest): DataLink[] {
  const filters = [{ field: 'class', operator: '=', values: ['${__value.raw}'] }];
  return [
    ...explore(request, 'Jobs in retry of this class', { queryType: 'jobs', source: 'retry', filters }),
    ...explore(request, 'Dead jobs of this class', { queryType: 'jobs', source: 'dead', filters }),
  ];
}

/** From a job class to a figure of it over time. */
export function classOverTime(request: QueryRequest): DataLink[] {
  const filters = [{ field: 'class', operator: '=', values: ['${__value.raw}'] }];
  return explore(request, 'Mean time of this class over time', {
    queryType: 'job_metrics',
    show: 'series',
    figures: ['meanTime'],
    filters,
  });
}

/** From a queue to the metrics of the classes that run from it. */
export function classesOfQueue(request: QueryRequest): DataLink[] {
  const filters = [{ field: 'queue', operator: '=', values: ['${__value.raw}'] }];
  return explore(request, 'Metrics of the classes of this queue', { queryType: 'job_metrics', filters });
}

/** From a job's id to all that is known of it. */
export function detailsOfJob(request: QueryRequest): DataLink[] {
  return explore(request, 'This job', { queryType: 'job', jid: '${__value.raw}' });
}

/** Grafana puts the value in, percent-encoded. */
const VALUE = '${__value.raw:percentencode}';

const METRICS_CLASS_VALUE = `\${__data.fields.${METRICS_CLASS}:percentencode}`;

/** Pages of Sidekiq's Web UI (web/application.rb), where one may act; hosts have none. */
const WEB_UI: Partial<Record<Linked, { title: string; path: string }>> = {
  queue: { title: 'Queue in Sidekiq’s Web UI', path: `queues/${VALUE}` },
  class: { title: 'Class in Sidekiq’s Web UI', path: `metrics/${METRICS_CLASS_VALUE}` },
  jid: { title: 'Retries in Sidekiq’s Web UI', path: `retries?substr=${VALUE}` },
};

/** Links of the settings on a column: to Sidekiq's Web UI, and the operator's own. */
export function linksOfSettings(column: string, { webUiUrl, links }: Options): DataLink[] {
  const on = LINKED.find((name) => name === column);
  if (on === undefined) {
    return [];
  }
  const page = webUiUrl === '' ? undefined : WEB_UI[on];
  return [
    ...(page ? [{ title: page.title, url: `${webUiUrl.replace(/\/$/, '')}/${page.path}` }] : []),
    ...links
      .filter((link) => link.on === on)
      .map(({ title, url }) => ({ title, url: url.replaceAll('{value}', VALUE) })),
  ];
}
