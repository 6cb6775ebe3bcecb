import { setTimeout as sleep } from 'node:timers/promises';
import { Fault } from '../faults/fault';
import { runQuery } from '../queries/registry';
import type { Settings } from '../settings/settings';
import { oneLine } from '../printable';
import { noticesOf, printFrames } from './output';
import { openSource, type OpenSource, type ReplayFlags } from './source';

const CLEAR = '\x1b[2J\x1b[H';

/** Lines of the view beside the rows of queues: titles, totals, ten jobs and what is told below. */
const OTHER_LINES = 24;
const FEWEST_QUEUES = 3;

/** @param queues rows of queues at most, the worst first */
const viewsOf = (queues: number | undefined) => [
  {
    queryType: 'overview',
    figures: ['processed', 'failed', 'busy', 'threads', 'enqueued', 'scheduled', 'retry', 'dead', 'latencyMax'],
  },
  {
    queryType: 'queues',
    figures: ['size', 'latency', 'busy', 'readyThreads', 'inRate', 'outRate', 'drainTime'],
    limit: queues,
  },
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
      process.stdout.write(live ? onScreen(`${view}\nEvery ${intervalSeconds} s · Ctrl-C ends`, process.stdout) : view);
      if (live) {
        await sleep(intervalSeconds * 1000, undefined, { signal: ended.signal }).catch(() => undefined);
      }
    } while (live && !ended.signal.aborted);
  } finally {
    opened.close();
  }
}

/** A view as large as the terminal, from its first line on: one that is longer would scroll its totals away. */
export function onScreen(view: string, { columns = 80, rows = 24 }: { columns?: number; rows?: number }): string {
  const lines = view.split('\n').map((line) => [...line].slice(0, columns).join(''));
  const shown = lines.length > rows ? [...lines.slice(0, Math.max(0, rows - 2)), lines.at(-1)!] : lines;
  return `${CLEAR}${shown.join('\n')}`;
}

/** The view as a text. @throws Fault `connection` where nobody waits for the next view, in which Redis may be back */
async function draw({ source, now: clock }: OpenSource, live: boolean): Promise<string> {
  const now = clock();
  const request = { range: { from: now - 3600, to: now }, intervalSeconds: 60, alerting: false };
  try {
    const queues = live ? Math.max(FEWEST_QUEUES, (process.stdout.rows ?? 24) - OTHER_LINES) : undefined;
    const views = viewsOf(queues);
    const frames = (await Promise.all(views.map((view) => runQuery(view, source, request)))).flat();
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
