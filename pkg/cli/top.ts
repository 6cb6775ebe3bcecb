import { Fault } from '../faults/fault';
import { runQuery } from '../queries/registry';
import type { Settings } from '../settings/settings';
import { printFrames } from './output';
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
  let stopped = !live;
  process.once('SIGINT', () => (stopped = true));
  try {
    do {
      const view = await draw(opened);
      process.stdout.write(live ? `${CLEAR}${view}\nEvery ${intervalSeconds} s · Ctrl-C ends\n` : view);
      if (!stopped) {
        await new Promise((resolve) => setTimeout(resolve, intervalSeconds * 1000));
      }
    } while (!stopped);
  } finally {
    opened.close();
  }
}

async function draw({ source, now: clock }: OpenSource): Promise<string> {
  const now = clock();
  const request = { range: { from: now - 3600, to: now }, intervalSeconds: 60, alerting: false };
  try {
    const frames = await Promise.all(VIEWS.map((view) => runQuery(view, source, request)));
    return printFrames(frames.flat().map((frame) => ({ ...frame, meta: {} })));
  } catch (error) {
    if (error instanceof Fault && error.kind === 'connection') {
      return `${error.explanation}\n`;
    }
    throw error;
  }
}
