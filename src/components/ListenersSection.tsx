import { ConfigSection } from '@grafana/plugin-ui';
import type { ReactNode } from 'react';
import type { SidekiqOptions } from '../types';
import { ListenField, NumberField, TextField } from './SettingsFields';

interface Props {
  jsonData: SidekiqOptions;
  set: (part: Partial<SidekiqOptions>) => void;
  /** The field of the token, which is a secret. */
  token: ReactNode;
}

/** What the plugin's process serves and receives beside Grafana. */
export function ListenersSection({ token, ...fields }: Props) {
  return (
    <ConfigSection
      title="Prometheus and Sidekiq Pro"
      description="What the plugin’s process serves and receives beside Grafana, while the data source is open. For more than one Grafana run gpx_sidekiq serve instead."
      isCollapsible
      isInitiallyOpen={Boolean(fields.jsonData.exporterListen || fields.jsonData.statsdListen)}
    >
      <ListenField
        {...fields}
        name="exporterListen"
        label="Serve metrics at"
        description="host:port of a Prometheus endpoint; empty for none"
        placeholder="127.0.0.1:9292"
      />
      {token}
      <ListenField
        {...fields}
        name="statsdListen"
        label="Receive DogStatsD at"
        description="host:port, or unixgram://name.sock for a unix socket in the plugin's data directory; several are separated by commas. Sidekiq Pro sends there what each job did."
        placeholder="127.0.0.1:9125"
      />
      <ListenField
        {...fields}
        name="statsdMetricsListen"
        label="Serve only those at"
        description="host:port of a second endpoint with what came by DogStatsD"
        placeholder="127.0.0.1:12345"
      />
      <TextField
        {...fields}
        name="statsdPrefix"
        label="Prefix of those metrics"
        description="One prefix for all senders; without it, each keeps its namespace: lago-api.jobs.count is lago_api_jobs_count"
        placeholder="namespace of the sender"
      />
      <NumberField
        {...fields}
        name="statsdExpireSeconds"
        label="Forget a silent series after (seconds)"
        placeholder="172800"
      />
      <ListenField
        {...fields}
        name="kedaListen"
        label="Serve KEDA’s external scaler at"
        description="host:port, by gRPC and without a token"
        placeholder="127.0.0.1:9093"
      />
      <NumberField {...fields} name="seriesLimit" label="Series of one metric at most" placeholder="30000" />
    </ConfigSection>
  );
}
