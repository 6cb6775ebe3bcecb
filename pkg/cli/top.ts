import { setTimeout as sleep } from 'node:timers/promises';
import { Fault } from '../faults/fault';
import { runQuery } from '../queries/registry';
import type { Settings } from '../settings/settings';
import { oneLine } from '../printable';
import { noticesOf, printFrames } from './output';
import { openSource, type OpenSource, type ReplayFlags } from './source';

const CLEAR = '\x1b[2J\x1b[H';

const VIEWS = [
  {
    queryType: 'overview',
    figures: ['processed', 'failed', 'busy', 'threads', 'enqueued', 'scheduled', 'retry', 'dead', 'latencyMax'],
  },
  { queryType: 'queues', figures: ['size', 'latency', 'busy', 'readyThreads', 'inRate', 'outRate', 'drainTime'] },
  { queryType: 'busy', figures: ['runTime'], limit: 10 },
];

/** Shows the installation live until Ctrl-C. Without a terminal it prints one view and ends. */
export async function top(settings: Settings, intervalSeconds: number, flags: ReplayFlags = {}): Promise<void> {
  const opened = await openSource(settings, flags);
  const live = process.stdout.isTTY;
  const ended = new AbortController();
  process.once('SIGINT', () => ended.abort());
  try {
    do {
      const view = await draw(opened, live);
      process.stdout.write(live ? `${CLEAR}${view}\nEvery ${intervalSeconds} s · Ctrl-C ends\n` : view);
      if (live) {
        await sleep(intervalSeconds * 1000, undefined, { signal: ended.signal }).catch(() => undefined);
      }
    } while (live && !ended.signal.aborted);
  } finally {
    opened.close();
  }
}

/** The view as a text. @throws Fault `connection` where nobody waits for the next view, in which Redis may be back */
async function draw({ source, now: clock }: OpenSource, live: boolean): Promise<string> {
  const now = clock();
  const request = { range: { from: now - 3600, to: now }, intervalSeconds: 60, alerting: false };
  try {
    const frames = (await Promise.all(VIEWS.map((view) => runQuery(view, source, request)))).flat();
    const tables = printFrames(frames.map((frame) => ({ ...frame, meta: {} })));
    // Most are told with each of the tables.
    return tables + [...new Set(frames.flatMap(noticesOf))].join('');
  } catch (error) {
    if (live && error instanceof Fault && error.kind === 'connection') {
      return `${oneLine(error.explanation)}\n`;
    }
    throw error;
  }
}
