import type { DataSourcePluginOptionsEditorProps } from '@grafana/data';
import { ConfigSection, ConfigSubSection, DataSourceDescription } from '@grafana/plugin-ui';
import { ClipboardButton, Divider, Field, Input, RadioButtonGroup, Switch } from '@grafana/ui';
import type { ReactNode } from 'react';
import { aclLine } from '../../pkg/redis/acl';
import type { SecretName } from '../../pkg/settings/model';
import type { SidekiqOptions, SidekiqSecrets } from '../types';
import { CadencesEditor } from './CadencesEditor';
import { ImportDashboards } from './ImportDashboards';
import { LinksEditor } from './LinksEditor';
import { ListenersSection } from './ListenersSection';
import { NumberField, SecretField, SecretTextField, TextField } from './SettingsFields';
import { splitUrl } from './splitUrl';
import { WorkerTypesEditor } from './WorkerTypesEditor';

const DOCS = 'https://github.com/jobwatch/jobwatch-sidekiq-datasource/blob/main/docs/install.md';

type Props = DataSourcePluginOptionsEditorProps<SidekiqOptions, SidekiqSecrets>;

const TOPOLOGIES = [
  { value: 'single', label: 'Single server' },
  { value: 'sentinel', label: 'Sentinel' },
  { value: 'cluster', label: 'Cluster' },
] as const;

const PRESET_CHOICES = [
  { value: 'none', label: 'None' },
  { value: 'lago', label: 'Lago' },
] as const;

