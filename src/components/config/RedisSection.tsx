import type { DataSourcePluginOptionsEditorProps } from '@grafana/data';
import { t } from '@grafana/i18n';
import { ConfigSection } from '@grafana/plugin-ui';
import { ClipboardButton, Field, Input, RadioButtonGroup } from '@grafana/ui';
import { aclLine } from '../../../pkg/redis/acl';
import type { SidekiqOptions, SidekiqSecrets } from '../../types';
import { NumberField, SecretField, TextField, ToggleField, type Fields, type SecretOf } from './SettingsFields';
import { splitUrl } from './splitUrl';

const URL_EXAMPLE = 'redis://localhost:6379/0';

interface Props extends Pick<
  DataSourcePluginOptionsEditorProps<SidekiqOptions, SidekiqSecrets>,
  'options' | 'onOptionsChange'
> {
  fields: Fields;
  secret: SecretOf;
}

/** Where Redis is, and as whom to read it. */
export function RedisSection({ options, onOptionsChange, fields, secret }: Props) {
  const { jsonData } = options;
  const topology = jsonData.topology ?? 'single';
  // Everyone who may see the data source can read its URL.
  const moveCredentials = () => {
    const split = splitUrl(options.url);
    if (split) {
      const { url, user = options.user, password } = split;
      const secureJsonData = { ...options.secureJsonData, ...(password !== undefined && { password }) };
      onOptionsChange({ ...options, url, user, secureJsonData });
    }
  };
  return (
    <ConfigSection
      title={t('config.redis.title', 'Redis')}
      description={t('config.redis.description', 'The Redis that Sidekiq itself uses. A read-only user is enough.')}
    >
      <Field label={t('config.topology.label', 'Topology')}>
        <RadioButtonGroup
          options={[
            { value: 'single' as const, label: t('config.topology.single', 'Single server') },
            { value: 'sentinel' as const, label: t('config.topology.sentinel', 'Sentinel') },
            { value: 'cluster' as const, label: t('config.topology.cluster', 'Cluster') },
          ]}
          value={topology}
          onChange={(value) => fields.set({ topology: value })}
        />
      </Field>
      {topology === 'single' && (
        <Field
          label={t('config.url.label', 'URL')}
          required
          description={t(
            'config.url.description',
            'redis://host:6379/0, rediss://host:6380 for TLS, or unix:///path/to/redis.sock'
          )}
        >
          <Input
            id="config-url"
            placeholder={URL_EXAMPLE}
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
            label={t('config.sentinels.label', 'Sentinels')}
            required
            description={t('config.sentinels.description', 'host:port, comma separated')}
            example="sentinel-1:26379, sentinel-2:26379"
          />
          <TextField
            {...fields}
            name="sentinelMaster"
            label={t('config.sentinelMaster.label', 'Master name')}
            example="mymaster"
          />
          <TextField {...fields} name="sentinelUsername" label={t('config.sentinelUsername.label', 'Sentinel user')} />
          <SecretField
            {...secret('sentinelPassword')}
            label={t('config.sentinelPassword.label', 'Sentinel password')}
          />
        </>
      )}
      {topology === 'cluster' && (
        <TextField
          {...fields}
          name="clusterNodes"
          label={t('config.clusterNodes.label', 'Nodes')}
          required
          description={t('config.clusterNodes.description', 'host:port of nodes to start from, comma separated')}
          example="redis-1:6379, redis-2:6379"
        />
      )}
      <Field
        label={t('config.user.label', 'User')}
        description={t('config.user.description', 'Leave empty for Redis’ default user')}
      >
        <Input
          id="config-user"
          value={options.user}
          onChange={({ currentTarget }) => onOptionsChange({ ...options, user: currentTarget.value })}
        />
      </Field>
      <SecretField {...secret('password')} label={t('config.password.label', 'Password')} />
      <Field
        label={t('config.acl.label', 'Read-only user')}
        description={t(
          'config.acl.description',
          'The command that creates the smallest user (Redis 6 or newer). Replace PASSWORD in it.'
        )}
      >
        <ClipboardButton
          icon="copy"
          variant="secondary"
          getText={() => aclLine(options.user || 'jobwatch', `~${jsonData.keyPrefix ?? ''}*`, topology === 'cluster')}
        >
          {t('config.acl.copy', 'Copy ACL line')}
        </ClipboardButton>
      </Field>
      {topology !== 'cluster' && (
        <NumberField
          {...fields}
          name="database"
          label={t('config.database.label', 'Database')}
          description={t('config.database.description', 'Leave empty to use the database of the URL')}
          example="0"
        />
      )}
      {topology !== 'single' && (
        <ToggleField
          {...fields}
          name="readFromReplica"
          label={t('config.readFromReplica.label', 'Read from a replica')}
          description={t(
            'config.readFromReplica.description',
            'Reduces the load of the master; figures are as old as the replica is behind.'
          )}
        />
      )}
    </ConfigSection>
  );
}
