import type { SecretName, StoredOptions } from './model';

/**
 * The labels of the settings in the form of the data source; those left out are set by provisioning only.
 * The form's own texts can be translated, errors are English, so the English labels stand here once more.
 */
export const FORM_LABELS: Readonly<Partial<Record<keyof StoredOptions | SecretName | 'url' | 'username', string>>> = {
  url: 'URL',
  username: 'User',
  topology: 'Topology',
  database: 'Database',
  keyPrefix: 'Key prefix',
  sentinels: 'Sentinels',
  sentinelMaster: 'Master name',
  sentinelUsername: 'Sentinel user',
  clusterNodes: 'Nodes',
  readFromReplica: 'Read from a replica',
  tlsEnabled: 'Use TLS',
  tlsSkipVerify: 'Accept any certificate',
  tlsServerName: 'Server name',
  connectTimeoutSeconds: 'Connect timeout (seconds)',
  commandTimeoutSeconds: 'Command timeout (seconds)',
  reuseSeconds: 'Reuse a reading for (seconds)',
  queueInclude: 'Include only queues that match',
  queueExclude: 'Exclude queues that match',
  allowArguments: 'Show job arguments',
  contextFields: 'Fields of the context',
  allowBacktraces: 'Show backtraces',
  deadMaxJobs: 'Dead set limit',
  threadHourPrice: 'Price of a thread-hour',
  sampleSeconds: 'Sampling interval (seconds)',
  idleHours: 'Stop sampling after (hours)',
  recordHours: 'Record in memory for (hours)',
  recordMemory: 'Record in memory at most (MiB)',
  recordDays: 'Record in the history file for (days)',
  recordFileSize: 'Record in the history file at most (MiB)',
  replayFile: 'Recording to show',
  historyFile: 'History file',
  historyRetentionDays: 'Keep figures in the history file for (days)',
  exporterListen: 'Serve metrics at',
  statsdListen: 'Receive DogStatsD at',
  statsdMetricsListen: 'Serve only DogStatsD metrics at',
  statsdPrefix: 'Prefix of DogStatsD metrics',
  statsdExpireSeconds: 'Series expiry (seconds)',
  kedaListen: 'Serve KEDA’s external scaler at',
  seriesLimit: 'Series limit per metric',
  otlpEndpoint: 'Push metrics by OTLP to',
  compatNames: 'Names of other exporters',
  cronNamespaces: 'Namespaces of sidekiq-cron',
  schedulerPrefixes: 'Key prefixes of sidekiq-scheduler',
  schedulerTimeZone: 'Time zone of schedules',
  preset: 'Preset',
  workerTypes: 'Queues by worker type',
  cadences: 'Expected cadences',
  webUiUrl: 'Address of Sidekiq’s Web UI',
  links: 'Links',
  password: 'Password',
  sentinelPassword: 'Sentinel password',
  tlsCaCert: 'CA certificate',
  tlsClientCert: 'Client certificate',
  tlsClientKey: 'Client key',
  exporterToken: 'Bearer token of scrapes',
};

/** A sentence for readers of Grafana: it goes on with the labels of the settings that it names in quotes. */
export function withFormLabels(sentence: string): string {
  const named = [...sentence.matchAll(/(setting )?"([A-Za-z]+)"/g)].flatMap(([, setting, name = '']) => {
    const label = Object.hasOwn(FORM_LABELS, name) ? FORM_LABELS[name as keyof typeof FORM_LABELS] : undefined;
    // A queue may be called "database", and "Limit" is a field of a query.
    const isMeant = setting !== undefined || /[a-z][A-Z]/.test(name);
    return label !== undefined && isMeant ? [`"${name}" is "${label}"`] : [];
  });
  return named.length === 0 ? sentence : `${sentence} In the form ${[...new Set(named)].join(', ')}.`;
}
