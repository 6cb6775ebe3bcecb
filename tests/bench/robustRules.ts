import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse, stringify } from 'yaml';
import { startPrometheus } from '../support/prometheus';
import type { MadeSeries } from './seasons';

const DAY = 86_400;
/** What the series themselves are selected by is looked back at by a week and a day, all else by a day at most. */
const DAYS_BEFORE = { selected: 10, others: 2 };
/** Prometheus' own default for rules. */
const INTERVAL = '1m';

interface Rule {
  record: string;
  expr: string;
  labels?: Record<string, string>;
}

/** A band around each series, by slot of five minutes; NaN where there is none. */
export interface RuleBand {
  lower: Float64Array;
  upper: Float64Array;
  /** Value that the rules compare with the band. */
  level: Float64Array;
}

/**
 * The bands that recording rules of another project (robust.yml of grafana/promql-anomaly-detection) give for series of one
 * minute, by a real Prometheus: the series are written into its database, and the rules are evaluated over the past, those
 * that others stand on first.
 *
 * @param from to: epoch seconds of what is wanted
 */
export async function robustBands(
  rulesFile: string,
  series: readonly MadeSeries[],
  { from, to }: { from: number; to: number }
): Promise<RuleBand[]> {
  const folder = mkdtempSync(join(tmpdir(), 'jobwatch-robust-'));
  const data = join(folder, 'data');
  try {
    writeFileSync(join(folder, 'series.om'), openMetrics(series));
    execFileSync('promtool', ['tsdb', 'create-blocks-from', 'openmetrics', '-q', join(folder, 'series.om'), data]);
    const { groups } = parse(readFileSync(rulesFile, 'utf8')) as {
      groups: Array<{ interval?: string; rules: Rule[] }>;
    };
    for (const [depth, level] of levelsOf(groups.flatMap(({ rules }) => rules)).entries()) {
      await withPrometheus(folder, data, async (url) => {
        for (const { interval = INTERVAL, rules } of groups) {
          const due = rules.filter(({ record }) => level.has(record));
          if (due.length > 0) {
            const file = join(folder, 'rules.yml');
            writeFileSync(file, stringify({ groups: [{ name: 'g', interval, rules: due }] }));
            // Constants come first, then the selection.
            const start = String(from - (depth < 2 ? DAYS_BEFORE.selected : DAYS_BEFORE.others) * DAY);
            execFileSync(
              'promtool',
              [
                'tsdb',
                'create-blocks-from',
                'rules',
                '--start',
                start,
                '--end',
                String(to),
                '--eval-interval',
                interval,
              ].concat(['--url', url, '--output-dir', data, file]),
              { stdio: 'ignore' }
            );
          }
        }
      });
    }
    return await withPrometheus(folder, data, async (url) => {
      const read = async (name: string) => bySeries(await ask(url, name, from, to), series.length, from, to);
      const [lower, upper, level] = [
        await read('anomaly:lower_band'),
        await read('anomaly:upper_band'),
        await read('anomaly:level'),
      ];
      return series.map((_, index) => ({ lower: lower[index]!, upper: upper[index]!, level: level[index]! }));
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function openMetrics(series: readonly MadeSeries[]): string {
  const lines = ['# TYPE made gauge'];
  series.forEach(({ startsAt, seconds, values }, index) =>
    values.forEach((value, slot) => {
      if (!Number.isNaN(value)) {
        const labels = `anomaly_name="s${index}",anomaly_type="requests",anomaly_strategy="robust"`;
        lines.push(`made{${labels}} ${value} ${startsAt + slot * seconds}`);
      }
    })
  );
  return `${lines.join('\n')}\n# EOF\n`;
}

/** Rules by what they stand on: each set needs those before it alone. */
function levelsOf(rules: readonly Rule[]): Array<Set<string>> {
  const levels: Array<Set<string>> = [];
  let left = [...rules];
  while (left.length > 0) {
    const due = left.filter(({ expr }) => !left.some(({ record }) => new RegExp(`${record}(?![\\w:])`).test(expr)));
    if (due.length === 0) {
      throw new Error('The rules stand on one another.');
    }
    levels.push(new Set(due.map(({ record }) => record)));
    left = left.filter((rule) => !due.includes(rule));
  }
  return levels;
}

async function withPrometheus<T>(folder: string, data: string, work: (url: string) => Promise<T>): Promise<T> {
  const flags = ['--storage.tsdb.retention.time=10y', '--query.max-samples=500000000', '--query.timeout=30m'];
  const { url, child } = await startPrometheus(folder, 'global: {}\n', { data, flags });
  const ended = once(child, 'exit');
  try {
    const isReady = async () =>
      fetch(`${url}/-/ready`).then(
        ({ ok }) => ok,
        () => false
      );
    while (!(await isReady())) {
      await sleep(100);
    }
    return await work(url);
  } finally {
    child.kill();
    await ended;
  }
}

interface Answer {
  data: { result: Array<{ metric: Record<string, string>; values: Array<[number, string]> }> };
}

async function ask(url: string, query: string, from: number, to: number): Promise<Answer> {
  const question = new URLSearchParams({ query, start: String(from), end: String(to - 300), step: '300' });
  return (await (await fetch(`${url}/api/v1/query_range?${question}`)).json()) as Answer;
}

function bySeries({ data: { result } }: Answer, many: number, from: number, to: number): Float64Array[] {
  const all = Array.from({ length: many }, () => new Float64Array((to - from) / 300).fill(NaN));
  for (const { metric, values } of result) {
    const own = all[Number(metric['anomaly_name']?.slice(1))];
    values.forEach(([at, value]) => own && (own[Math.round((at - from) / 300)] = Number(value)));
  }
  return all;
}
