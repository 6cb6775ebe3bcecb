import { Fault } from '../faults/fault';
import { Installation } from '../installation/installation';
import type { Filter, FilterOperator } from '../queries/filterModel';
import type { OptionForm } from '../queries/queryType';
import { queryType, runQuery } from '../queries/registry';
import { commaSeparated } from '../settings/endpoint';
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

/** @param known the options of the query type */
function parseOption(option: string, known: ReadonlyMap<string, OptionForm>): [string, unknown] {
  const at = option.indexOf('=');
  if (at < 1) {
    throw new Fault({ kind: 'query', message: `The option "${option}" cannot be read.`, remedy: 'Write name=value.' });
  }
  const name = option.slice(0, at);
  const value = option.slice(at + 1);
  const form = known.get(name);
  if (form === undefined) {
    throw new Fault({
      kind: 'query',
      message: `There is no option "${name}".`,
      remedy: known.size > 0 ? `Choose from: ${[...known.keys()].join(', ')}.` : 'This query type takes no options.',
    });
  }
  return [name, form === 'text' ? value : form === 'list' ? listOf(value) : jsonOr(value)];
}

/** A JSON list, or values separated by commas. */
function listOf(value: string): unknown {
  return value.startsWith('[') ? jsonOr(value) : commaSeparated(value);
}

/** What is no JSON is refused by the schema, which names the field. */
function jsonOr(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return value;
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
