import { t } from '@grafana/i18n';
import { ConfigSection } from '@grafana/plugin-ui';
import { NumberField, TextField, type Fields } from './SettingsFields';

/** What is read, and how often. */
export function ReadingSection({ fields }: { fields: Fields }) {
  return (
    <ConfigSection
      title={t('config.reading.title', 'Reading')}
      description={t('config.reading.description', 'What the data source reads from Redis, and how often.')}
      isCollapsible
      isInitiallyOpen={false}
    >
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
        name="idleHours"
        label={t('config.idleHours.label', 'Stop sampling after (hours)')}
        description={t(
          'config.idleHours.description',
          'Hours without a query after which sampling stops and the history is dropped'
        )}
        example="168"
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
        name="deadMaxJobs"
        label={t('config.deadMaxJobs.label', 'Dead set limit')}
        description={t('config.deadMaxJobs.description', 'Sidekiq’s dead_max_jobs')}
        example="10000"
      />
    </ConfigSection>
  );
}
