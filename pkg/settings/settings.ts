import { Fault } from '../faults/fault';
import { problemOf } from '../faults/problemOf';
import { LAGO_WORKER_TYPES } from './lago';
import { pattern } from './pattern';
import { optionsSchema, type Options, type Secrets } from './model';

/** Everything one instance needs: where Redis is, how to read it, and the operator's options. */
export interface Settings {
  /** `redis://`, `rediss://` or `unix://` URL, or `host[:port]`; empty where Sentinels or Cluster nodes are named. */
  url: string;
  username: string;
  options: Options;
  secrets: Secrets;
}

/**
 * Checks stored settings and fills in defaults.
 *
 * @throws Fault `settings` that names the first wrong field and what to set instead.
 */
export function parseSettings(raw: {
  url?: string;
  username?: string;
  options?: unknown;
  secrets?: Secrets;
  /** What to do about a setting that is not valid; by default in Grafana. */
  remedy?: string;
}): Settings {
  const parsed = optionsSchema.safeParse(raw.options ?? {});
  if (!parsed.success) {
    const { path, reason } = problemOf(parsed.error);
    throw new Fault({
      kind: 'settings',
      message: `The setting ${placeOf(path)} is not valid: ${reason}.`,
      remedy: raw.remedy ?? 'Correct it in the data source’s settings and save again.',
    });
  }
  const options = withPreset(parsed.data);
  checkPattern('queueInclude', options.queueInclude);
  checkPattern('queueExclude', options.queueExclude);
  return { url: (raw.url ?? '').trim(), username: (raw.username ?? '').trim(), options, secrets: raw.secrets ?? {} };
}

/** Where a setting stands, for those who filled in a form. */
function placeOf([field = 'jsonData', row, ...inner]: readonly PropertyKey[]): string {
  return typeof row === 'number'
    ? `${inner.join('.') || 'value'} of row ${row + 1} of "${String(field)}"`
    : `"${String(field)}"`;
}

/** A preset stands in for worker types that are not given. */
function withPreset(options: Options): Options {
  return options.preset === 'lago' && options.workerTypes.length === 0
    ? { ...options, workerTypes: LAGO_WORKER_TYPES }
    : options;
}

function checkPattern(field: string, source: string): void {
  try {
    pattern.contains(source);
  } catch (error) {
    throw new Fault({
      kind: 'settings',
      message: `The setting "${field}" is not a regular expression: ${(error as Error).message}.`,
      remedy: 'Use the syntax of Prometheus (RE2), for example ^sidekiq-alive.',
      cause: error,
    });
  }
}
