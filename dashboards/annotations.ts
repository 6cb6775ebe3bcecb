import { AnnotationQueryBuilder, type AnnotationQuery } from '@grafana/grafana-foundation-sdk/dashboard';
import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import type { EventsQuery } from '../pkg/queries/events';
import type { Severity } from './alert';
import { SOURCES, type DashboardSpec, type Flavour } from './panel';

/** Marks on the graphs of every dashboard. */
interface Annotation {
  name: string;
  color: string;
  kinds: NonNullable<EventsQuery['kinds']>;
  /** Of findings only these. */
  severity?: Severity;
  expr: string;
  /** Text of a mark by Prometheus. */
  title: string;
  /** Whether it is on where nobody chose; by default it is. */
  drawn?: (spec: DashboardSpec) => boolean;
}

const ANNOTATIONS: readonly Annotation[] = [
  {
    name: 'Deploys',
    color: 'blue',
    kinds: ['deploy', 'version'],
    expr: 'changes(sidekiq_last_deploy_timestamp_seconds[$__interval]) > 0',
    title: 'Deploy',
  },
  {
    name: 'Vanished processes',
    color: 'red',
    kinds: ['vanished'],
    expr: 'increase(sidekiq_vanished_processes_total[$__interval]) > 0',
    title: 'A process on {{host}} vanished',
  },
  {
    name: 'Critical findings',
    color: 'orange',
    kinds: ['finding'],
    severity: 'critical',
    // By Prometheus the alerts of Sidekiq are what a finding is.
    expr: 'ALERTS{alertname=~"Sidekiq.*",alertstate="firing",severity="critical"}',
    title: '{{alertname}} {{name}}{{class}}{{host}}',
    drawn: (spec) => spec.findingsDrawn === true,
  },
  {
    name: 'Warnings',
    color: 'yellow',
    kinds: ['finding'],
    severity: 'warning',
    expr: 'ALERTS{alertname=~"Sidekiq.*",alertstate="firing",severity="warning"}',
    title: '{{alertname}} {{name}}{{class}}{{host}}',
    // A day of them covers the lines of a graph.
    drawn: () => false,
  },
];

/** @param ofTarget narrows an expression of Prometheus to what is chosen */
export function annotationsOf(
  spec: DashboardSpec,
  flavour: Flavour,
  ofTarget: (expr: string) => string
): Array<Builder<AnnotationQuery>> {
  return ANNOTATIONS.map(({ name, color, kinds, severity, expr, title, drawn = () => true }) => {
    const filters = severity && { filters: [{ field: 'severity', operator: '=', values: [severity] }] };
    const query =
      flavour === 'direct'
        ? { refId: 'annotation', queryType: 'events', kinds, ...filters }
        : { refId: 'annotation', expr: ofTarget(expr), interval: '60s' };
    const annotation = new AnnotationQueryBuilder()
      .name(name)
      .datasource(SOURCES[flavour])
      .enable(drawn(spec))
      .iconColor(color)
      .target({ build: () => query as never })
      .build();
    // The text of a mark is an option of Prometheus' own, which the builder does not know.
    return { build: () => (flavour === 'direct' ? annotation : { ...annotation, titleFormat: title }) };
  });
}
