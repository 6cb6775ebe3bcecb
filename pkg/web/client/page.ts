import type { Graph, PageData, Row, Rows } from '../model';
import { agoText, bytesText, countText, durationText, instantText, shareText } from './format';
import { DURATION_STEPS, GraphView, WHOLE_STEPS, type Unit } from './graph';
import { Timeline } from './timeline';
import { WhatIf } from './whatIf';
import { drawTable, element, number, text, type Column } from './table';

/** The page of the executable: receives all its data as server-sent events and draws it. */

let now = Date.now() / 1000;

const column = (title: string, name: string, mark?: Column['mark']): Column => ({
  title,
  text: (row) => text(row, name),
  ...(mark && { mark }),
});
const count = (title: string, name: string): Column => ({ title, text: (row) => countText(row[name]), mark: number });
const duration = (title: string, name: string): Column => ({
  title,
  text: (row) => durationText(row[name]),
  mark: number,
});
const ago = (title: string, name: string): Column => ({ title, text: (row) => agoText(row[name], now), mark: number });

const STATE_MARKS: Readonly<Record<string, string>> = {
  unserved: 'critical',
  late: 'critical',
  starved: 'warning',
  paused: 'info',
  ok: 'ok',
  quiet: 'warning',
  running: 'ok',
};
const minor = (made: Column): Column => ({ ...made, minor: true });

const state = column('State', 'state', (row) => STATE_MARKS[text(row, 'state')] ?? '');

type TableName = 'findings' | 'queues' | 'busy' | 'errors' | 'processes';
type GraphName = 'throughput' | 'failures' | 'runTimes' | 'sizes' | 'waits';

const TABLES: ReadonlyArray<{ name: TableName; title: string; empty: string; columns: Column[] }> = [
  {
    name: 'findings',
    title: 'What is wrong',
    empty: 'Nothing is wrong.',
    columns: [
      column('Severity', 'severity', (row) => text(row, 'severity')),
      column('Finding', 'finding', () => 'wide'),
      ago('Since', 'since'),
      column('What to do', 'action', () => 'wide'),
      minor(column('Evidence', 'evidence', () => 'wide')),
    ],
  },
  {
    name: 'queues',
    title: 'Queues',
    empty: 'There are no queues.',
    columns: [
      column('Queue', 'queue'),
      state,
      count('Size', 'size'),
      duration('Latency', 'latency'),
      minor(count('Busy', 'busy')),
      minor(count('Ready threads', 'readyThreads')),
      minor(duration('Drain time', 'drainTime')),
    ],
  },
  {
    name: 'busy',
    title: 'Running jobs',
    empty: 'No job is running.',
    columns: [
      column('Class', 'class'),
      column('Queue', 'queue'),
      duration('Run time', 'runTime'),
      minor(column('Host', 'host')),
      minor(column('JID', 'jid')),
    ],
  },
  {
    name: 'errors',
    title: 'Errors',
    empty: 'No job is in retry or dead.',
    columns: [
      column('Error', 'errorClass'),
      column('Message', 'message', () => 'wide'),
      minor(column('Class', 'class')),
      count('Jobs', 'count'),
      minor(count('Last hour', 'rate')),
      ago('Last', 'last'),
    ],
  },
  {
    name: 'processes',
    title: 'Processes',
    empty: 'No Sidekiq process is alive.',
    columns: [
      column('Host', 'host'),
      minor(column('Tag', 'tag')),
      state,
      count('Busy', 'busy'),
      count('Threads', 'concurrency'),
      minor({ title: 'Memory', text: (row) => bytesText(row['rss']), mark: number }),
      duration('Heartbeat', 'beatAge'),
      minor(column('Version', 'version')),
    ],
  },
];

/** A mean over some seconds of what there are no parts of. */
const wholeText = (value: number) => countText(value < 1 ? Math.ceil(value) : Math.round(value));
const perSecond = (value: number) => `${value < 10 ? Math.round(value * 100) / 100 : Math.round(value)}/s`;
const GRAPHS: ReadonlyArray<{ name: GraphName; title: string; unit: Unit; empty: string }> = [
  {
    name: 'throughput',
    title: 'Executions by class, 8 h',
    unit: { print: perSecond, least: 0.1 },
    empty: 'No job has run in the last 8 hours.',
  },
  {
    name: 'failures',
    title: 'Failures by class, 8 h',
    unit: { print: wholeText, least: 1, steps: WHOLE_STEPS },
    empty: 'No job has failed in the last 8 hours.',
  },
  {
    name: 'runTimes',
    title: 'Mean run time by class, 8 h',
    unit: { print: durationText, least: 0.01, steps: DURATION_STEPS },
    empty: 'No job has ended in the last 8 hours.',
  },
  {
    name: 'sizes',
    title: 'Waiting jobs by queue, 2 h',
    unit: { print: wholeText, least: 1, steps: WHOLE_STEPS },
    empty: 'Nothing was seen in the last two hours.',
  },
  {
    name: 'waits',
    title: 'Latency by queue, 2 h',
    unit: { print: durationText, least: 1, steps: DURATION_STEPS },
    empty: 'Nothing was seen in the last two hours.',
  },
];

