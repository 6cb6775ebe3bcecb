import { Fault, orNull } from '../faults/fault';
import { rowsOf, type Frame, type Value } from '../frames/frame';
import { runQuery } from '../queries/registry';
import { durationText } from '../findings/texts';
import { FEWEST } from '../outlook/rankTest';
import { complianceOf } from '../outlook/objectives';
import { isOfOldSidekiq } from '../sidekiq/jobMetrics';
import { MINUTES_KEPT_SECONDS, TEN_MINUTES_KEPT_SECONDS } from '../sidekiq/minutes';
import type { DeployMark } from '../sidekiq/model';
import { instantText } from '../source/instants';
import type { Range } from '../source/reads';
import { CLASS_SECONDS } from '../series/figures';
import { isGap } from '../series/grid';
import { gapsOf } from '../series/pace';
import { gapSecondsOf } from '../series/readOnGrid';
import type { FigureReads } from '../series/store';
import { NotRecorded } from '../source/notRecorded';
import type { Source } from '../source/source';
import { Turns } from '../turns';
import type { State } from '../watch/state';
import { classRuns, classSections, runsOfMetrics } from './classes';
import { findingSections } from './findings';
import type { Cell, CellKind, Picture, Report, Section } from './model';
import { tableOf, type ColumnOf } from './tables';

type Row = Readonly<Record<string, Value>>;

const POINTS = 200;
const LISTED = 25;
const CLASSES_MOST = 1000;
const DEPLOYS_COMPARED = 10;
const CHANGES_TOLD = 5;
/** Before and after a deploy at most. */
const AROUND_SECONDS = 3600;
/** A picture of more lines is hard to read. */
const LINES = 5;
/** What a comparison takes on each side: so many slots of five minutes, and parts of one at both ends. */
const LEAST_AROUND_SECONDS = (FEWEST + 1) * 300;

/**
 * What a team wants to know of a time range: what was wrong and unusual, objectives, classes, deploys and capacity. The
 * figures are those of the query types, as of the end of the range.
 *
 * Where the end of the range was not recorded, it is of the time before that was.
 *
 * @throws Fault where nothing can be read, or nothing was recorded in the range
 */
export async function makeReport(source: Source, range: Range): Promise<Report> {
  if (range.from >= Math.min(range.to, source.now())) {
    throw noTime(range, 'Set "--from" before "--to", and before now.');
  }
  const { state, isCut } = await lastState(source, range);
  const end = Math.min(range.to, state.now);
  if (range.from >= end) {
    throw noTime(range, `The last reading is of ${instantText(end)}, by the clock of Redis: set "--from" before it.`);
  }
  const asked = { from: range.from, to: end };
  const reads = source.reads(undefined, state);
  const ask = async (query: object, within: Range = asked): Promise<Frame[]> =>
    runQuery(query, source, { range: within, intervalSeconds: (within.to - within.from) / POINTS, alerting: false });
  const begins = source.recorded?.from ?? null;
  const history = await reads.history();
  const missing = await unwatchedSeconds(history, asked, source.options.sampleSeconds);
  const gaps = missing === 0 ? [] : unwatchedWithin(history, asked, source.options.sampleSeconds);
  const deploys = (await orNull(reads.deployMarks(asked, state.now)))?.marks ?? null;
  return {
    installation: source.address,
    range: asked,
    sections: [
      {
        id: 'overview',
        title: 'Overview',
        texts: [
          ...(begins !== null && begins > asked.from ? [`Readings are recorded since ${instantText(begins)}.`] : []),
          ...(isCut ? [`Readings end at ${instantText(end)}; nothing is known of the time after it.`] : []),
          missing === 0
            ? 'The time range was recorded.'
            : `Of the time range ${durationText(missing)} were not recorded; nothing is known of them.`,
          ...state.notices.filter(({ severity }) => severity !== 'info').map(({ text }) => text),
        ],
        pictures: await pictures(ask, asked),
      },
      ...findingSections(state.findingLog, asked, missing, gaps),
      await objectivesSection(ask),
      ...(await classes(source, state, asked, ask)),
      await deploysSection(deploys, asked, ask),
      await capacitySection(ask),
    ],
  };
}

