import { Fault } from '../faults/fault';
import { Installation } from '../installation/installation';
import { parseFilter, parseOption } from '../queries/queryText';
import { queryType, runQuery } from '../queries/registry';
import type { Settings } from '../settings/settings';
import { printFrames, printJson } from './output';

/** Flags of the command, as commander reads them. */
export interface QueryFlags {
  json?: boolean;
  figures?: string[];
  filter?: string[];
  limit?: number;
  option?: string[];
  from: string;
  to: string;
}

/** Points of a time series that a terminal has use for. */
const POINTS = 200;

/** Answers one query on stdout. @throws Fault */
export async function query(type: string, settings: Settings, flags: QueryFlags): Promise<void> {
  const { options } = queryType(type);
  const model = {
    ...Object.fromEntries((flags.option ?? []).map((option) => parseOption(option, options))),
    queryType: type,
    figures: flags.figures ?? [],
    filters: (flags.filter ?? []).map(parseFilter),
    ...(flags.limit && { limit: flags.limit }),
  };
  const range = { from: parseTime('from', flags.from), to: parseTime('to', flags.to) };
  const installation = new Installation(settings);
  try {
    const frames = await runQuery(model, installation, {
      range,
      intervalSeconds: (range.to - range.from) / POINTS,
      alerting: false,
    });
    process.stdout.write(flags.json ? printJson(frames) : printFrames(frames));
    if (flags.json) {
      for (const { severity, text } of frames.flatMap(({ meta }) => meta?.notices ?? [])) {
        process.stderr.write(`${severity}: ${text}\n`);
      }
    }
  } finally {
    installation.close();
  }
}

function parseTime(field: string, text: string): number {
  const now = Date.now() / 1000;
  const seconds = Number(text);
  if (!Number.isNaN(seconds)) {
    return seconds <= 0 ? now + seconds : seconds;
  }
  const at = Date.parse(text);
  if (Number.isNaN(at)) {
    throw new Fault({
      kind: 'query',
      message: `The time --${field} "${text}" cannot be read.`,
      remedy: 'Give seconds ago as -3600, or ISO 8601.',
    });
  }
  return at / 1000;
}
