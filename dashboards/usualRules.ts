/** A figure whose usual value Prometheus records by itself. */
interface UsualFigure {
  name: string;
  /** Means of five minutes. */
  expr: string;
}

const FIGURES: readonly UsualFigure[] = [
  { name: 'processed_jobs', expr: 'rate(sidekiq_processed_jobs_total[5m])' },
  { name: 'failed_jobs', expr: 'rate(sidekiq_failed_jobs_total[5m])' },
  { name: 'queue_enqueued_jobs', expr: 'avg_over_time(sidekiq_queue_enqueued_jobs[5m])' },
  { name: 'queue_latency_seconds', expr: 'avg_over_time(sidekiq_queue_latency_seconds[5m])' },
];

/** A recording rule of Prometheus. */
export interface RecordingRule {
  record: string;
  expr: string;
  labels?: Record<string, string>;
}

/**
 * What is usual, for those who have Prometheus alone: the median of the same time of the last three weeks, or while there are
 * less than two of them of the last three days; and the bounds that 95% of the last week's values lie within. Public methods of
 * this kind: https://github.com/grafana/promql-anomaly-detection.
 */
export const USUAL_RULES: readonly RecordingRule[] = FIGURES.flatMap(({ name, expr }): RecordingRule[] => {
  const figure = `sidekiq:${name}:mean5m`;
  const usual = `sidekiq:${name}:usual`;
  const off = `sidekiq:${name}:off_usual`;
  const spread = `quantile_over_time(0.95, ${off}[1w])`;
  const union = (pasts: readonly string[]) =>
    pasts.map((past) => `label_replace(${figure} offset ${past}, "past", "${past}", "", "")`).join(' or ');
  const weeks = union(['1w', '2w', '3w']);
  const median = (pasts: string) => `quantile without (past) (0.5, ${pasts})`;
  const known = `(${median(weeks)} and count without (past) (${weeks}) >= 2)`;
  const bound = `${usual}{bound="usual"}`;
  return [
    { record: figure, expr },
    { record: usual, expr: `${known} or ${median(union(['1d', '2d', '3d']))}`, labels: { bound: 'usual' } },
    { record: off, expr: `abs(${figure} - ignoring (bound) ${bound})` },
    {
      record: usual,
      expr: `clamp_min(${bound} - ignoring (bound) ${spread}, 0)`,
      labels: { bound: 'lower' },
    },
    { record: usual, expr: `${bound} + ignoring (bound) ${spread}`, labels: { bound: 'upper' } },
  ];
});
