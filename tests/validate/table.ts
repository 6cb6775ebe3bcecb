import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { groupBy } from '../../pkg/sidekiq/groupBy';

/** What is written down of one queue of one case; figures that are not known are `null` in the file. */
export interface Line {
  case: string;
  /** Version of Sidekiq that was measured. */
  sidekiq: string;
  queue: string;
  /** p95 of the wait in seconds after the change: measured twice. */
  measured: [number, number];
  /** By the engine with the arrivals and run times of the first of those runs. */
  driven: number;
  /** By what_if from the run before the change: the median and where 18 of 20 runs lie. */
  fitted: { median: number | null; least: number | null; most: number | null };
  utilisation: { measured: number; driven: number; fitted: number | null };
  /** By the two-moment formula of M/G/k, for all queues together. */
  formula: number;
  /** Seconds until all jobs had started that waited at the beginning, of cases with a backlog. */
  drained?: { measured: readonly [number, number]; driven: number; fitted: number | null };
}

const DOCS = join(__dirname, '../../docs/what-if.md');
const MARK = '<!-- validation -->';

/** Writes the table of docs/what-if.md. */
export function writeTable(lines: readonly Line[]): void {
  const text = readFileSync(DOCS, 'utf8');
  const [before = '', , after = ''] = text.split(MARK);
  const told = [
    '| Case | Queue | p95 measured | driven | error | predicted | range | error | formula | busy: measured, driven, predicted |',
    '| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
    ...lines.map(rowOf),
    '',
    summary(lines),
    '',
    '| Case | Queue | drain time measured | driven | error | predicted | error |',
    '| --- | --- | ---: | ---: | ---: | ---: | ---: |',
    ...lines.flatMap(drainRow),
  ];
  writeFileSync(DOCS, [before, MARK, `\n\n${told.join('\n')}\n\n`, MARK, after].join(''));
}

const mean = ([one, other]: readonly [number, number]) => (one + other) / 2;

function drainRow({ case: name, queue, drained }: Line): string[] {
  if (!drained) {
    return [];
  }
  const { measured, driven, fitted } = drained;
  const cells = [
    name,
    queue,
    measured.map(inSeconds).join(', '),
    inSeconds(driven),
    errorOf(driven, measured[0]),
    inSeconds(fitted),
    errorOf(fitted, mean(measured)),
  ];
  return [`| ${cells.join(' | ')} |`];
}

function inSeconds(seconds: number | null): string {
  return seconds === null ? '–' : `${seconds.toFixed(1)} s`;
}

function rowOf({ case: name, queue, measured, driven, fitted, utilisation, formula }: Line): string {
  const cells = [
    name,
    queue,
    measured.map(milliseconds).join(', '),
    milliseconds(driven),
    errorOf(driven, measured[0]),
    milliseconds(fitted.median),
    fitted.least === null ? '–' : `${milliseconds(fitted.least)} to ${milliseconds(fitted.most)}`,
    errorOf(fitted.median, mean(measured)),
    Number.isFinite(formula) ? errorOf(formula, mean(measured)) : '–',
    [utilisation.measured, utilisation.driven, utilisation.fitted]
      .map((share) => (share === null ? '–' : `${(share * 100).toFixed(1)}%`))
      .join(', '),
  ];
  return `| ${cells.join(' | ')} |`;
}

function milliseconds(seconds: number | null): string {
  return seconds === null ? '–' : `${Math.round(seconds * 1000).toLocaleString('en')} ms`;
}

function errorOf(predicted: number | null, real: number): string {
  if (predicted === null) {
    return '–';
  }
  const share = Math.round((predicted / real - 1) * 100);
  return `${share > 0 ? '+' : ''}${share}%`;
}

function summary(lines: readonly Line[]): string {
  const median = (values: number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
  const percent = (share: number) => `${(share * 100).toFixed(0)}%`;
  const off = (predicted: number, real: number) => Math.abs(predicted / real - 1);
  const known = lines.filter((line) => line.fitted.median !== null);
  const held = known.filter(
    ({ fitted, measured }) => mean(measured) >= fitted.least! && mean(measured) <= fitted.most!
  );
  const spread = median(lines.map(({ measured: [one, other] }) => Math.abs(one - other) / ((one + other) / 2)));
  const versions = [...groupBy(lines, ({ sidekiq }) => sidekiq)].map(([version, of], place) => {
    const cases = [...new Set(of.map((line) => line.case))].join('; ');
    return `Sidekiq ${version}: ${place === 0 ? 'all cases but those named' : cases}.`;
  });
  return [
    ...versions.sort(),
    `Two runs of the real thing differ by ${percent(spread)} (median of all lines).`,
    `Driven, p95 is ${percent(median(lines.map(({ driven, measured }) => off(driven, measured[0]))))} off;`,
    `predicted, ${percent(median(known.map(({ fitted, measured }) => off(fitted.median!, mean(measured)))))};`,
    `by the formula, ${percent(median(lines.filter(({ formula }) => Number.isFinite(formula)).map(({ formula, measured }) => off(formula, mean(measured)))))}.`,
    `The range holds the mean of what was measured in ${held.length} of ${known.length} lines.`,
  ].join(' ');
}
