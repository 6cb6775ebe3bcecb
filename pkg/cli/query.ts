import { Fault } from '../faults/fault';
import { Installation } from '../installation/installation';
import type { Filter, FilterOperator } from '../queries/filter';
import { runQuery } from '../queries/registry';
import type { Settings } from '../settings/settings';
import { printFrames, printJson } from './output';

interface QueryFlags {
  json?: boolean;
  figures?: string[];
  filter?: string[];
  limit?: number;
  option?: string[];
  from: string;
  to: string;
}

/** Answers one query on stdout. @throws Fault */
export async function query(type: string, settings: Settings, flags: QueryFlags): Promise<void> {
  const model = {
    ...Object.fromEntries((flags.option ?? []).map(parseOption)),
    queryType: type,
    figures: flags.figures ?? [],
    filters: (flags.filter ?? []).map(parseFilter),
    ...(flags.limit && { limit: flags.limit }),
  };
  const range = { from: parseTime('from', flags.from), to: parseTime('to', flags.to) };
  const installation = new Installation(settings);
  try {
    const frames = await runQuery(
      model,
      installation.context({
        range,
        intervalSeconds: Math.max(1, (range.to - range.from) / 200),
        maxDataPoints: 200,
        alerting: false,
      })
    );
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

function parseFilter(text: string): Filter {
  const match = /^(\w+)(=~|!~|!=|=)(.*)$/.exec(text);
  if (!match) {
    throw new Fault({
      kind: 'query',
      message: `The filter "${text}" cannot be read.`,
      remedy: 'Write field=value, field!=value, field=~regex or field!~regex.',
    });
  }
  const [, field = '', operator = '=', value = ''] = match;
  const isExpression = operator.endsWith('~');
  return { field, operator: operator as FilterOperator, values: isExpression ? [value] : value.split(',') };
}

function parseOption(text: string): [string, unknown] {
  const at = text.indexOf('=');
  if (at < 1) {
    throw new Fault({ kind: 'query', message: `The option "${text}" cannot be read.`, remedy: 'Write name=value.' });
  }
  const value = text.slice(at + 1);
  try {
    return [text.slice(0, at), JSON.parse(value)];
  } catch {
    return [text.slice(0, at), value];
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
