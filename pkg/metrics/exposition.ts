import type { Labels } from '../statsd/labels';
import type { Bounds, Family, HistogramSample, NumberSample, Sample, SummarySample } from './metric';

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
  for (const sample of samples) {
    const pairs = sample.labels ? pairsOf(sample.labels) : '';
    if ('value' in sample) {
      lines += numberLine(name, pairs, sample);
    } else {
      lines += 'bounds' in sample ? histogramLines(name, pairs, sample) : summaryLines(name, pairs, sample);
    }
  }
  return lines;
}

function numberLine(name: string, pairs: string, { value }: NumberSample): string {
  return pairs === '' ? `${name} ${numberText(value)}\n` : `${name}{${pairs}} ${numberText(value)}\n`;
}

/** Buckets as Prometheus has them: each holds those below it too. */
function histogramLines(name: string, pairs: string, { bounds, counts, sum }: HistogramSample): string {
  const begin = pairs === '' ? `${name}_bucket{` : `${name}_bucket{${pairs},`;
  const ends = boundTexts(bounds);
  let below = 0;
  let lines = '';
  for (let index = 0; index < ends.length; index += 1) {
    below += counts[index] ?? 0;
    lines += begin + ends[index]! + below + '\n';
  }
  return (
    lines + numberLine(`${name}_sum`, pairs, { value: sum }) + numberLine(`${name}_count`, pairs, { value: below })
  );
}

/** The label of each bound with what stands between it and the count. */
const printedBounds = new WeakMap<Bounds, readonly string[]>();

function boundTexts(bounds: Bounds): readonly string[] {
  let texts = printedBounds.get(bounds);
  if (texts === undefined) {
    texts = bounds.map((bound) => `le="${numberText(bound)}"} `);
    printedBounds.set(bounds, texts);
  }
  return texts;
}

function summaryLines(name: string, pairs: string, { quantiles, sum, count }: SummarySample): string {
  const begin = pairs === '' ? `${name}{quantile="` : `${name}{${pairs},quantile="`;
  let lines = '';
  for (const [quantile, value] of quantiles) {
    lines += `${begin}${quantile}"} ${numberText(value)}\n`;
  }
  return (
    lines + numberLine(`${name}_sum`, pairs, { value: sum }) + numberLine(`${name}_count`, pairs, { value: count })
  );
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
