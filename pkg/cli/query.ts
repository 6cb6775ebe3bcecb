import { parseFilter, parseOption } from '../queries/queryText';
import { queryType, runQuery } from '../queries/registry';
import type { Settings } from '../settings/settings';
import { printFrames, printJson } from './output';
import { parseTime } from '../source/instants';
import { openSource, type ReplayFlags } from './source';

/** Flags of the command, as commander reads them. */
export interface QueryFlags extends ReplayFlags {
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
  await answer(
    { ...Object.fromEntries((flags.option ?? []).map((option) => parseOption(option, options))), queryType: type },
    settings,
    flags
  );
}

/** Answers a query whose options are given, on stdout. @throws Fault */
export async function answer(given: object, settings: Settings, flags: QueryFlags): Promise<void> {
  const model = {
    ...given,
    figures: flags.figures ?? [],
    filters: (flags.filter ?? []).map(parseFilter),
    ...(flags.limit && { limit: flags.limit }),
  };
  const { source, now, close } = await openSource(settings, flags);
  try {
    const to = parseTime('--to', flags.to, now());
    const range = { from: parseTime('--from', flags.from, flags.from.startsWith('-') ? to : now()), to };
    const frames = await runQuery(model, source, {
      range,
      intervalSeconds: (range.to - range.from) / POINTS,
      alerting: false,
      reader: flags.json !== true,
    });
    process.stdout.write(flags.json ? printJson(frames) : printFrames(frames));
    if (flags.json) {
      for (const { severity, text } of frames.flatMap(({ meta }) => meta?.notices ?? [])) {
        process.stderr.write(`${severity}: ${text}\n`);
      }
    }
  } finally {
    close();
  }
}