/** The state at the end of a range, or the last one in it where its end was not recorded. */
async function lastState(source: Source, { from, to }: Range): Promise<{ state: State; isCut: boolean }> {
  try {
    return { state: await source.state(to), isCut: false };
  } catch (error) {
    if (error instanceof NotRecorded && error.before !== null && error.before > from) {
      return { state: await source.state(error.before), isCut: true };
    }
    throw error;
  }
}

function noTime({ from, to }: Range, remedy: string): Fault {
  const message = `There is no time from ${instantText(from)} to ${instantText(to)} that has passed.`;
  return new Fault({ kind: 'query', message, remedy });
}

/** By minutes where they are known, which is exact; by the counters of the history where those reach back further. */
async function classes(source: Source, state: State, range: Range, ask: Ask): Promise<Section[]> {
  const history = await source.reads(undefined, state).history();
  // Of the past only what was recorded is known.
  const keptSeconds = state.snapshot.minutes.items.some(isOfOldSidekiq)
    ? MINUTES_KEPT_SECONDS
    : TEN_MINUTES_KEPT_SECONDS;
  const keptFrom = state.recorded ? Infinity : state.now - keptSeconds;
  const minutesFrom = Math.max(range.from, Math.min(keptFrom, source.recorded?.from ?? keptFrom));
  if (minutesFrom - firstSample(history, range) <= CLASS_SECONDS) {
    const figures = ['executions', 'failures', 'totalTime'];
    const query = { queryType: 'job_metrics', figures, top: CLASSES_MOST, limit: CLASSES_MOST };
    const [frame] = await ask(query, { from: minutesFrom, to: range.to });
    const told = (frame?.meta?.notices ?? []).map(({ text }) => text).join(' ');
    const unknown =
      minutesFrom - range.from > CLASS_SECONDS ? [`Before ${instantText(minutesFrom)} executions are not known.`] : [];
    return classSections(runsOfMetrics(frame ? rowsOf(frame) : []), [...unknown, told || MINUTES_TEXT].join(' '));
  }
  const runs = await classRuns(history, range, state.now, source.options.sampleSeconds);
  return classSections(
    runs,
    'By the counters of the history, taken every five minutes; time without samples is left out.'
  );
}

const MINUTES_TEXT =
  'By the minutes of Sidekiq’s job metrics; those in which the time range begins and ends count whole.';
/** Of less than this nothing is said: samples come some seconds early or late. */
const LEAST_UNWATCHED_SECONDS = 120;
/** All rows that a query gives. */
const MOST_ROWS = 10_000;

/** Seconds of a range that have no samples, so that nothing is known of them; 0 for what is lost where a range begins or ends. */
async function unwatchedSeconds(history: FigureReads, { from, to }: Range, sampleSeconds: number): Promise<number> {
  // Whatever else is not known, the counter of executions is.
  const all = { scope: 'total' as const, keys: [''], seconds: Infinity, figure: 'processedRate' };
  const [known] = await complianceOf(history, all, [to - from], { to, sampleSeconds }, new Turns());
  const missing = to - from - known!.watched;
  return missing < Math.min(LEAST_UNWATCHED_SECONDS, (to - from) / 2) ? 0 : missing;
}

/** The times between two samples of a range that are gaps, and those before the first and after the last one. */
function unwatchedWithin(history: FigureReads, { from, to }: Range, sampleSeconds: number): Range[] {
  const [points] = history.read('total', 'processedRate', from, to, '');
  const at = (points?.at ?? []).filter((each) => each >= from);
  const gap = gapsOf(at, gapSecondsOf(to - from, sampleSeconds));
  const bounds = [from, ...at, to];
  return bounds.slice(1).flatMap((next, index) => {
    const before = bounds[index]!;
    return isGap(gap, before, next) ? [{ from: before, to: next }] : [];
  });
}

