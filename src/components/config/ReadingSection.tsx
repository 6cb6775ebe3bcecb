import { t } from '@grafana/i18n';
import { ConfigSection } from '@grafana/plugin-ui';
import { NumberField, TextField, ToggleField, type Fields } from './SettingsFields';

/** What is read, how often, and how long it is kept. */
export function ReadingSection({ fields }: { fields: Fields }) {
  return (
    <ConfigSection title={t('config.reading.title', 'Reading')} isCollapsible isInitiallyOpen={false}>
      <TextField
        {...fields}
        name="keyPrefix"
        label={t('config.keyPrefix.label', 'Key prefix')}
        description={t(
          'config.keyPrefix.description',
          'The prefix of redis-namespace (Sidekiq ≤ 6.5), including the colon'
        )}
        example="app:"
      />
      <TextField
        {...fields}
        name="queueInclude"
        label={t('config.queueInclude.label', 'Include only queues that match')}
        description={t('config.queueInclude.description', 'A regular expression')}
        example=".*"
      />
      <TextField
        {...fields}
        name="queueExclude"
        label={t('config.queueExclude.label', 'Exclude queues that match')}
        description={t('config.queueExclude.description', 'A regular expression')}
        example="^sidekiq-alive"
      />
      <NumberField
        {...fields}
        name="reuseSeconds"
        label={t('config.reuseSeconds.label', 'Reuse a reading for (seconds)')}
        description={t(
          'config.reuseSeconds.description',
          'Panels of one refresh share a reading for up to five seconds regardless; 0 disables reuse'
        )}
        example="1"
      />
      <NumberField
        {...fields}
        name="connectTimeoutSeconds"
        label={t('config.connectTimeoutSeconds.label', 'Connect timeout (seconds)')}
        example="3"
      />
      <NumberField
        {...fields}
        name="commandTimeoutSeconds"
        label={t('config.commandTimeoutSeconds.label', 'Command timeout (seconds)')}
        example="3"
      />
      <NumberField
        {...fields}
        name="sampleSeconds"
        label={t('config.sampleSeconds.label', 'Sampling interval (seconds)')}
        description={t(
          'config.sampleSeconds.description',
          'Longest time between two readings while the data source is in use, for rates and history'
        )}
        example="10"
      />
      <NumberField
        {...fields}
        name="deadMaxJobs"
        label={t('config.deadMaxJobs.label', 'Dead set limit')}
        description={t('config.deadMaxJobs.description', 'Sidekiq’s dead_max_jobs')}
        example="10000"
      />
      <NumberField
        {...fields}
        name="threadHourPrice"
        label={t('config.threadHourPrice.label', 'Price of a thread-hour')}
        description={t(
          'config.threadHourPrice.description',
          'In any currency; job metrics and what-if then tell what classes and threads cost a month'
        )}
        example="0.02"
      />
      <NumberField
        {...fields}
        name="idleHours"
        label={t('config.idleHours.label', 'Stop sampling after (hours)')}
        description={t(
          'config.idleHours.description',
          'Hours without a query after which sampling stops and the history is dropped'
        )}
        example="168"
      />
      <TextField
        {...fields}
        name="historyFile"
        label={t('config.historyFile.label', 'History file')}
        description={t(
          'config.historyFile.description',
          "Name of a file in the plugin's data directory; empty to keep the history in memory"
        )}
        example="history.db"
      />
      <NumberField
        {...fields}
        name="recordHours"
        label={t('config.recordHours.label', 'Record in memory for (hours)')}
        description={t(
          'config.recordHours.description',
          'Readings are recorded, so that a time range of the past shows what was then; 0 records nothing'
        )}
        example="24"
      />
      <NumberField
        {...fields}
        name="recordMemory"
        label={t('config.recordMemory.label', 'Record in memory at most (MiB)')}
        description={t(
          'config.recordMemory.description',
          'Above this size the oldest readings are thinned to one a minute, then to one in five minutes'
        )}
        example="32"
      />
      <NumberField
        {...fields}
        name="recordDays"
        label={t('config.recordDays.label', 'Record in the history file for (days)')}
        description={t('config.recordDays.description', 'In place of the memory, where a history file is set')}
        example="7"
      />
      <NumberField
        {...fields}
        name="recordFileSize"
        label={t('config.recordFileSize.label', 'Record in the history file at most (MiB)')}
        example="512"
      />
      <TextField
        {...fields}
        name="replayFile"
        label={t('config.replayFile.label', 'Recording to show')}
        description={t(
          'config.replayFile.description',
          "Name of a recording in the folder recordings of the plugin's data directory, shown in place of Redis"
        )}
        example="incident.rec"
      />
      <TextField
        {...fields}
        name="cronNamespaces"
        label={t('config.cronNamespaces.label', 'Namespaces of sidekiq-cron')}
        description={t('config.cronNamespaces.description', 'In addition to “default”, comma separated')}
        example="billing, reports"
      />
      <TextField
        {...fields}
        name="schedulerPrefixes"
        label={t('config.schedulerPrefixes.label', 'Key prefixes of sidekiq-scheduler')}
        description={t('config.schedulerPrefixes.description', 'Values of its key_prefix, comma separated')}
        example="billing, reports"
      />
      <TextField
        {...fields}
        name="schedulerTimeZone"
        label={t('config.schedulerTimeZone.label', 'Time zone of schedules')}
        description={t(
          'config.schedulerTimeZone.description',
          'Time zone of cron lines that name none. Leave empty to infer it from the runs that the scheduler recorded.'
        )}
        example="Europe/Berlin"
      />
      <ToggleField
        {...fields}
        name="allowArguments"
        label={t('config.allowArguments.label', 'Show job arguments')}
        description={t(
          'config.allowArguments.description',
          'Arguments and attributes of jobs often hold personal data. Encrypted arguments are never shown.'
        )}
      />
      <TextField
        {...fields}
        name="contextFields"
        label={t('config.contextFields.label', 'Fields of the context')}
        description={t(
          'config.contextFields.description',
          'CurrentAttributes or fields of a job by which the query type Contexts may group, comma separated'
        )}
        example="tenant_id"
      />
      <ToggleField
        {...fields}
        name="allowBacktraces"
        label={t('config.allowBacktraces.label', 'Show backtraces')}
        description={t(
          'config.allowBacktraces.description',
          'A failed job stores its backtrace if its class sets "backtrace". Backtraces contain file names of the application.'
        )}
      />
    </ConfigSection>
  );
}
