import { STATSD_ENDPOINT } from './statsdEndpoint';
import { z } from 'zod';
import { Fault } from '../faults/fault';
import { optionsSchema, SECRET_NAMES, type Secrets } from './model';
import { rubyExporterVariables } from './rubyExporter';
import { parseSettings, type Settings } from './settings';

/** An option that a flag or an environment variable can set; lists are set in a file only. */
export interface ScalarOption {
  /** Its name in the settings and in a file. */
  name: string;
  flag: string;
  variable: string;
  kind: 'text' | 'number' | 'boolean';
  description: string;
}

/** The options that flags and variables set, derived from the settings' schema: the same names everywhere. */
export const SCALAR_OPTIONS: readonly ScalarOption[] = Object.entries(optionsSchema.shape).flatMap(([name, schema]) => {
  const kind = kindOf(schema);
  return kind === undefined
    ? []
    : [
        {
          name,
          flag: `--${kebab(name)}`,
          variable: `JOBWATCH_${snake(name)}`,
          kind,
          description: schema.description ?? '',
        },
      ];
});

/** How Redis is reached, beside options. */
const CONNECTION_NAMES = ['url', 'username', ...SECRET_NAMES] as const;

/** Names in a file whose values are text, whatever they look like. */
export const TEXT_NAMES: ReadonlySet<string> = new Set([
  ...CONNECTION_NAMES,
  ...SCALAR_OPTIONS.filter(({ kind }) => kind === 'text').map(({ name }) => name),
]);

/** What a file may hold beside options; the last three are read on their own. */
const BESIDE_OPTIONS: readonly string[] = [...CONNECTION_NAMES, 'targets', 'targetsFile', 'notifications'];

function kindOf(schema: z.ZodType): ScalarOption['kind'] | undefined {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodOptional) {
    return kindOf(schema.unwrap() as z.ZodType);
  }
  if (schema instanceof z.ZodString || schema instanceof z.ZodEnum) {
    return 'text';
  }
  return schema instanceof z.ZodNumber ? 'number' : schema instanceof z.ZodBoolean ? 'boolean' : undefined;
}

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function snake(name: string): string {
  return kebab(name).replaceAll('-', '_').toUpperCase();
}

/** What the command line was given: flags by option name, and a file's content. */
export interface Given {
  flags: Record<string, unknown>;
  env: NodeJS.ProcessEnv;
  file?: Record<string, unknown>;
}

const DEFAULT_URL = 'redis://127.0.0.1:6379/0';

/**
 * Settings from flags, then environment, then file.
 *
 * Besides `JOBWATCH_…` it understands what applications use: REDIS_URL, REDIS_USERNAME, REDIS_PASSWORD, the variables of
 * the Ruby exporter's container, and
 * Lago's LAGO_REDIS_SIDEKIQ_SENTINELS and LAGO_REDIS_SIDEKIQ_MASTER_NAME (lago-api, redis_config_builder).
 *
 * @throws Fault `settings` naming the field
 */
export function settingsFrom({ flags, env, file = {} }: Given): Settings {
  checkFile(file);
  const ruby = rubyExporterVariables(env);
  const options: Record<string, unknown> = { ...ruby.options, ...lagoOptions(env), ...file };
  for (const { name, variable, kind } of SCALAR_OPTIONS) {
    const given = flags[name] ?? env[variable];
    // An empty variable is an unset one, as container manifests write it.
    if (given !== undefined && given !== '') {
      options[name] = convert(flags[name] === undefined ? variable : name, kind, given);
    }
  }
  const pick = (...values: unknown[]) =>
    values.find((value) => typeof value === 'string' && value !== '') as string | undefined;
  const url = pick(flags['redisUrl'], env['REDIS_URL'], ruby.url, file['url']);
  return parseSettings({
    url: url ?? (options['topology'] === undefined || options['topology'] === 'single' ? DEFAULT_URL : ''),
    username: pick(flags['username'], env['REDIS_USERNAME'], file['username']) ?? '',
    options,
    secrets: secretsFrom(env, file),
    remedy: 'Correct it, or leave it out for its default.',
  });
}

/** What is misspelt or of another kind would be ignored, and another Redis be read than the one that is meant. */
function checkFile(file: Record<string, unknown>): void {
  // Names with x- hold what other parts of the file refer to.
  const unknown = Object.keys(file).find(
    (name) => !(name in optionsSchema.shape) && !BESIDE_OPTIONS.includes(name) && !name.startsWith('x-')
  );
  if (unknown !== undefined) {
    throw new Fault({
      kind: 'settings',
      message: `There is no setting "${unknown}".`,
      remedy: 'Remove it from the configuration file, or use one of the names in the table of settings of the README.',
    });
  }
  const noText = CONNECTION_NAMES.find((name) => typeof (file[name] ?? '') !== 'string');
  if (noText !== undefined) {
    throw wrong(noText, 'text');
  }
}

/** Where a variable of Lago's is set, Lago is what is watched. */
function lagoOptions(env: NodeJS.ProcessEnv): Record<string, unknown> {
  const sentinels = env['LAGO_REDIS_SIDEKIQ_SENTINELS'];
  return {
    ...((sentinels || env[STATSD_ENDPOINT]) && { preset: 'lago' }),
    ...(sentinels && {
      topology: 'sentinel',
      sentinels,
      sentinelMaster: env['LAGO_REDIS_SIDEKIQ_MASTER_NAME'] || 'master',
    }),
  };
}

function secretsFrom(env: NodeJS.ProcessEnv, file: Record<string, unknown>): Secrets {
  const secrets: Secrets = {};
  for (const name of SECRET_NAMES) {
    const value =
      env[`JOBWATCH_${snake(name)}`] ?? (name === 'password' ? env['REDIS_PASSWORD'] : undefined) ?? file[name];
    if (typeof value === 'string' && value !== '') {
      secrets[name] = value;
    }
  }
  return secrets;
}

function convert(field: string, kind: ScalarOption['kind'], value: unknown): unknown {
  if (typeof value !== 'string' || kind === 'text') {
    return value;
  }
  if (kind === 'boolean') {
    if (!/^(true|false|1|0|yes|no)$/i.test(value)) {
      throw wrong(field, 'true or false');
    }
    return /^(true|1|yes)$/i.test(value);
  }
  const number = Number(value);
  if (value.trim() === '' || Number.isNaN(number)) {
    throw wrong(field, 'a number');
  }
  return number;
}

/** What was given is not repeated: it may be a secret in the wrong variable. */
function wrong(field: string, what: string): Fault {
  return new Fault({
    kind: 'settings',
    message: `The setting "${field}" must be ${what}.`,
    remedy: 'Correct it, or leave it out for its default.',
  });
}
