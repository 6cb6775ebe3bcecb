import { t } from '@grafana/i18n';
import { ConfigSection } from '@grafana/plugin-ui';
import { SecretTextField, TextField, ToggleField, type Fields, type SecretOf } from './SettingsFields';

/** Encryption of the connections to Redis. */
export function TlsSection({ fields, secret }: { fields: Fields; secret: SecretOf }) {
  return (
    <ConfigSection
      title={t('config.tls.title', 'TLS')}
      isCollapsible
      isInitiallyOpen={fields.jsonData.tlsEnabled ?? false}
    >
      <ToggleField
        {...fields}
        name="tlsEnabled"
        label={t('config.tlsEnabled.label', 'Use TLS')}
        description={t('config.tlsEnabled.description', 'A rediss:// URL enables TLS too.')}
      />
      <ToggleField
        {...fields}
        name="tlsSkipVerify"
        label={t('config.tlsSkipVerify.label', 'Accept any certificate')}
        description={t(
          'config.tlsSkipVerify.description',
          'Only for tests: anyone on the network path can read the traffic.'
        )}
      />
      <TextField
        {...fields}
        name="tlsServerName"
        label={t('config.tlsServerName.label', 'Server name')}
        description={t('config.tlsServerName.description', 'Required if the certificate names another host')}
      />
      <SecretTextField
        {...secret('tlsCaCert')}
        label={t('config.tlsCaCert.label', 'CA certificate')}
        example="-----BEGIN CERTIFICATE-----"
      />
      <SecretTextField
        {...secret('tlsClientCert')}
        label={t('config.tlsClientCert.label', 'Client certificate')}
        example="-----BEGIN CERTIFICATE-----"
      />
      <SecretTextField
        {...secret('tlsClientKey')}
        label={t('config.tlsClientKey.label', 'Client key')}
        example="-----BEGIN PRIVATE KEY-----"
      />
    </ConfigSection>
  );
}
