import type { Family, Sample } from './metric';

export const TEXT_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
export const OPENMETRICS_CONTENT_TYPE = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

/** Prometheus' text format 0.0.4 (prometheus.io, exposition formats). */
export function renderText(families: readonly Family[]): string {
  return families
    .map(({ name, type, help, samples }) => {
      const lines = samples.map((sample) => line(name, sample));
      return `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n${lines.join('')}`;
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
    const lines = samples.map((sample) => line(name, sample));
    return `# TYPE ${family} ${kind}\n${unitLine}# HELP ${family} ${escapeHelp(help)}\n${lines.join('')}`;
  });
  return `${parts.join('')}# EOF\n`;
}

function line(name: string, { suffix = '', labels, value }: Sample): string {
  const pairs = (labels ?? []).map(([key, text]) => `${key}="${escapeLabel(text)}"`);
  return `${name}${suffix}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${numberText(value)}\n`;
}

function numberText(value: number | string): string {
  if (value === Infinity) {
    return '+Inf';
  }
  return value === -Infinity ? '-Inf' : String(value);
}

const ESCAPED: Record<string, string> = { '\\': '\\\\', '\n': '\\n', '"': '\\"' };

function escapeLabel(text: string): string {
  return text.replace(/[\\\n"]/g, (character) => ESCAPED[character]!);
}

function escapeHelp(text: string): string {
  return text.replace(/[\\\n]/g, (character) => ESCAPED[character]!);
}
