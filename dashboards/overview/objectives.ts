import { warnFrom, type Row } from '../panel';

const MET = 'avg_over_time(sidekiq_objective_met[30d])';
/** Share of the days of which Prometheus has a sample in ten minutes. */
const WATCHED = 'count_over_time(sidekiq_objective_met[30d:10m]) / (30 * 24 * 6)';
const BY_TARGET = '(1 - sidekiq_objective_target_ratio)';

/** The row of objectives over days, whatever the range is. */
export const objectives: Row = {
  title: 'Latency objectives over days, not filtered',
  panels: [
    {
      title: 'Latency objectives',
      description:
        'Share of the time within the latency objective over its days (30 by default), and the budget of time beyond it that is left. A burn rate of 1 spends the budget within those days. Time that was not recorded is left out.',
      kind: 'table',
      width: 24,
      height: 8,
      counted: true,
      direct: [{ queryType: 'objectives' }],
      columns: [
        'workerType',
        'state',
        'objective',
        'target',
        'compliance',
        'budgetLeft',
        'burn1h',
        'burn6h',
        'watched',
      ],
      hidden: ['days', 'burn5m', 'burn30m', 'burn3d'],
      states: ['Budget'],
      prometheus: [
        { expr: 'sidekiq_objective_target_ratio', column: 'Target' },
        { expr: MET, column: 'Compliance' },
        { expr: `1 - (1 - ${MET}) / ${BY_TARGET}`, column: 'Budget left' },
        { expr: 'sidekiq:objective:burn_rate1h', column: 'Burn 1 h' },
        { expr: 'sidekiq:objective:burn_rate6h', column: 'Burn 6 h' },
        { expr: WATCHED, column: 'Watched' },
      ],
      labels: { worker_type: 'Worker type' },
      units: { Target: 'percentunit', Compliance: 'percentunit', 'Budget left': 'percentunit', Watched: 'percentunit' },
      sortBy: { prometheus: 'Burn 1 h' },
      widths: {
        Budget: 110,
        Objective: 100,
        Target: 90,
        Compliance: 115,
        'Budget left': 115,
        'Burn 1 h': 95,
        'Burn 6 h': 95,
        Watched: 95,
      },
      minWidths: { 'Worker type': 160 },
      warnings: { 'Burn 1 h': warnFrom(1, 14.4), 'Burn 6 h': warnFrom(1, 6) },
    },
  ],
};
