import type { Variable } from './panel';

/**
 * The variables that choose scrape targets in dashboards by Prometheus: one Prometheus scrapes several installations, whose
 * queues and classes may have the same names. The names of instances change with the addresses of containers, that of the
 * scrape job does not.
 */
export const SCRAPE_TARGET: readonly Variable[] = [
  { name: 'job', label: 'Scrape job', prometheus: 'label_values(sidekiq_up, job)', multi: true },
  { name: 'instance', label: 'Instance', prometheus: 'label_values(sidekiq_up{job=~"$job"}, instance)', multi: true },
];

/** Keeps what variables choose in an address. */
export const TARGET_KEPT = '${job:queryparam}&${instance:queryparam}';

const MATCHERS = 'job=~"$job",instance=~"$instance"';
const TEXT = /("(?:[^"\\]|\\.)*")/;
/** A selector of what the plugin, DogStatsD or the rules tell: its name, and the brace where it has matchers. */
const SELECTOR = /(?<![\w:])((?:sidekiq[_:]|\$\{statsd\}_)[\w:]+|ALERTS)\b(\{)?/g;

/** An expression whose selectors all take the scrape targets that the variables choose. */
export function ofScrapeTarget(expr: string): string {
  return expr
    .split(TEXT)
    .map((part, index) =>
      index % 2 === 1
        ? part
        : part.replace(SELECTOR, (_, name: string, brace?: string) => `${name}{${MATCHERS}${brace ? ',' : '}'}`)
    )
    .join('');
}