const FIGURES: ReadonlyArray<{ title: string; text(row: Row): string }> = [
  { title: 'Enqueued', text: (row) => countText(row['enqueued']) },
  { title: 'Longest wait', text: (row) => durationText(row['latencyMax']) },
  { title: 'Busy threads', text: (row) => `${countText(row['busy'])} of ${countText(row['threads'])}` },
  { title: 'Highest load', text: (row) => shareText(row['utilisationMax']) },
  { title: 'Retries', text: (row) => countText(row['retry']) },
  { title: 'Died in the last hour', text: (row) => countText(row['deadLastHour']) },
];

function section(name: string, title: string, className: string): HTMLElement {
  const made = element('section', '', className);
  made.id = name;
  const heading = element('h2', title);
  heading.id = `${name}-title`;
  made.setAttribute('aria-labelledby', heading.id);
  made.append(heading, element('div', '', 'body'));
  return made;
}

const page = document.getElementById('page')!;
const health = document.getElementById('health')!;
const figures = element('section', '', 'figures');
figures.setAttribute('aria-label', 'Figures');
const tables = new Map(TABLES.map((table) => [table.name, section(table.name, table.title, 'table')]));
const graphs = new Map(
  GRAPHS.map(({ name, title, unit, empty }) => {
    const made = section(name, title, 'graph');
    return [name, { made, view: new GraphView(made, unit, empty) }] as const;
  })
);
page.append(
  tables.get('findings')!,
  figures,
  tables.get('queues')!,
  ...[...graphs.values()].map(({ made }) => made),
  ...(['busy', 'errors', 'processes'] as const).map((name) => tables.get(name)!)
);

function drawFigures({ rows, problem }: Rows): void {
  const [row] = rows;
  figures.replaceChildren(
    ...(row && problem === undefined
      ? FIGURES.map((figure) => {
          const box = element('div');
          box.append(element('b', figure.text(row)), element('span', figure.title));
          return box;
        })
      : [])
  );
}

/** The worst of what is known: a Redis that answers is not all. */
function healthOf({ ok, partial, findings }: PageData): 'critical' | 'warning' | 'ok' {
  const has = (severity: string) => findings.rows.some((row) => row['severity'] === severity);
  return !ok || has('critical') ? 'critical' : partial || has('warning') ? 'warning' : 'ok';
}

function draw(data: PageData): void {
  now = data.at;
  setOld(data.keptFrom !== undefined);
  health.textContent = data.health;
  document.getElementById('receiver')!.textContent = data.receiver;
  health.className = healthOf(data);
  drawFigures(data.overview);
  for (const { name, columns, empty } of TABLES) {
    drawTable(tables.get(name)!, columns, data[name], empty);
  }
  for (const [name, { view }] of graphs) {
    view.show(data[name] satisfies Graph);
  }
}

/** The figures are of another time than the page says. */
function setOld(isOld: boolean): void {
  document.body.classList.toggle('old', isOld);
}

function showFailure(text: string, className: 'critical' | 'warning'): void {
  setOld(true);
  health.textContent = text;
  health.className = className;
}

const whatIf = new WhatIf(() => timeline.at);
page.append(whatIf.element);

let latest: PageData | undefined;
let asked = 0;

const timeline = new Timeline((at) => {
  asked += 1;
  document.body.classList.toggle('past', at !== null);
  whatIf.moved();
  if (at === null) {
    if (latest) {
      draw(latest);
    }
    return;
  }
  const question = asked;
  // Only the last of several questions is drawn.
  past(at).then(
    (data) => question === asked && draw(data),
    (error: unknown) =>
      question === asked &&
      showFailure(
        `The figures of ${instantText(at)} could not be read: ${String((error as Error).message)}. Those shown are of another time.`,
        'critical'
      )
  );
});
page.before(timeline.element);

async function past(at: number): Promise<PageData> {
  const answer = await fetch(`page.json?at=${at}`);
  if (!answer.ok) {
    throw new Error(await answer.text());
  }
  return (await answer.json()) as PageData;
}

const events = new EventSource('events');
events.addEventListener('message', ({ data }) => {
  latest = JSON.parse(data as string) as PageData;
  timeline.span(latest.recorded);
  if (timeline.at === null) {
    draw(latest);
  }
});
events.addEventListener('error', () => {
  if (timeline.at === null) {
    showFailure(
      'The connection to Jobwatch is lost; the page tries again. The figures are those of before.',
      'warning'
    );
  }
});
