import { LiveChannelScope, StreamingFrameAction, type DataQueryRequest, type DataQueryResponse } from '@grafana/data';
import { getGrafanaLiveSrv } from '@grafana/runtime';
import type { Observable } from 'rxjs';
import type { SidekiqQuery } from './types';

/** The overview is one row, so its frames are appended and make a time series; of the others each replaces the former. */
export const APPENDED_TYPE = 'overview';

/** What the backend does not need to know of a query, so that panels that show the same share a channel. */
const OF_THE_PANEL: ReadonlySet<string> = new Set([
  'refId',
  'datasource',
  'key',
  'hide',
  'live',
  'liveEverySeconds',
  'livePoints',
]);

/** Watches a query by Grafana Live. */
export function watchQuery(
  uid: string,
  query: SidekiqQuery,
  request: DataQueryRequest<SidekiqQuery>
): Observable<DataQueryResponse> {
  const { queryType, liveEverySeconds, livePoints } = query;
  const asked = Object.entries(query).filter(([name]) => !OF_THE_PANEL.has(name));
  const intervalMs = Math.max(1000, liveEverySeconds === undefined ? request.intervalMs : liveEverySeconds * 1000);
  const model = { ...Object.fromEntries(asked), intervalMs };
  return getGrafanaLiveSrv().getDataStream({
    key: `${request.requestId}.${query.refId}`,
    addr: {
      scope: LiveChannelScope.DataSource,
      namespace: uid,
      path: `${queryType}/${hash(JSON.stringify(model))}`,
      data: model,
    },
    buffer:
      queryType === APPENDED_TYPE
        ? { maxLength: livePoints ?? request.maxDataPoints ?? 1000, action: StreamingFrameAction.Append }
        : { action: StreamingFrameAction.Replace },
  });
}

/** A short name for a query, so that equal ones share a channel (FNV-1a). */
function hash(text: string): string {
  let state = 0x811c9dc5;
  for (const character of text) {
    state = Math.imul(state ^ character.codePointAt(0)!, 0x01000193) >>> 0;
  }
  return state.toString(36);
}
