/** Labels of Prometheus in the order of printing. */
export type Labels = ReadonlyArray<readonly [name: string, value: string]>;

/** The tags that Sidekiq itself sets: they are kept whatever others there are. */
const OF_SIDEKIQ: ReadonlySet<string> = new Set(['queue', 'worker', 'class', 'error_type']);
/** Labels kept beside those; a DogStatsD client with unified tagging on Kubernetes sends some twenty. */
export const OTHER_LABELS = 32;
const LABEL_LENGTH = 200;
/** Names that Prometheus or our own lines use. */
const RESERVED: ReadonlySet<string> = new Set(['quantile', 'le']);

/**
 * Tags as pairs, split at the first colon (`worker:Bills::Job`). A tag without a colon has the value `''`; one without a
 * name is left out, as Prometheus takes no label without a name. Some clients put `#` before each tag.
 */
export function parseTags(tags: string): Array<[string, string]> {
  return tags
    .split(',')
    .map((text): [string, string] => {
      const tag = text.trimStart().replace(/^#/, '');
      const colon = tag.indexOf(':');
      return colon < 0 ? [tag.trim(), ''] : [tag.slice(0, colon).trim(), tag.slice(colon + 1)];
    })
    .filter(([name]) => name !== '');
}

/** The labels of a line, and how many of its tags found no place, or not all of their value. */
export interface LabelsRead {
  labels: Labels;
  cut: number;
}

/**
 * Labels from tags: names made valid, values cut, sorted by name, the last of each name: a client puts its own tags
 * before those of a call. Tags without a value make none. Of more than {@link OTHER_LABELS}, those whose value never differs are left out first.
 *
 * @param differs whether a label has had more than one value
 */
export function labelsOf(tags: string, differs: (name: string) => boolean = () => false): LabelsRead {
  const own = new Map<string, string>();
  const others = new Map<string, string>();
  let lost = 0;
  for (const [tag, value] of parseTags(tags)) {
    const name = tag.replace(/[^a-zA-Z0-9_]/g, '_').replace(/^(?=\d)/, '_');
    const labels = OF_SIDEKIQ.has(name) ? own : others;
    if (value === '') {
      continue;
    }
    const kept = cut(value);
    const isTaken = RESERVED.has(name) || name.startsWith('__');
    const before = labels.get(name);
    // What comes twice with the same value loses nothing.
    lost += Number(kept !== value || isTaken || (before !== undefined && before !== kept));
    if (!isTaken) {
      labels.set(name, kept);
    }
  }
  const byName = ([a]: readonly [string, string], [b]: readonly [string, string]) => (a < b ? -1 : 1);
  const kept =
    others.size <= OTHER_LABELS
      ? [...others]
      : [...others]
          .sort((a, b) => Number(differs(b[0])) - Number(differs(a[0])) || byName(a, b))
          .slice(0, OTHER_LABELS);
  return { labels: [...own, ...kept].sort(byName), cut: lost + others.size - kept.length };
}

/** Never in the middle of a surrogate pair, which would be no valid UTF-8. */
function cut(value: string): string {
  return value.length <= LABEL_LENGTH ? value : value.slice(0, LABEL_LENGTH).replace(/[\ud800-\udbff]$/, '');
}
