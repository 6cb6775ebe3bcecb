import { z } from 'zod';
import { contextFieldsProblem } from './contextFields';
import { linkSchema } from './links';
import { cadenceSchema, workerTypesSchema } from './workerTypes';

/** Applications whose worker types and variables are known. */
export const PRESETS = ['none', 'lago'] as const;

const seconds = (fallback: number, min: number, max: number) => z.number().min(min).max(max).default(fallback);
const text = z.string().trim().default('');

function isTimeZone(name: string): boolean {
  try {
    return name === '' || new Intl.DateTimeFormat('en', { timeZone: name }).format() !== '';
  } catch {
    return false;
  }
}

/**
 * What an operator can set, stored as the data source's `jsonData`; the command line and the
 * environment fill the same fields. Secrets are not here, see {@link SecretName}.
 */
export const optionsSchema = z.object({
  topology: z.enum(['single', 'sentinel', 'cluster']).default('single').describe('How Redis is run'),
  database: z.number().int().min(0).optional().describe('Database number; the URL’s, or 0, where it is left out'),
  keyPrefix: text.describe('Prefix of every key (redis-namespace, Sidekiq ≤ 6.5), with its colon'),
  sentinels: text.describe('Sentinels as host:port, comma separated'),
  sentinelMaster: z.string().trim().default('mymaster').describe('Name of the master that the Sentinels watch'),
  sentinelUsername: text.describe('User of the Sentinels themselves'),
  clusterNodes: text.describe('Nodes to start from as host:port, comma separated'),
  readFromReplica: z.boolean().default(false).describe('Read from a replica'),
  tlsEnabled: z.boolean().default(false).describe('Use TLS even where the URL is not rediss://'),
  tlsSkipVerify: z.boolean().default(false).describe('Accept any certificate'),
  tlsServerName: text.describe('Server name that the certificate must carry'),
  connectTimeoutSeconds: seconds(3, 0.1, 60).describe('Seconds to wait for a connection'),
  commandTimeoutSeconds: seconds(3, 0.1, 60).describe('Seconds to wait for a reply'),
  reuseSeconds: seconds(1, 0, 60).describe('Seconds for which a snapshot is handed out again'),
  queueInclude: text.describe('Regular expression of the queues to look at'),
  queueExclude: text.describe('Regular expression of the queues to leave out'),
  allowArguments: z.boolean().default(false).describe('Show job arguments, which may hold personal data'),
  contextFields: z
    .string()
    .trim()
    .refine((value) => contextFieldsProblem(value) === undefined, {
      error: ({ input }) => contextFieldsProblem(String(input)) ?? 'it cannot be read',
    })
    .default('')
    .describe('CurrentAttributes or fields of a payload by which jobs may be told apart, comma separated'),
  allowBacktraces: z.boolean().default(false).describe('Show the backtraces that failed jobs carry'),
  deadMaxJobs: z.number().int().positive().default(10_000).describe('Sidekiq’s dead_max_jobs'),
  threadHourPrice: z
    .number()
    .min(0)
    .max(1_000_000)
    .default(0)
    .describe(
      'Price of one thread for an hour, in any currency: what classes and threads cost is told by it; 0 tells none'
    ),
  samplerEnabled: z.boolean().default(true).describe('Look at a fixed pace, for rates and history'),
  sampleSeconds: seconds(10, 1, 3600).describe('Seconds between two consecutive snapshots'),
  idleHours: z
    .number()
    .positive()
    .max(8760)
    .default(168)
    .describe('Hours without a query after which the plugin stops reading a data source and forgets its history'),
  recordHours: z
    .number()
    .min(0)
    .max(8760)
    .default(24)
    .describe('Hours for which readings are recorded in memory, so that the past can be asked; 0 records nothing'),
  recordMemory: z
    .number()
    .min(1)
    .max(4096)
    .default(32)
    .describe('MiB of recorded readings in memory at most; the oldest are thinned'),
  recordDays: z
    .number()
    .min(0)
    .max(3650)
    .default(7)
    .describe('Days for which readings are recorded in the history file'),
  recordFileSize: z
    .number()
    .min(1)
    .max(1_048_576)
    .default(512)
    .describe('MiB of recorded readings in the history file at most; the oldest are thinned'),
  replayFile: text.describe(
    'Recording or history file that is shown in place of Redis: a path, in Grafana a name in the folder recordings of the data directory'
  ),
  historyFile: text.describe(
    'SQLite file that keeps the history: a path, in Grafana a name in the data directory; in memory where it is empty'
  ),
  historyFileMode: z.enum(['0600', '0660']).default('0600').describe('Permissions of the history file'),
  historyRetentionDays: z.number().positive().max(3650).default(30).describe('Days kept in the history file'),
  exporterListen: text.describe('Where the plugin serves Prometheus metrics itself, as host:port'),
  statsdListen: text.describe('Where to receive DogStatsD: host:port or unixgram:///path, comma separated'),
  socketMode: z
    .enum(['0600', '0660', '0666'])
    .default('0660')
    .describe('Permissions of a unix socket that receives DogStatsD'),
  statsdMetricsListen: text.describe('Where to serve at /metrics only what came by DogStatsD, as host:port'),
  statsdPrefix: z
    .string()
    .trim()
    .regex(/^([a-zA-Z_][a-zA-Z0-9_]*)?$/, 'use letters, digits and _')
    .default('')
    .describe(
      'One beginning for the names of all metrics received by DogStatsD, which replaces the namespace of each sender'
    ),
  statsdExpireSeconds: seconds(172_800, 60, 31_536_000).describe(
    'Seconds after which a silent series of DogStatsD is forgotten'
  ),
  kedaListen: text.describe('Where to serve KEDA’s external scaler (gRPC), as host:port'),
  seriesLimit: z
    .number()
    .int()
    .positive()
    .default(30_000)
    .describe('Series of one metric in a scrape at most; each line of a histogram is one'),
  otlpEndpoint: text.describe('Where to push metrics by OTLP: http://host:4318, or grpc://host:4317'),
  compatNames: z
    .boolean()
    .default(false)
    .describe('Metrics by the names of prometheus_exporter and yabeda-sidekiq too'),
  cronNamespaces: text.describe('Namespaces of sidekiq-cron beside "default", comma separated'),
  schedulerPrefixes: text.describe('Values of key_prefix of sidekiq-scheduler beside none, comma separated'),
  schedulerTimeZone: z
    .string()
    .trim()
    .refine(isTimeZone, 'use a name of the IANA database, for example Europe/Berlin')
    .default('')
    .describe(
      'Time zone of cron lines that name none, for example Europe/Berlin; inferred from the scheduler’s own record where it is left out'
    ),
  preset: z.enum(PRESETS).default('none').describe('Whose worker types apply where none are given'),
  workerTypes: workerTypesSchema.default([]),
  cadences: z.array(cadenceSchema).default([]),
  webUiUrl: z
    .string()
    .trim()
    .regex(/^(https?:\/\/\S+)?$/, 'use an address that begins with http:// or https://')
    .default('')
    .describe('Address of Sidekiq’s Web UI, to which queues, classes and jobs link'),
  links: z.array(linkSchema).default([]),
});

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
