import { LiveChannelScope, StreamingFrameAction, type DataQueryRequest, type DataQueryResponse } from '@grafana/data';
import { getGrafanaLiveSrv } from '@grafana/runtime';
import type { Observable } from 'rxjs';
import type { SidekiqQuery } from './types';

/**
 * Watches a query by Grafana Live. The overview is one row, so its frames are appended and make a time
 * series; the others are tables, of which each frame replaces the former.
 */
export function watchQuery(
  uid: string,
  query: SidekiqQuery,
  request: DataQueryRequest<SidekiqQuery>
): Observable<DataQueryResponse> {
  const { queryType, figures, filters, limit } = query;
  const model = { queryType, figures, filters, limit, intervalMs: Math.max(1000, request.intervalMs) };
  return getGrafanaLiveSrv().getDataStream({
    key: `${request.requestId}.${query.refId}`,
    addr: {
      scope: LiveChannelScope.DataSource,
      namespace: uid,
      path: `${queryType}/${hash(JSON.stringify(model))}`,
      data: model,
    },
    buffer:
      queryType === 'overview'
        ? { maxLength: request.maxDataPoints ?? 1000, action: StreamingFrameAction.Append }
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
