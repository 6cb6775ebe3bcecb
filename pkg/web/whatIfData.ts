import { Fault } from '../faults/fault';
import { rowsOf } from '../frames/frame';
import { runQuery } from '../queries/registry';
import type { Source } from '../source/source';
import type { WhatIfData } from './model';

const SECONDS = 3600;

/** What a reader of the page asks: `traffic` as a factor, `threads` as "worker type=threads", see the query type. */
export interface Asked {
  traffic: string[];
  threads: string[];
  /** The end of the hour that is simulated, epoch seconds; now where it is left out. */
  asOf?: number;
}

/** The work of the last hour with the changes that are asked for, by worker type. @throws the reason of the signal */
export async function whatIfData(
  source: Source,
  { traffic, threads, asOf }: Asked,
  signal: AbortSignal
): Promise<WhatIfData> {
  const to = asOf ?? source.now();
  try {
    signal.throwIfAborted();
    const frames = await runQuery({ queryType: 'what_if', by: 'workerType', traffic, threads }, source, {
      range: { from: to - SECONDS, to },
      intervalSeconds: 60,
      alerting: false,
      signal,
    });
    const [frame] = frames;
    return { rows: rowsOf(frame!), notes: (frame!.meta?.notices ?? []).map(({ text }) => text) };
  } catch (error) {
    if (error instanceof Fault) {
      return { rows: [], notes: [], problem: error.explanation };
    }
    throw error;
  }
}
