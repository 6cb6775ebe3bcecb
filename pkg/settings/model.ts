import { z } from 'zod';
import { LAGO_CADENCES, LAGO_WORKER_TYPES } from './lago';

const seconds = (fallback: number, min: number, max: number) => z.number().min(min).max(max).default(fallback);
const text = z.string().trim().default('');

/** One worker type: the queues it serves and how late a job may become there (seconds). */
export const workerTypeSchema = z.object({
  name: z.string().min(1, 'a worker type needs a name'),
  queues: z.array(z.string().min(1)).default([]),
  latencyObjectiveSeconds: z.number().positive().default(300),
});

/** A job class that should run at least every `everySeconds`. */
export const cadenceSchema = z.object({
  class: z.string().min(1, 'a cadence needs a job class'),
  everySeconds: z.number().positive(),
});

/**
 * What an operator can set, stored as the data source's `jsonData`; the command line and the
 * environment fill the same fields. Secrets are not here, see {@link SecretName}.
 */
export const optionsSchema = z.object({
  topology: z.enum(['single', 'sentinel', 'cluster']).default('single'),
  database: z.number().int().min(0).optional(),
  keyPrefix: text,
  sentinels: text,
  sentinelMaster: z.string().trim().default('mymaster'),
  sentinelUsername: text,
  clusterNodes: text,
  readFromReplica: z.boolean().default(false),
  tlsEnabled: z.boolean().default(false),
  tlsSkipVerify: z.boolean().default(false),
  tlsServerName: text,
  connectTimeoutSeconds: seconds(3, 0.1, 60),
  commandTimeoutSeconds: seconds(4, 0.1, 60),
  reuseSeconds: seconds(1, 0, 60),
  queueInclude: text,
  queueExclude: text,
  allowArguments: z.boolean().default(false),
  deadMaxJobs: z.number().int().positive().default(10_000),
  samplerEnabled: z.boolean().default(true),
  sampleSeconds: seconds(10, 1, 3600),
  historyFile: text,
  historyRetentionDays: z.number().positive().max(3650).default(30),
  workerTypes: z.array(workerTypeSchema).default(LAGO_WORKER_TYPES),
  cadences: z.array(cadenceSchema).default(LAGO_CADENCES),
  exporterListen: text,
  statsdListen: text,
  statsdPrefix: z.string().trim().default('lago_api'),
});

export type WorkerType = z.infer<typeof workerTypeSchema>;
export type Cadence = z.infer<typeof cadenceSchema>;
/** Options with every default filled in, as the backend uses them. */
export type Options = z.infer<typeof optionsSchema>;
/** Options as stored: whatever is left out takes its default. */
export type StoredOptions = z.input<typeof optionsSchema>;

/** Names of the values Grafana keeps encrypted (`secureJsonData`). */
export const SECRET_NAMES = [
  'password',
  'sentinelPassword',
  'tlsCaCert',
  'tlsClientCert',
  'tlsClientKey',
  'exporterToken',
] as const;
export type SecretName = (typeof SECRET_NAMES)[number];
export type Secrets = Partial<Record<SecretName, string>>;
