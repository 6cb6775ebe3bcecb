import { t } from '@grafana/i18n';
import { ConfigSection } from '@grafana/plugin-ui';
import { NumberField, TextField, type Fields } from './SettingsFields';

/** How long what was read is kept. */
export function HistorySection({ fields }: { fields: Fields }) {
  return (
    <ConfigSection
      title={t('config.history.title', 'History and recording')}
      description={t(
        'config.history.description',
        'How long figures and readings are kept, for graphs and for time ranges of the past.'
      )}
      isCollapsible
      isInitiallyOpen={false}
    >
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
        name="historyRetentionDays"
        label={t('config.historyRetentionDays.label', 'Keep figures in the history file for (days)')}
        description={t('config.historyRetentionDays.description', 'The figures of graphs over time')}
        example="30"
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
    </ConfigSection>
  );
}
