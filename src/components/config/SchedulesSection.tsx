import { t } from '@grafana/i18n';
import { ConfigSection } from '@grafana/plugin-ui';
import { TextField, type Fields } from './SettingsFields';

/** Where the entries of schedulers are, and in which zone. */
export function SchedulesSection({ fields }: { fields: Fields }) {
  return (
    <ConfigSection
      title={t('config.schedules.title', 'Recurring jobs')}
      description={t(
        'config.schedules.description',
        'Where the entries of sidekiq-cron and sidekiq-scheduler are stored.'
      )}
      isCollapsible
      isInitiallyOpen={false}
    >
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
    </ConfigSection>
  );
}
