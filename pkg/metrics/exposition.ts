import type { Labels } from '../statsd/labels';
import type { Family, Sample } from './metric';

export const TEXT_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
export const OPENMETRICS_CONTENT_TYPE = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

/** Prometheus' text format 0.0.4 (prometheus.io, exposition formats). */
export function renderText(families: readonly Family[]): string {
  return families
    .map(({ name, type, help, samples }) => {
      return `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n${linesOf(name, samples)}`;
    })
    .join('');
}

/**
 * OpenMetrics 1.0. Its counters end in `_total`; one whose name does not is given as `unknown`, so that
 * the series keeps the name that dashboards use.
 */
export function renderOpenMetrics(families: readonly Family[]): string {
  const parts = families.map(({ name, type, help, unit, samples }) => {
    const isCounter = type === 'counter' && name.endsWith('_total');
    const family = isCounter ? name.slice(0, -'_total'.length) : name;
    const kind = type === 'counter' && !isCounter ? 'unknown' : type;
    const unitLine = unit && family.endsWith(`_${unit}`) ? `# UNIT ${family} ${unit}\n` : '';
    return `# TYPE ${family} ${kind}\n${unitLine}# HELP ${family} ${escapeHelp(help)}\n${linesOf(name, samples)}`;
  });
  return `${parts.join('')}# EOF\n`;
}

/** The lines of a family. */
function linesOf(name: string, samples: readonly Sample[]): string {
  let lines = '';
  for (const { suffix = '', labels, extra, value } of samples) {
    const pairs = labels ? pairsOf(labels) : '';
    const more = extra ? (pairs === '' ? pairOf(extra) : `,${pairOf(extra)}`) : '';
    lines += pairs === '' && more === '' ? `${name}${suffix}` : `${name}${suffix}{${pairs}${more}}`;
    lines += ` ${numberText(value)}\n`;
  }
  return lines;
}

/** Labels are the most of a scrape; metrics share the lists of them, which are put together once. */
const printedLabels = new WeakMap<Labels, string>();

function pairsOf(labels: Labels): string {
  let pairs = printedLabels.get(labels);
  if (pairs === undefined) {
    pairs = labels.map(pairOf).join(',');
    printedLabels.set(labels, pairs);
  }
  return pairs;
}

function pairOf([key, text]: readonly [string, string]): string {
  return `${key}="${escapeLabel(text)}"`;
}

function numberText(value: number | string): string {
  if (value === Infinity) {
    return '+Inf';
  }
  return value === -Infinity ? '-Inf' : String(value);
}

const ESCAPED: Record<string, string> = { '\\': '\\\\', '\n': '\\n', '"': '\\"' };

function escapeLabel(text: string): string {
  return text.includes('\\') || text.includes('"') || text.includes('\n')
    ? text.replace(/[\\\n"]/g, (character) => ESCAPED[character]!)
    : text;
}

function escapeHelp(text: string): string {
  return text.replace(/[\\\n]/g, (character) => ESCAPED[character]!);
}
