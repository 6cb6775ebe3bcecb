import { t } from '@grafana/i18n';
import { ConfigSection } from '@grafana/plugin-ui';
import { TextField, ToggleField, type Fields } from './SettingsFields';

/** What of the data of jobs may be seen. */
export function JobDataSection({ fields }: { fields: Fields }) {
  return (
    <ConfigSection
      title={t('config.jobData.title', 'Job data')}
      description={t(
        'config.jobData.description',
        'Data of jobs that may be personal. Nothing of it is shown by default.'
      )}
      isCollapsible
      isInitiallyOpen={false}
    >
      <ToggleField
        {...fields}
        name="allowArguments"
        label={t('config.allowArguments.label', 'Show job arguments')}
        description={t(
          'config.allowArguments.description',
          'Arguments and attributes of jobs often hold personal data. Encrypted arguments are never shown.'
        )}
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
    </ConfigSection>
  );
}
