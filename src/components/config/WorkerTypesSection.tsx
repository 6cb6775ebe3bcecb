import { t } from '@grafana/i18n';
import { ConfigSection, ConfigSubSection } from '@grafana/plugin-ui';
import { Field, RadioButtonGroup } from '@grafana/ui';
import { CadencesEditor } from './CadencesEditor';
import { NumberField, type Fields } from './SettingsFields';
import { WorkerTypesEditor } from './WorkerTypesEditor';

/** What the queues mean: their worker types, and the classes that should run again and again. */
export function WorkerTypesSection({ fields }: { fields: Fields }) {
  const { jsonData, set } = fields;
  return (
    <ConfigSection
      title={t('config.workerTypes.title', 'Worker types')}
      description={t(
        'config.workerTypes.description',
        'Which worker type serves which queues, and the latency objective of each.'
      )}
      isCollapsible
      isInitiallyOpen={false}
    >
      <ConfigSubSection title={t('config.workerTypes.queues', 'Queues by worker type')}>
        <Field
          label={t('config.preset.label', 'Preset')}
          description={t(
            'config.preset.description',
            'Without a preset and without a map, processes that serve the same queues are one worker type.'
          )}
        >
          <RadioButtonGroup
            options={[
              { value: 'none' as const, label: t('config.preset.none', 'None') },
              { value: 'lago' as const, label: t('config.preset.lago', 'Lago') },
            ]}
            value={jsonData.preset ?? 'none'}
            onChange={(preset) => set({ preset })}
          />
        </Field>
        <WorkerTypesEditor
          preset={jsonData.preset}
          workerTypes={jsonData.workerTypes}
          onChange={(workerTypes) => set({ workerTypes })}
        />
      </ConfigSubSection>
      <ConfigSubSection title={t('config.cost.title', 'Cost')}>
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
      </ConfigSubSection>
      <ConfigSubSection
        title={t('config.cadences.title', 'Expected cadences')}
        description={t(
          'config.cadences.description',
          'Job classes that should run at least this often. The query type “Recurring” shows which are late.'
        )}
      >
        <CadencesEditor cadences={jsonData.cadences ?? []} onChange={(cadences) => set({ cadences })} />
      </ConfigSubSection>
    </ConfigSection>
  );
}
