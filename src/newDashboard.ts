/** What a new dashboard on this data source begins with, in Grafana's form of dashboards (version 2). */

/** Variables of worker types and queues. */
export function newDashboardVariables({ type, uid }: { type: string; uid: string }): object[] {
  return [
    ['workerType', 'Worker type', 'workerType'],
    ['queue', 'Queue', 'queue'],
  ].map(([name, label, field]) => ({
    kind: 'QueryVariable',
    spec: {
      name,
      label,
      query: {
        kind: 'DataQuery',
        group: type,
        version: 'v0',
        datasource: { name: uid },
        spec: { refId: 'variable', queryType: 'queues', field },
      },
      refresh: 'onTimeRangeChanged',
      sort: 'alphabeticalAsc',
      regex: '',
      multi: true,
      includeAll: true,
      allValue: '.*',
      allowCustomValue: true,
      hide: 'dontHide',
      skipUrlSync: false,
      options: [],
      current: { text: 'All', value: '$__all' },
    },
  }));
}

/** A menu of the bundled dashboards. */
export const NEW_DASHBOARD_LINKS: object[] = [
  {
    title: 'Sidekiq dashboards',
    type: 'dashboards',
    tags: ['sidekiq', 'direct', 'installation'],
    asDropdown: true,
    includeVars: true,
    keepTime: true,
    targetBlank: false,
    icon: '',
    tooltip: '',
    url: '',
  },
];
