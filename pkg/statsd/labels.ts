/** Labels of Prometheus in the order of printing. */
export type Labels = ReadonlyArray<readonly [name: string, value: string]>;

const LABELS = 16;
const LABEL_LENGTH = 200;
/** Names that Prometheus or our own lines use. */
const RESERVED: ReadonlySet<string> = new Set(['quantile', 'le']);

/**
 * Tags as pairs, split at the first colon (`worker:Bills::Job`). A tag without a colon has the value `''`; one without a
 * name is left out, as Prometheus takes no label without a name.
 */
export function parseTags(tags: string): Array<[string, string]> {
  return tags
    .split(',')
    .map((tag): [string, string] => {
      const colon = tag.indexOf(':');
      return colon < 0 ? [tag.trim(), ''] : [tag.slice(0, colon).trim(), tag.slice(colon + 1)];
    })
    .filter(([name]) => name !== '');
}

/** Labels from tags: names made valid, values cut, sorted by name, the first of each name. Tags without a value make none. */
export function labelsOf(tags: string): Labels {
  const labels = new Map<string, string>();
  for (const [tag, value] of parseTags(tags)) {
    const name = tag.replace(/[^a-zA-Z0-9_]/g, '_').replace(/^(?=\d)/, '_');
    if (value !== '' && !RESERVED.has(name) && !name.startsWith('__') && !labels.has(name)) {
      labels.set(name, cut(value));
    }
  }
  return [...labels].sort(([a], [b]) => (a < b ? -1 : 1)).slice(0, LABELS);
}

/** Never in the middle of a surrogate pair, which would be no valid UTF-8. */
function cut(value: string): string {
  return value.length <= LABEL_LENGTH ? value : value.slice(0, LABEL_LENGTH).replace(/[\ud800-\udbff]$/, '');
}
