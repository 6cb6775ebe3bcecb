import { z } from 'zod';
import { Fault } from '../faults/fault';
import { problemOf } from '../faults/problemOf';
import { FILTER_OPERATORS } from './filterModel';
import { QUERY_VERSION } from './version';

const filterSchema = z.object({
  field: z.string().min(1),
  operator: z.enum(FILTER_OPERATORS),
  values: z.array(z.string()),
  adhoc: z.boolean().optional(),
});

/** What every query type understands; each type's own file adds its options. */
export const baseQuerySchema = z.object({
  queryType: z.string(),
  /** Of the model, see QUERY_VERSION; one from a newer plugin is refused rather than half understood. */
  version: z.number().max(QUERY_VERSION, 'the query was saved by a newer version of the plugin').optional(),
  /** Alert rules need exactly one. */
  figures: z.array(z.string()).default([]).describe('Names of the number columns to return; all of them when empty.'),
  filters: z
    .array(filterSchema)
    .default([])
    .describe('Conditions that all hold; values of one condition are alternatives.'),
  limit: z.number().int().min(1).max(10_000).default(1000).describe('Rows to return at most.'),
});

/** A checked query of any type. */
export type BaseQuery = z.output<typeof baseQuerySchema>;
/** A query as it is saved in dashboards. */
export type StoredQuery = z.input<typeof baseQuerySchema>;

/**
 * Checks a stored query against a type's schema.
 *
 * @throws Fault `query` naming the field that is wrong
 */
export function parseQuery<S extends z.ZodType>(schema: S, raw: unknown): z.output<S> {
  const parsed = schema.safeParse(raw);
  if (!parsed.success) {
    const { path, reason } = problemOf(parsed.error);
    throw new Fault({
      kind: 'query',
      message: `The query's "${path.join('.') || 'model'}" is not valid: ${reason}.`,
      remedy: 'Correct the field in the query editor, or the option of the command.',
    });
  }
  return parsed.data;
}