/** When the samples of a range begin. */
function firstSample(history: FigureReads, { from, to }: Range): number {
  return Math.max(from, history.read('total', 'processedRate', from, to, '')[0]?.at[0] ?? to);
}

type Ask = (query: object, within?: Range) => Promise<Frame[]>;

/** The rows of a query that answers with one table. */
async function rowsFor(ask: Ask, query: object, within?: Range): Promise<Row[]> {
  const [frame] = await ask(query, within);
  return frame ? rowsOf(frame) : [];
}

/** A column of a query's frame, taken over by its name. */
function column(name: string, title: string, kind: CellKind): ColumnOf<Row> {
  return { name, title, kind, of: (row) => cellOf(row[name]) };
}

function cellOf(value: Value | undefined): Cell {
  return typeof value === 'boolean' ? String(value) : (value ?? null);
}

async function objectivesSection(ask: Ask): Promise<Section> {
  const rows = await rowsFor(ask, { queryType: 'objectives', limit: MOST_ROWS });
  const known = rows.filter(({ budgetLeft }) => typeof budgetLeft === 'number');
  const missed = known.filter(({ budgetLeft }) => Number(budgetLeft) < 0);
  const unknown = rows.length - known.length;
  return {
    id: 'objectives',
    title: 'Latency objectives',
    texts: [
      `${missed.length} of ${rows.length} objectives are missed${unknown === 0 ? '' : `, ${unknown} are not known`}.`,
    ],
    table: tableOf(
      [
        column('workerType', 'Worker type', 'text'),
        column('state', 'Budget', 'text'),
        column('objective', 'Objective', 'seconds'),
        column('target', 'Target', 'share'),
        column('days', 'Days', 'count'),
        column('compliance', 'Compliance', 'share'),
        column('budgetLeft', 'Budget left', 'share'),
        column('watched', 'Watched', 'share'),
      ],
      rows,
      LISTED
    ),
  };
}

async function capacitySection(ask: Ask): Promise<Section> {
  const rows = await rowsFor(ask, { queryType: 'capacity' });
  return {
    id: 'capacity',
    title: 'Capacity at the end',
    texts: [],
    table: tableOf(
      [
        column('workerType', 'Worker type', 'text'),
        column('state', 'State', 'text'),
        column('demand', 'Demand', 'number'),
        column('supply', 'Supply', 'count'),
        column('utilisation', 'Utilisation', 'share'),
        column('size', 'Backlog', 'count'),
        column('latency', 'Latency', 'seconds'),
        column('breach', 'Reaches its objective', 'text'),
        column('threadsToKeepUp', 'Threads to keep up', 'count'),
        column('threadsNeeded', 'Threads to meet the objective', 'count'),
      ],
      rows,
      LISTED
    ),
  };
}

/** Each deploy and what has changed by more than chance within the hour after it, beside the hour before. */
async function deploysSection(marks: readonly DeployMark[] | null, { from, to }: Range, ask: Ask): Promise<Section> {
  const base = { id: 'deploys', title: 'Deploys' };
  if (marks === null || marks.length === 0) {
    const text = marks === null ? 'Deploy marks cannot be read.' : 'No deploy mark in this time range.';
    return { ...base, texts: [text] };
  }
  const rows: Array<{ at: number; label: string; changes: string }> = [];
  const last = marks.slice(-DEPLOYS_COMPARED);
  for (const { at, label } of last) {
    const before = marks.filter((mark) => mark.at < at).at(-1)?.at ?? from;
    const after = marks.find((mark) => mark.at > at)?.at ?? to;
    const length = Math.min(AROUND_SECONDS, at - before, after - at);
    rows.push({
      at,
      label,
      changes: length < LEAST_AROUND_SECONDS ? 'too little time around it' : await changesAt(at, length, ask),
    });
  }
  return {
    ...base,
    texts: ['Compared are up to an hour before and after; named is what changed by more than chance.'],
    table: {
      ...tableOf(
        [
          { name: 'at', title: 'Time', kind: 'instant', of: (row) => row.at },
          { name: 'label', title: 'Deploy', kind: 'text', of: (row) => row.label },
          { name: 'changes', title: 'Changes', kind: 'text', of: (row) => row.changes },
        ],
        rows,
        DEPLOYS_COMPARED
      ),
      more: marks.length - last.length,
    },
  };
}

