import { z } from 'zod';

/** What a link may stand on: the columns of every query type that have these names. */
export const LINKED = ['jid', 'class', 'queue', 'host'] as const;
export type Linked = (typeof LINKED)[number];

/** A link of the operator's on a value, to logs, traces or an error tracker. */
export const linkSchema = z.object({
  title: z.string().min(1, 'a link needs a title'),
  on: z.enum(LINKED),
  /** `{value}` stands for the value, percent-encoded. */
  url: z.string().regex(/^https?:\/\/\S+$/, 'use an address that begins with http:// or https://'),
});
