import type { DirectQuery } from './panel';

export type Severity = 'critical' | 'warning' | 'info';

/** When Grafana's own rule fires: by the value of query A, or by an expression over the queries `$A`, `$B`, … */
export type Condition = { above: number } | { below: number } | { math: string };

/** Minutes that the queries of an alert look back where it names none. */
export const LOOK_BACK_MINUTES = 10;

/** An alert on this data source alone. */
export interface DirectAlert {
  queries: DirectQuery[];
  when: Condition;
  /** Minutes that the queries look back, {@link LOOK_BACK_MINUTES} where it is left out. */
  minutes?: number;
  /** What no row means; by default that all is well. */
  noData?: 'OK' | 'Alerting';
  /** What a failed query means; by default the state before, so that one outage is told by one alert. */
  error?: 'KeepLast' | 'Alerting';
}

/**
 * One alert, told once for both ways of alerting: a Prometheus rule on the endpoint's metrics, and a rule that Grafana
 * evaluates on the data source. Some exist in one of them only.
 *
 * Texts may use `{{ $labels.x }}` and `{{ $value | humanizeDuration }}` as Prometheus has them.
 */
export interface Alert {
  name: string;
  severity: Severity;
  /** Minutes for which it must hold. */
  pendingMinutes: number;
  summary: string;
  description: string;
  /** The dashboard to look at. */
  dashboard: string;
  /**
   * The panel in which Grafana draws the states of the alert: of that dashboard, or of the overview where that dashboard shows one
   * queue or class and the alert may be about another.
   */
  panel: string;
  prometheus?: {
    expr: string;
    /** Its labels, where they are not those of the data source. */ labels?: Record<string, string>;
  };
  direct?: DirectAlert;
}
