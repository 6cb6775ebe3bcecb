import { z } from 'zod';
import { burnRate, complianceOf, type Compliance, type Objective } from '../outlook/objectives';
import type { HistoryScope } from '../series/figures';
import { objectiveOf } from '../settings/workerTypes';
import { Turns } from '../turns';
import { capacityOfQueues, capacityOfTypes, type Capacity } from '../watch/capacity';
import { plain, seconds, share, text, typeAndQueue } from './columns';
import { baseQuerySchema } from './model';
import type { State } from '../watch/state';
import { tableQuery, type Column } from './table';

const schema = baseQuerySchema.extend({
  by: z.enum(['workerType', 'queue']).default('workerType').describe('What a row is.'),
});

const DAY = 86_400;
/** Windows of the burn rates, by the name of their column. */
const WINDOWS = { burn5m: 300, burn30m: 1800, burn1h: 3600, burn6h: 6 * 3600, burn3d: 3 * DAY } as const;
type Window = keyof typeof WINDOWS;
const WINDOW_NAMES = Object.keys(WINDOWS) as Window[];
/**
 * Burn rates that matter, over a long window and a short one that tells whether it goes on: 2% of the budget of 30 days in an
 * hour, 5% in six hours. Source: https://sre.google/workbook/alerting-on-slos/ (multiwindow, multi-burn-rate alerts).
 */
export const BURN = {
  fast: { long: 'burn1h', short: 'burn5m', rate: 14.4 },
  slow: { long: 'burn6h', short: 'burn30m', rate: 6 },
} as const;

/** The state of a budget that is spent by the fast rate; another alert tells of it. */
export const BURNS_FAST = 'burns fast';

/** Of a worker type of the settings with more, the latency of the type itself is judged. */
const QUEUES_JUDGED = 50;
/** Of less than this share of a window nothing is told: five bad minutes are no bad hour. */
const LEAST_WATCHED = 0.5;

type Row = Pick<Capacity, 'workerType' | 'queue'> & Objective & Compliance & Record<Window, number | null>;

const BUDGET_COLOURS = [
  {
    type: 'value',
    options: {
      spent: { text: 'spent', color: 'red', index: 0 },
      [BURNS_FAST]: { text: BURNS_FAST, color: 'red', index: 1 },
      'burns slowly': { text: 'burns slowly', color: 'orange', index: 2 },
      ok: { text: 'ok', color: 'green', index: 3 },
      unknown: { text: 'unknown', color: 'text', index: 4 },
    },
  },
];

const COLUMNS: Array<Column<Row>> = [
  ...typeAndQueue<Row>(),
  text(
    'state',
    'Budget',
    'spent, burns fast (2% of the budget in an hour), burns slowly (5% in six hours), ok, or unknown; by the time that was watched.',
    stateOf,
    { config: { mappings: BUDGET_COLOURS } }
  ),
  seconds('objective', 'Objective', 'Latency that should not be exceeded.', (row) => row.seconds),
  share('target', 'Target', 'Share of the time that should be within the objective.', (row) => row.share, {
    config: { decimals: 2 },
  }),
  plain('days', 'Days', 'Days over which the share is told.', (row) => row.days),
  share(
    'compliance',
    'Compliance',
    'Share of the watched time within the objective. Gaps of the history are not watched.',
    (row) => (row.watched === 0 ? null : row.good / row.watched),
    { config: { decimals: 3 } }
  ),
  share(
    'budgetLeft',
    'Budget left',
    'Share of the time beyond the objective that the target allows of the time watched, and that is left; negative where it is overspent.',
    budgetLeft,
    { config: { decimals: 1 } }
  ),
  share('watched', 'Watched', 'Share of the days that the history has.', (row) => row.watched / (row.days * DAY), {
    config: { decimals: 1 },
  }),
  ...WINDOW_NAMES.map((name) =>
    plain<Row>(
      name,
      `Burn ${name.slice('burn'.length).replace(/(\d+)/, '$1 ').replace(' m', ' min')}`,
      'How fast the budget was spent over that time: 1 spends all of it within the days of the objective. No value where less than half of the time was watched.',
      (row) => row[name],
      { config: { decimals: 1 } }
    )
  ),
];

function budgetLeft(row: Row): number | null {
  const spent = burnRate(row, row);
  return spent === null ? null : 1 - spent;
}

function stateOf(row: Row): string {
  const burns = ({ long, short, rate }: (typeof BURN)['fast' | 'slow']) =>
    (row[long] ?? 0) > rate && (row[short] ?? 0) > rate;
  const left = budgetLeft(row);
  return left === null
    ? 'unknown'
    : burns(BURN.fast)
      ? BURNS_FAST
      : left <= 0
        ? 'spent'
        : burns(BURN.slow)
          ? 'burns slowly'
          : 'ok';
}

/** Whether latencies keep their objective for the share of the time that they should. */
export const objectives = tableQuery({
  id: 'objectives',
  group: 'Over time',
  title: 'Objectives',
  description:
    'Latency objectives over days: share of the time within the objective, budget left, and how fast it is spent.',
  empty: 'No queue exists, and no process names one.',
  schema,
  columns: COLUMNS,
  example: '--option by=queue',
  async rows(state, { by }, _request, reads) {
    const { now, options } = state;
    const history = await reads.history();
    const turns = new Turns();
    const rows: Row[] = [];
    for (const row of by === 'queue' ? capacityOfQueues(state) : capacityOfTypes(state)) {
      const { workerType, queue, objectiveSeconds } = row;
      const objective = { seconds: objectiveSeconds, ...objectiveOf(workerType, options.workerTypes) };
      const windows = [objective.days * DAY, ...WINDOW_NAMES.map((name) => WINDOWS[name])];
      const at = { to: now, sampleSeconds: options.sampleSeconds };
      const [all, ...recent] = await complianceOf(
        history,
        { ...seriesOf(row, state), seconds: objectiveSeconds },
        windows,
        at,
        turns
      );
      const rates = recent.map((each, index) => {
        const name = WINDOW_NAMES[index]!;
        return [name, each.watched < LEAST_WATCHED * WINDOWS[name] ? null : burnRate(each, objective)] as const;
      });
      rows.push({
        workerType,
        queue,
        ...objective,
        ...all!,
        ...(Object.fromEntries(rates) as Record<Window, number | null>),
      });
      await turns.give();
    }
    const left = (row: Row) => budgetLeft(row) ?? Infinity;
    return { rows: rows.sort((a, b) => left(a) - left(b)), without: by === 'queue' ? [] : ['queue'] };
  },
});

/**
 * The latency of a queue, or of the queues of a worker type as they are now: the settings may have given it others before, and a
 * type that is derived from the processes is another one while nobody serves its queues. One of very many queues is judged by
 * its own latency, as each series takes time.
 */
function seriesOf(
  { workerType, queue, alone }: Capacity,
  { options, queues }: Pick<State, 'options' | 'queues'>
): { scope: HistoryScope; keys: string[] } {
  if (queue !== '' || alone !== null) {
    return { scope: 'queue', keys: [alone ?? queue] };
  }
  const keys = queues.filter((each) => each.workerType === workerType).map(({ name }) => name);
  return options.workerTypes.length > 0 && keys.length > QUEUES_JUDGED
    ? { scope: 'workerType', keys: [workerType] }
    : { scope: 'queue', keys };
}
