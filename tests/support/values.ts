import type { Value } from '../../pkg/redis/readOnlyRedis';

/** A reply as it travels: texts become bytes. */
export type Literal = string | number | null | Buffer | readonly Literal[];

export function reply(value: Literal): Value {
  if (typeof value === 'string') {
    return Buffer.from(value);
  }
  return Array.isArray(value) ? (value as readonly Literal[]).map(reply) : (value as Value);
}

/** The flat list that a hash or a sorted set travels as. */
export function hash(fields: Record<string, string | number> | Array<[string, string | number]>): Value {
  const pairs = Array.isArray(fields) ? fields : Object.entries(fields);
  return reply(pairs.flatMap(([field, value]) => [field, String(value)]));
}
