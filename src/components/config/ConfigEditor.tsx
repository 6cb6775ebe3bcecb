import type { DataSourcePluginOptionsEditorProps } from '@grafana/data';
import { t } from '@grafana/i18n';
import { ConfigSection, DataSourceDescription } from '@grafana/plugin-ui';
import { Divider } from '@grafana/ui';
import type { SecretName } from '../../../pkg/settings/model';
import type { SidekiqOptions, SidekiqSecrets } from '../../types';
import { HistorySection } from './HistorySection';
import { ImportAlerts } from './ImportAlerts';
import { ImportDashboards } from './ImportDashboards';
import { JobDataSection } from './JobDataSection';
import { LinksSection } from './LinksSection';
import { ListenersSection } from './ListenersSection';
import { ReadingSection } from './ReadingSection';
import { RedisSection } from './RedisSection';
import { SchedulesSection } from './SchedulesSection';
import { TlsSection } from './TlsSection';
import { WorkerTypesSection } from './WorkerTypesSection';

const DOCS = 'https://github.com/jobwatch/jobwatch-sidekiq-datasource/blob/main/docs/install.md';

type Props = DataSourcePluginOptionsEditorProps<SidekiqOptions, SidekiqSecrets>;

/** The form of a data source: where Redis is, how to read it, and what the queues mean. */
export function ConfigEditor({ options, onOptionsChange }: Props) {
  const { jsonData, secureJsonFields } = options;
  const set = (part: Partial<SidekiqOptions>) => onOptionsChange({ ...options, jsonData: { ...jsonData, ...part } });
  const fields = { jsonData, set };
  const secret = (name: SecretName) => ({
    id: name,
    isConfigured: Boolean(secureJsonFields?.[name]),
    value: options.secureJsonData?.[name] ?? '',
    onChange: (value: string) =>
      onOptionsChange({ ...options, secureJsonData: { ...options.secureJsonData, [name]: value } }),
    onReset: () =>
      onOptionsChange({
        ...options,
        secureJsonFields: { ...secureJsonFields, [name]: false },
        secureJsonData: { ...options.secureJsonData, [name]: '' },
      }),
  });
  return (
    <div style={{ maxWidth: 640 }}>
      <DataSourceDescription dataSourceName="Sidekiq" docsLink={DOCS} hasRequiredFields />
      <Divider />
      <RedisSection options={options} onOptionsChange={onOptionsChange} fields={fields} secret={secret} />
      <Divider />
      <TlsSection fields={fields} secret={secret} />
      <Divider />
      <ReadingSection fields={fields} />
      <Divider />
      <HistorySection fields={fields} />
      <Divider />
      <JobDataSection fields={fields} />
      <Divider />
      <SchedulesSection fields={fields} />
      <Divider />
      <ListenersSection fields={fields} secret={secret} />
      <Divider />
      <LinksSection fields={fields} />
      <Divider />
      <WorkerTypesSection fields={fields} />
      <Divider />
      <ConfigSection
        title={t('config.dashboards.title', 'Dashboards')}
        description={t(
          'config.dashboards.description',
          'The dashboards of the plugin, on this data source. Save and test it first.'
        )}
      >
        <ImportDashboards dataSource={options} />
      </ConfigSection>
      <Divider />
      <ConfigSection
        title={t('config.alerts.title', 'Alert rules')}
        description={t(
          'config.alerts.description',
          'The alert rules of the plugin, evaluated by Grafana on this data source, in a folder of their own. Notifications follow your notification policies by the label severity.'
        )}
      >
        <ImportAlerts dataSource={options} />
      </ConfigSection>
    </div>
  );
}
