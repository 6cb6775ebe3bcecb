import { z } from 'zod';
import { Fault } from '../faults/fault';
import { problemOf } from '../faults/problemOf';
import type { QueryType } from '../queries/queryType';
import { QUERY_TYPES, runQuery } from '../queries/registry';
import { parseTime } from '../source/instants';
import type { Source } from '../source/source';
import { answerText, MOST } from './answer';

/** The sources that are asked, by their name; that without a name is the first. */
export type Sources = ReadonlyMap<string, Source>;

/** A tool as `tools/list` gives it. */
export interface Tool {
  name: string;
  title: string;
  description: string;
  inputSchema: { type: 'object'; properties: Record<string, object>; additionalProperties: false };
  annotations: { readOnlyHint: true; idempotentHint: true; openWorldHint: false };
}

const PREFIX = 'sidekiq_';
/** Rows where the caller names no limit. */
const ROWS = 20;
/** Options of the query model that a language model has no use for. */
const LEFT_OUT = ['queryType', 'version', 'limit', 'format'];
const HOUR = '-3600';

/** One read-only tool for each query type. */
export function toolsOf(sources: Sources): Tool[] {
  return QUERY_TYPES.map((type) => ({
    name: `${PREFIX}${type.id}`,
    title: type.title,
    description: descriptionOf(type),
    inputSchema: { type: 'object', properties: propertiesOf(type, sources), additionalProperties: false },
    annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
  }));
}

/** What a column is called and counted in; its meaning stands in the resource of the query type. */
function descriptionOf({ id, description, columns, filterFields }: QueryType): string {
  const filters = filterFields.length === 0 ? '' : ` Filter fields: ${filterFields.join(', ')}.`;
  return `${description} Columns: ${columns.map(({ name }) => name).join(', ')} (see sidekiq://query-types/${id}).${filters}`;
}

function propertiesOf({ schema, ofRange }: QueryType, sources: Sources): Record<string, object> {
  const { properties = {} } = z.toJSONSchema(schema, { io: 'input' });
  const own = Object.entries(properties).filter(([name]) => !LEFT_OUT.includes(name)) as Array<[string, object]>;
  const names = [...sources.keys()];
  return {
    ...Object.fromEntries(own),
    limit: { type: 'integer', minimum: 1, maximum: MOST.rows, default: ROWS, description: 'Rows to return at most.' },
    from: {
      type: 'string',
      default: HOUR,
      description: `Start of the time range: seconds before its end as "-3600", or ISO 8601.${ofRange ? '' : ' Of no use here but for what is read over time.'}`,
    },
    to: {
      type: 'string',
      default: '-0',
      description: ofRange
        ? 'End of the time range: seconds ago as "-60", "now-1m", or ISO 8601.'
        : 'The instant to answer as of, where readings were recorded: seconds ago as "-60", "now-1m", or ISO 8601.',
    },
    ...(names.length > 1 && {
      target: { type: 'string', enum: names, default: names[0], description: 'The Sidekiq installation to ask.' },
    }),
  };
}

const argumentsSchema = z.looseObject({
  from: z.string().default(HOUR),
  to: z.string().default('-0'),
  limit: z.number().int().min(1).max(MOST.rows).default(ROWS),
  target: z.string().optional(),
});

/**
 * Calls a tool.
 *
 * @param given its arguments as they came
 * @returns the answer as JSON
 * @throws Fault `query` naming the argument, others for what Redis said
 */
export async function callTool(
  name: string,
  given: Record<string, unknown>,
  sources: Sources,
  signal?: AbortSignal
): Promise<string> {
  const type = QUERY_TYPES.find(({ id }) => name === `${PREFIX}${id}`);
  if (!type) {
    throw new Fault({
      kind: 'query',
      message: `There is no tool "${name.slice(0, MOST.text)}".`,
      remedy: `Use one of: ${QUERY_TYPES.map(({ id }) => `${PREFIX}${id}`).join(', ')}.`,
    });
  }
  const known = propertiesOf(type, sources);
  const unknown = Object.keys(given).find((each) => !Object.hasOwn(known, each));
  if (unknown !== undefined) {
    throw new Fault({
      kind: 'query',
      message: `The tool ${name} has no argument "${unknown.slice(0, MOST.text)}".`,
      remedy: `Use one of: ${Object.keys(known).join(', ')}.`,
    });
  }
  const parsed = argumentsSchema.safeParse(given);
  if (!parsed.success) {
    const { path, reason } = problemOf(parsed.error);
    throw new Fault({
      kind: 'query',
      message: `The argument "${path.join('.')}" is not valid: ${reason}.`,
      remedy: 'See the schema of the tool.',
    });
  }
  const { from, to, target, ...options } = parsed.data;
  const source = sourceOf(sources, target);
  const now = source.now();
  const end = parseTime('"to"', to, now);
  const range = { from: parseTime('"from"', from, from.startsWith('-') ? end : now), to: end };
  const context = { range, intervalSeconds: Math.max(1, (range.to - range.from) / (MOST.points - 1)), alerting: false };
  const ask = async (limit: number) => runQuery({ ...options, limit, queryType: type.id }, source, context, signal);
  let answer = answerText(await ask(options.limit), range);
  const hasPages = Object.hasOwn(known, 'cursor');
  // The next page begins after the last row that was asked for, so that no row may be left out before it.
  while (answer.shortenedTo !== undefined && hasPages) {
    answer = answerText(await ask(answer.shortenedTo), range);
  }
  return answer.text;
}

function sourceOf(sources: Sources, target: string | undefined): Source {
  const [first] = sources.values();
  const source = target === undefined ? first : sources.get(target);
  if (!source) {
    throw new Fault({
      kind: 'query',
      message: `There is no target "${String(target).slice(0, MOST.text)}".`,
      remedy: `Use one of: ${[...sources.keys()].join(', ')}.`,
    });
  }
  return source;
}
