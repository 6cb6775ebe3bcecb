import { t } from '@grafana/i18n';
import { ConfigSection } from '@grafana/plugin-ui';
import { ListenField, NumberField, SecretField, TextField, type Fields, type SecretOf } from './SettingsFields';

/** What the plugin's process serves and receives beside Grafana. */
export function ListenersSection({ fields, secret }: { fields: Fields; secret: SecretOf }) {
  return (
    <ConfigSection
      title={t('config.listeners.title', 'Prometheus and Sidekiq Pro')}
      description={t(
        'config.listeners.description',
        'What the plugin’s process serves and receives beside Grafana, while the data source is open. For more than one Grafana run gpx_sidekiq serve instead.'
      )}
      isCollapsible
      isInitiallyOpen={Boolean(fields.jsonData.exporterListen || fields.jsonData.statsdListen)}
    >
      <ListenField
        {...fields}
        name="exporterListen"
        label={t('config.exporterListen.label', 'Serve metrics at')}
        description={t('config.exporterListen.description', 'host:port of a Prometheus endpoint; empty for none')}
        example="127.0.0.1:9292"
      />
      <SecretField {...secret('exporterToken')} label={t('config.exporterToken.label', 'Bearer token of scrapes')} />
      <ListenField
        {...fields}
        name="statsdListen"
        label={t('config.statsdListen.label', 'Receive DogStatsD at')}
        description={t(
          'config.statsdListen.description',
          "host:port, or unixgram://name.sock for a unix socket in the plugin's data directory; several are separated by commas. Sidekiq Pro sends there what each job did."
        )}
        example="127.0.0.1:9125"
      />
      <ListenField
        {...fields}
        name="statsdMetricsListen"
        label={t('config.statsdMetricsListen.label', 'Serve only DogStatsD metrics at')}
        description={t(
          'config.statsdMetricsListen.description',
          'host:port of a second endpoint with what came by DogStatsD'
        )}
        example="127.0.0.1:12345"
      />
      <TextField
        {...fields}
        name="statsdPrefix"
        label={t('config.statsdPrefix.label', 'Prefix of DogStatsD metrics')}
        description={t(
          'config.statsdPrefix.description',
          'One prefix for all senders; without it, each keeps its namespace: lago-api.jobs.count is lago_api_jobs_count'
        )}
        example={t('config.statsdPrefix.placeholder', 'namespace of the sender')}
      />
      <NumberField
        {...fields}
        name="statsdExpireSeconds"
        label={t('config.statsdExpireSeconds.label', 'Forget a silent series after (seconds)')}
        example="172800"
      />
      <ListenField
        {...fields}
        name="kedaListen"
        label={t('config.kedaListen.label', 'Serve KEDA’s external scaler at')}
        description={t('config.kedaListen.description', 'host:port, by gRPC and without a token')}
        example="127.0.0.1:9093"
      />
      <NumberField
        {...fields}
        name="seriesLimit"
        label={t('config.seriesLimit.label', 'Series of one metric at most')}
        example="30000"
      />
    </ConfigSection>
  );
}
