import type { Panel } from './panel';

/** Tables about jobs that more than one dashboard shows. */

/** Why jobs of one class wait for a retry or died; the query is the dashboard's. */
export const errorsOfClass = (
  more: Pick<Panel, 'title' | 'description' | 'height' | 'direct'> & Partial<Panel>
): Panel => ({
  kind: 'table',
  width: 24,
  columns: ['errorClass', 'message', 'retry', 'dead', 'trend', 'first', 'last'],
  hidden: ['queue', 'pattern', 'share', 'rate', 'classes', 'queues', 'count', 'frame'],
  wrapped: ['Error', 'Message'],
  widths: { 'In retry': 85, Dead: 70, 'Last 12 hours': 155, First: 160, Last: 160 },
  ...more,
});

/** What happened within the time range. */
export const eventsTable = (more: Pick<Panel, 'title' | 'description' | 'height'> & Partial<Panel>): Panel => ({
  kind: 'table',
  width: 24,
  direct: [{ queryType: 'events' }],
  columns: ['time', 'title', 'kind', 'host', 'timeEnd', 'path'],
  hidden: ['tags', 'count', 'severity', 'subject', 'rule', 'lasted'],
  invisible: ['Path'],
  timedLinks: { Event: 'Path' },
  dated: ['Time', 'Until'],
  wrapped: ['Event'],
  widths: { Time: 160, Until: 160, Kind: 90, Host: 130 },
  minWidths: { Event: 330 },
  counted: true,
  ...more,
});
