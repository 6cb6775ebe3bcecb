import type { Value } from '../frames/frame';
import { boundedInterval, gridOf } from '../series/grid';
import { figureNamed } from '../series/figures';
import { gapSecondsOf, readOnGrid } from '../series/readOnGrid';
import type { FigureReads } from '../series/store';
import type { Range } from '../source/reads';
import { Turns } from '../turns';
import { countText, shareText } from '../findings/texts';
import type { Section } from './model';
import { tableOf, type ColumnOf } from './tables';

const SLOT_SECONDS = 300;
const SLOTS_MOST = 2500;
const LISTED = 10;
/** Of fewer executions no share of failures is told. */
const FEWEST = 20;

/** What a class did in a range. */
export interface ClassRun {
  name: string;
  executions: number;
  failed: number;
  /** Seconds that threads were busy with executions that succeeded. */
  threadSeconds: number;
}

/** Rows of the query type `job_metrics` as what classes did. */
export function runsOfMetrics(rows: ReadonlyArray<Readonly<Record<string, Value>>>): ClassRun[] {
  return rows.map((row) => ({
    name: String(row['class']),
    executions: Number(row['executions'] ?? 0),
    failed: Number(row['failures'] ?? 0),
    threadSeconds: Number(row['totalTime'] ?? 0),
  }));
}

/** What job classes did in a range, by the counters of the history; time of gaps is left out. */
export async function classRuns(
  history: FigureReads,
  { from, to }: Range,
  now: number,
  sampleSeconds: number
): Promise<ClassRun[]> {
  const interval = boundedInterval(from, to, SLOT_SECONDS, SLOTS_MOST);
  const grid = gridOf(from, to, interval);
  const sampled = { from, to, gapSeconds: gapSecondsOf(now - from, sampleSeconds), sampleSeconds };
  const turns = new Turns();
  const sumOf = async (name: string, key: string) => {
    const [series] = await readOnGrid(history, { figure: figureNamed(name), scope: 'class', key }, sampled, {
      grid,
      interval,
    });
    // The first and the last interval may reach beyond the range.
    const within = (at: number) => Math.max(0, Math.min(to, at + interval) - Math.max(from, at));
    return (series?.values ?? []).reduce<number>((sum, rate, index) => sum + (rate ?? 0) * within(grid[index]!), 0);
  };
  const runs: ClassRun[] = [];
  for (const name of history.keys('class', 'processedRate')) {
    const executions = await sumOf('processedRate', name);
    if (executions >= 0.5) {
      const failed = await sumOf('failedRate', name);
      runs.push({ name, executions, failed, threadSeconds: await sumOf('load', name) });
    }
    await turns.give();
  }
  return runs;
}

const meanSeconds = ({ executions, failed, threadSeconds }: ClassRun) =>
  executions - failed < 0.5 ? null : threadSeconds / (executions - failed);
const failedShare = ({ executions, failed }: ClassRun) => (executions === 0 ? null : failed / executions);

const COLUMNS: Array<ColumnOf<ClassRun>> = [
  { name: 'class', title: 'Class', kind: 'text', of: ({ name }) => name },
  { name: 'executions', title: 'Executions', kind: 'count', of: ({ executions }) => Math.round(executions) },
  { name: 'failed', title: 'Failed', kind: 'count', of: ({ failed }) => Math.round(failed) },
  { name: 'failedShare', title: 'Failed share', kind: 'share', of: failedShare },
  { name: 'meanSeconds', title: 'Mean run time', kind: 'seconds', of: meanSeconds },
  { name: 'threadSeconds', title: 'Thread time', kind: 'seconds', of: ({ threadSeconds }) => threadSeconds },
];

/** The classes that take most thread time, that run longest and that fail most. */
export function classSections(runs: readonly ClassRun[], told: string): Section[] {
  const by = (value: (run: ClassRun) => number | null) => [...runs].sort((a, b) => (value(b) ?? -1) - (value(a) ?? -1));
  const failing = by(failedShare).filter(({ executions, failed }) => executions >= FEWEST && failed >= 0.5);
  const executions = runs.reduce((sum, run) => sum + run.executions, 0);
  const failed = runs.reduce((sum, run) => sum + run.failed, 0);
  if (runs.length === 0) {
    return [{ id: 'classes', title: 'Classes', texts: ['No execution is known by class in this time range.'] }];
  }
  return [
    {
      id: 'busiest',
      title: 'Classes by thread time',
      texts: [
        `${countText(Math.round(executions), 'execution')} of ${countText(runs.length, 'class', 'classes')}, ${shareText(executions === 0 ? 0 : failed / executions)} failed.`,
        told,
      ],
      table: tableOf(
        COLUMNS,
        by(({ threadSeconds }) => threadSeconds),
        LISTED
      ),
    },
    { id: 'slowest', title: 'Slowest classes', texts: [], table: tableOf(COLUMNS, by(meanSeconds), LISTED) },
    {
      id: 'failing',
      title: 'Most failing classes',
      texts: failing.length === 0 ? [`No class of at least ${FEWEST} executions failed.`] : [],
      table: tableOf(COLUMNS, failing, LISTED),
    },
  ];
}