async function changesAt(at: number, length: number, ask: Ask): Promise<string> {
  const range = { from: at - length, to: at + length };
  const changes: string[] = [];
  let isKnown = false;
  for (const by of ['total', 'class']) {
    const query = { queryType: 'compare', by, with: 'instant', at: new Date(at * 1000).toISOString() };
    for (const { verdict, figure, key: name, change } of await rowsFor(ask, query, range)) {
      isKnown ||= verdict !== 'unknown';
      if (verdict === 'more' || verdict === 'less') {
        const by = typeof change === 'number' ? ` (${change > 0 ? '+' : ''}${Math.round(change * 100)}%)` : '';
        changes.push(`${String(name ?? '')} ${String(figure)} ${verdict}${by}`.trim());
      }
    }
  }
  const more = changes.length - CHANGES_TOLD;
  if (!isKnown) {
    return 'not known: too few samples around it';
  }
  return changes.length === 0 ? 'none' : changes.slice(0, CHANGES_TOLD).join('; ') + (more > 0 ? `; ${more} more` : '');
}

const PICTURES: ReadonlyArray<Pick<Picture, 'title' | 'unit'> & { query: object }> = [
  {
    title: 'Jobs per second',
    unit: 'rate',
    query: { by: 'total', figures: ['processedRate', 'failedRate'] },
  },
  { title: 'Waiting jobs and busy threads', unit: 'number', query: { by: 'total', figures: ['enqueued', 'busy'] } },
  {
    title: 'Latency of the latest queues',
    unit: 'seconds',
    query: { by: 'queue', figures: ['latency'], limit: LINES },
  },
];

async function pictures(ask: Ask, range: Range): Promise<Picture[]> {
  const made: Picture[] = [];
  for (const { query, ...picture } of PICTURES) {
    const frames = await ask({ queryType: 'history', ...query });
    const lines = frames.flatMap(({ fields: [time, ...fields] }) =>
      fields
        .filter(({ kind }) => kind === 'number')
        .map(({ name, config, labels, values }) => ({
          name: Object.values(labels ?? {}).join(' ') || (config?.displayNameFromDS ?? config?.displayName ?? name),
          at: (time?.values ?? []).map((at) => Number(at) / 1000),
          values: values.map((value) => (typeof value === 'number' ? value : null)),
        }))
    );
    if (lines.length > 0) {
      made.push({ ...picture, range, lines: lines.slice(0, LINES) });
    }
  }
  return made;
}

/** Findings that a message names. */
const NAMED = 10;

/** The report in a few lines, for a message. */
export function summaryOf({ installation, range, sections }: Report): string {
  const of = (id: string) => sections.find((section) => section.id === id);
  const { rows = [], more = 0 } = of('findings')?.table ?? {};
  const left = more + Math.max(0, rows.length - NAMED);
  return [
    `Sidekiq at ${installation}, ${instantText(range.from)} to ${instantText(range.to)}.`,
    ...(of('findings')?.texts ?? []),
    ...rows.slice(0, NAMED).map(([severity, text]) => `• ${severity}: ${text}`),
    ...(left > 0 ? [`${left} more.`] : []),
    ...(of('objectives')?.texts ?? []),
    ...(of('busiest')?.texts.slice(0, 1) ?? []),
  ].join('\n');
}
