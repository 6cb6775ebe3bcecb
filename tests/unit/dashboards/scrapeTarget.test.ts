import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ofScrapeTarget } from '../../../dashboards/scrapeTarget';

const BOTH = 'job=~"$job",instance=~"$instance"';

test.each([
  ['sidekiq_up', `sidekiq_up{${BOTH}}`],
  ['rate(sidekiq_jobs_total{a="b"}[5m])', `rate(sidekiq_jobs_total{${BOTH},a="b"}[5m])`],
  ['sum by (queue) (rate(${statsd}_jobs_count[1h]))', `sum by (queue) (rate(\${statsd}_jobs_count{${BOTH}}[1h]))`],
  ['sidekiq:objective:burn_rate1h', `sidekiq:objective:burn_rate1h{${BOTH}}`],
  ['3 * ALERTS{alertname=~"Sidekiq.*"}', `3 * ALERTS{${BOTH},alertname=~"Sidekiq.*"}`],
  [
    'label_replace(sidekiq_a, "x", "sidekiq_b \\"ALERTS\\"", "", "")',
    `label_replace(sidekiq_a{${BOTH}}, "x", "sidekiq_b \\"ALERTS\\"", "", "")`,
  ],
  [
    'sidekiq_a and on (instance, job) sidekiq_b @ end()',
    `sidekiq_a{${BOTH}} and on (instance, job) sidekiq_b{${BOTH}} @ end()`,
  ],
  ['vector(1)', 'vector(1)'],
])('each selector of %s takes the chosen scrape targets', (expr, expected) => {
  expect(ofScrapeTarget(expr)).toBe(expected);
});

const FOLDER = join(__dirname, '../../../provisioning/dashboards/prometheus');

test.each(readdirSync(FOLDER).filter((file) => file !== 'sidekiq-fleet.json'))(
  'annotations and variables of %s are of the chosen scrape targets too',
  (file) => {
    const { annotations, templating } = JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as {
      annotations: { list: Array<{ target: { expr: string } }> };
      templating: { list: Array<{ name: string; query: string | { query: string } }> };
    };
    const queries = templating.list.flatMap(({ query }) => (typeof query === 'object' ? [query.query] : []));
    expect(templating.list.slice(1, 3).map(({ name }) => name)).toEqual(['job', 'instance']);
    // What there is to choose from, and the namespace of the senders by DogStatsD.
    const chosenFrom = ['label_values(sidekiq_up, job)', 'label_values(sidekiq_up{job=~"$job"}, instance)'];
    const others = queries.filter((query) => !chosenFrom.includes(query) && !query.includes('__name__'));
    for (const query of [...others, ...annotations.list.map(({ target }) => target.expr)]) {
      expect(query).toContain(BOTH);
    }
  }
);
