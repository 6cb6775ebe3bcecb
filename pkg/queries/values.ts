import { z } from 'zod';
import { Fault } from '../faults/fault';
import { NotRecorded } from '../source/notRecorded';
import type { Range } from '../source/reads';
import { NOW_SECONDS, type Source } from '../source/source';
import { parseQuery } from './model';
import { queryType, runQuery } from './registry';

/** Longest list of values offered for a variable. */
const VALUE_LIMIT = 5000;

/** Types whose own rows are not there before the query is complete, or name their field in labels; so with fields that are no columns. */
const ELSEWHERE: ReadonlySet<string> = new Set(['history', 'capacity', 'jobs', 'backlog']);
/** Where the values of their fields are found. */
const SOURCES: ReadonlyMap<string, string> = new Map([
  ['queue', 'queues'],
  ['workerType', 'queues'],
  ['class', 'job_metrics'],
  ['errorClass', 'errors'],
]);

const valuesSchema = z.object({
  queryType: z.string(),
  field: z.string(),
  query: z.record(z.string(), z.unknown()).default({}),
});

/**
 * The distinct values of one text field of a query, for variables and filters: the query's own filters
 * narrow them, which is how variables are chained.
 *
 * @param params `queryType`, `field`, and optionally `query` as JSON, `from` and `to` in epoch milliseconds
 * @throws Fault `query` naming what is wrong
 */
export async function readValues(source: Source, params: URLSearchParams): Promise<string[]> {
  const asked = parseQuery(valuesSchema, {
    queryType: params.get('queryType') ?? undefined,
    field: params.get('field') ?? undefined,
    query: parseJson(params.get('query')),
  });
  const type = queryType(asked.queryType);
  if (!type.filterFields.includes(asked.field)) {
    throw new Fault({
      kind: 'query',
      message: `The query type "${type.id}" has no text field "${asked.field}".`,
      remedy: `Choose from: ${type.filterFields.join(', ')}.`,
    });
  }
  const now = source.now() * 1000;
  const isColumn = type.columns.some(({ name }) => name === asked.field);
  const elsewhere = ELSEWHERE.has(type.id) || !isColumn ? SOURCES.get(asked.field) : type.id;
  if (elsewhere === undefined) {
    return [];
  }
  const frames = await runQuery(
    { ...(elsewhere === type.id && asked.query), queryType: elsewhere, figures: [], limit: VALUE_LIMIT },
    source,
    {
      range: await knownRange(source, {
        from: Number(params.get('from') ?? now - 3_600_000) / 1000,
        to: Number(params.get('to') ?? now) / 1000,
      }),
      intervalSeconds: 60,
      alerting: false,
    }
  );
  const values = frames.flatMap((frame) => frame.fields.find(({ name }) => name === asked.field)?.values ?? []);
  return [...new Set(values.map((value) => String(value ?? '')))].filter((value) => value !== '').sort();
}

/** Names are no figures: where nothing was recorded at the end of a range, those of now are offered. */
async function knownRange(source: Source, range: Range): Promise<Range> {
  if (range.to >= source.now() - NOW_SECONDS) {
    return range;
  }
  try {
    await source.state(range.to);
  } catch (error) {
    if (error instanceof NotRecorded) {
      return { from: range.from, to: source.now() };
    }
  }
  return range;
}

function parseJson(text: string | null): unknown {
  if (text === null || text === '') {
    return undefined;
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new Fault({
      kind: 'query',
      message: 'The parameter "query" is not JSON.',
      remedy: 'Send the query model as JSON.',
    });
  }
}
