import type { Options } from './model';
import { pattern } from './pattern';

/** Says whether a queue is looked at, by the operator's patterns. */
export function queueTest({
  queueInclude,
  queueExclude,
}: Pick<Options, 'queueInclude' | 'queueExclude'>): (name: string) => boolean {
  const include = queueInclude === '' ? undefined : pattern.contains(queueInclude);
  const exclude = queueExclude === '' ? undefined : pattern.contains(queueExclude);
  return (name) => (include?.(name) ?? true) && !(exclude?.(name) ?? false);
}
