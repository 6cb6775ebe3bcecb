import { t } from '@grafana/i18n';
import { ConfigSection } from '@grafana/plugin-ui';
import {
  ListenField,
  NumberField,
  SecretField,
  TextField,
  ToggleField,
  type Fields,
  type SecretOf,
} from './SettingsFields';

/** What the plugin's process serves and receives beside Grafana. */
export function ListenersSection({ fields, secret }: { fields: Fields; secret: SecretOf }) {
  return (
    <ConfigSection
      title={t('config.listeners.title', 'Prometheus and Sidekiq Pro')}
      description={t(
        'config.listeners.description',
        'Endpoints of the plugin process in addition to Grafana, while the data source is in use. With more than one Grafana server, run gpx_sidekiq serve instead.'
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
          "host:port, or unixgram://name.sock for a unix socket in the plugin's data directory; separate several with commas. Sidekiq Pro sends its job metrics to this address."
        )}
        example="127.0.0.1:9125"
      />
      <ListenField
        {...fields}
        name="statsdMetricsListen"
        label={t('config.statsdMetricsListen.label', 'Serve only DogStatsD metrics at')}
        description={t(
          'config.statsdMetricsListen.description',
          'host:port of a second endpoint that serves only the metrics received by DogStatsD'
        )}
        example="127.0.0.1:12345"
      />
      <TextField
        {...fields}
        name="statsdPrefix"
        label={t('config.statsdPrefix.label', 'Prefix of DogStatsD metrics')}
        description={t(
          'config.statsdPrefix.description',
          'One prefix for all senders. If empty, each sender keeps its namespace: lago-api.jobs.count becomes lago_api_jobs_count'
        )}
        example={t('config.statsdPrefix.placeholder', 'namespace of the sender')}
      />
      <NumberField
        {...fields}
        name="statsdExpireSeconds"
        label={t('config.statsdExpireSeconds.label', 'Series expiry (seconds)')}
        example="172800"
      />
      <ListenField
        {...fields}
        name="kedaListen"
        label={t('config.kedaListen.label', 'Serve KEDA’s external scaler at')}
        description={t('config.kedaListen.description', 'host:port; gRPC without a token')}
        example="127.0.0.1:9093"
      />
      <TextField
        {...fields}
        name="otlpEndpoint"
        label={t('config.otlpEndpoint.label', 'Push metrics by OTLP to')}
        description={t(
          'config.otlpEndpoint.description',
          'Address of an OpenTelemetry collector: http://host:4318, or grpc://host:4317. Metrics are pushed every minute.'
        )}
        example="http://127.0.0.1:4318"
      />
      <NumberField
        {...fields}
        name="seriesLimit"
        label={t('config.seriesLimit.label', 'Series limit per metric')}
        example="30000"
      />
      <ToggleField
        {...fields}
        name="compatNames"
        label={t('config.compatNames.label', 'Names of other exporters')}
        description={t(
          'config.compatNames.description',
          'Serve metrics by the names of prometheus_exporter and yabeda-sidekiq too.'
        )}
      />
    </ConfigSection>
  );
}