/** The form of a data source: where Redis is, how to read it, and what the queues mean. */
export function ConfigEditor({ options, onOptionsChange }: Props) {
  const { jsonData, secureJsonFields } = options;
  const topology = jsonData.topology ?? 'single';
  const set = (part: Partial<SidekiqOptions>) => onOptionsChange({ ...options, jsonData: { ...jsonData, ...part } });
  const fields = { jsonData, set };
  const secret = (name: SecretName) => ({
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
  // Everyone who may see the data source can read its URL.
  const moveCredentials = () => {
    const split = splitUrl(options.url);
    if (split) {
      const { url, user = options.user, password } = split;
      const secureJsonData = { ...options.secureJsonData, ...(password !== undefined && { password }) };
      onOptionsChange({ ...options, url, user, secureJsonData });
    }
  };
  const toggle = (
    name: 'readFromReplica' | 'tlsEnabled' | 'tlsSkipVerify' | 'allowArguments' | 'allowBacktraces',
    label: string,
    description: ReactNode
  ) => (
    <Field label={label} description={description}>
      <Switch
        id={`config-${name}`}
        value={jsonData[name] ?? false}
        onChange={({ currentTarget }) => set({ [name]: currentTarget.checked })}
      />
    </Field>
  );
  return (
    <div style={{ maxWidth: 640 }}>
      <DataSourceDescription dataSourceName="Sidekiq" docsLink={DOCS} hasRequiredFields />
      <Divider />
      <ConfigSection title="Redis" description="The Redis that Sidekiq itself uses. A read-only user is enough.">
        <Field label="Topology">
          <RadioButtonGroup options={[...TOPOLOGIES]} value={topology} onChange={(value) => set({ topology: value })} />
        </Field>
        {topology === 'single' && (
          <Field
            label="URL"
            required
            description="redis://host:6379/0, rediss://host:6380 for TLS, or unix:///path/to/redis.sock"
          >
            <Input
              id="config-url"
              placeholder="redis://localhost:6379/0"
              value={options.url}
              onChange={({ currentTarget }) => onOptionsChange({ ...options, url: currentTarget.value })}
              onBlur={moveCredentials}
            />
          </Field>
        )}
        {topology === 'sentinel' && (
          <>
            <TextField
              {...fields}
              name="sentinels"
              label="Sentinels"
              required
              description="host:port, comma separated"
              placeholder="sentinel-1:26379, sentinel-2:26379"
            />
            <TextField {...fields} name="sentinelMaster" label="Master name" placeholder="mymaster" />
            <TextField {...fields} name="sentinelUsername" label="Sentinel user" />
            <SecretField {...secret('sentinelPassword')} id="sentinelPassword" label="Sentinel password" />
          </>
        )}
        {topology === 'cluster' && (
          <TextField
            {...fields}
            name="clusterNodes"
            label="Nodes"
            required
            description="host:port of nodes to start from, comma separated"
            placeholder="redis-1:6379, redis-2:6379"
          />
        )}
        <Field label="User" description="Leave empty for Redis’ default user">
          <Input
            id="config-user"
            value={options.user}
            onChange={({ currentTarget }) => onOptionsChange({ ...options, user: currentTarget.value })}
          />
        </Field>
        <SecretField {...secret('password')} id="password" label="Password" />
        <Field
          label="Read-only user"
          description="The command that creates the smallest user (Redis 6 or newer). Replace PASSWORD in it."
        >
          <ClipboardButton
            icon="copy"
            variant="secondary"
            getText={() => aclLine(options.user || 'jobwatch', `~${jsonData.keyPrefix ?? ''}*`, topology === 'cluster')}
          >
            Copy ACL line
          </ClipboardButton>
        </Field>
        {topology !== 'cluster' && (
          <NumberField
            {...fields}
            name="database"
            label="Database"
            description="Leave empty to use the URL’s"
            placeholder="0"
          />
        )}
        {topology !== 'single' &&
          toggle('readFromReplica', 'Read from a replica', 'Spares the master; figures lag as the replica does.')}
      </ConfigSection>
      <Divider />
      <ConfigSection title="TLS" isCollapsible isInitiallyOpen={jsonData.tlsEnabled ?? false}>
        {toggle('tlsEnabled', 'Use TLS', 'A rediss:// URL switches it on by itself.')}
        {toggle('tlsSkipVerify', 'Accept any certificate', 'Only for tests: whoever stands between can read along.')}
        <TextField
          {...fields}
          name="tlsServerName"
          label="Server name"
          description="If the certificate names another host"
        />
        <SecretTextField
          {...secret('tlsCaCert')}
          id="tlsCaCert"
          label="CA certificate"
          placeholder="-----BEGIN CERTIFICATE-----"
        />
        <SecretTextField
          {...secret('tlsClientCert')}
          id="tlsClientCert"
          label="Client certificate"
          placeholder="-----BEGIN CERTIFICATE-----"
        />
        <SecretTextField
          {...secret('tlsClientKey')}
          id="tlsClientKey"
          label="Client key"
          placeholder="-----BEGIN PRIVATE KEY-----"
        />
      </ConfigSection>
      <Divider />
      <ConfigSection title="Reading" isCollapsible isInitiallyOpen={false}>
        <TextField
          {...fields}
          name="keyPrefix"
          label="Key prefix"
          description="Of redis-namespace (Sidekiq ≤ 6.5), with its colon"
          placeholder="app:"
        />
        <TextField
          {...fields}
          name="queueInclude"
          label="Only queues that match"
          description="A regular expression"
          placeholder=".*"
        />
        <TextField
          {...fields}
          name="queueExclude"
          label="Without queues that match"
          description="A regular expression"
          placeholder="^sidekiq-alive"
        />
        <NumberField {...fields} name="reuseSeconds" label="Reuse a reading for (seconds)" placeholder="1" />
        <NumberField {...fields} name="connectTimeoutSeconds" label="Connect timeout (seconds)" placeholder="3" />
        <NumberField {...fields} name="commandTimeoutSeconds" label="Command timeout (seconds)" placeholder="3" />
        <NumberField
          {...fields}
          name="sampleSeconds"
          label="Sampling interval (seconds)"
          description="While the data source is in use, for rates and history"
          placeholder="10"
        />
        <NumberField
          {...fields}
          name="deadMaxJobs"
          label="Dead set limit"
          description="Sidekiq’s dead_max_jobs"
          placeholder="10000"
        />
        <NumberField
          {...fields}
          name="idleHours"
          label="Stop sampling after (hours)"
          description="Hours without a query after which the history is dropped"
          placeholder="168"
        />
        <TextField
          {...fields}
          name="historyFile"
          label="History file"
          description="Name of a file in the plugin's data directory; empty to keep the history in memory"
          placeholder="history.db"
        />
        <TextField
          {...fields}
          name="cronNamespaces"
          label="Namespaces of sidekiq-cron"
          description="Beside “default”, comma separated"
          placeholder="billing, reports"
        />
        {toggle(
          'allowArguments',
          'Show job arguments',
          'Arguments, and the attributes that came along with a job, often hold personal data. Encrypted arguments are never shown.'
        )}
        {toggle(
          'allowBacktraces',
          'Show backtraces',
          'Failed jobs carry them where their class sets "backtrace". They name files of the application.'
        )}
      </ConfigSection>
      <Divider />
      <ListenersSection
        {...fields}
        token={<SecretField {...secret('exporterToken')} id="exporterToken" label="Bearer token of scrapes" />}
      />
      <Divider />
      <ConfigSection
        title="Links"
        description="Where values of tables lead to beside this data source."
        isCollapsible
        isInitiallyOpen={false}
      >
        <TextField
          {...fields}
          name="webUiUrl"
          label="Address of Sidekiq’s Web UI"
          description="Queues, classes and jobs link to its pages, where one may act"
          placeholder="https://shop.example.com/sidekiq"
        />
        <LinksEditor links={jsonData.links ?? []} onChange={(links) => set({ links })} />
      </ConfigSection>
      <Divider />
      <ConfigSection
        title="Worker types"
        description="Which worker type serves which queues, and how late a job may be there."
        isCollapsible
        isInitiallyOpen={false}
      >
        <ConfigSubSection title="Queues by worker type">
          <Field
            label="Preset"
            description="Without a preset and without a map, processes that serve the same queues are one worker type."
          >
            <RadioButtonGroup
              options={[...PRESET_CHOICES]}
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
        <ConfigSubSection
          title="Expected cadences"
          description="Job classes that should run again and again; the query “Recurring” tells which are late."
        >
          <CadencesEditor cadences={jsonData.cadences ?? []} onChange={(cadences) => set({ cadences })} />
        </ConfigSubSection>
      </ConfigSection>
      <Divider />
      <ConfigSection
        title="Dashboards"
        description="The dashboards of the plugin, on this data source. Save and test it first."
      >
        <ImportDashboards dataSource={options} />
      </ConfigSection>
    </div>
  );
}
