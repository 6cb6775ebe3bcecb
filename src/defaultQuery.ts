import { CoreApp } from '@grafana/data';
import { QUERY_VERSION } from '../pkg/queries/version';
import type { SidekiqQuery } from './types';

/** Whether a query is one of an alert rule. */
export function isAlerting(app?: CoreApp): boolean {
  return app === CoreApp.UnifiedAlerting || app === CoreApp.CloudAlerting;
}

/** Whether a query is one of Explore. */
export function isExplore(app?: string): boolean {
  return app === String(CoreApp.Explore);
}

/** What is asked before anything is chosen: lines where a graph is shown, rows where a table is, one figure for a rule. */
export function defaultQuery(app?: CoreApp): Omit<SidekiqQuery, 'refId'> {
  const version = QUERY_VERSION;
  switch (app) {
    case CoreApp.UnifiedAlerting:
    case CoreApp.CloudAlerting:
      return { queryType: 'findings', figures: ['level'], version };
    case CoreApp.PanelEditor:
    case CoreApp.Dashboard:
      return { queryType: 'history', figures: ['enqueued', 'busy'], version };
    default:
      return { queryType: 'queues', version };
  }
}
