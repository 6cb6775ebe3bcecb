import { z } from 'zod';
import type { State } from '../watch/state';
import type { Options } from '../settings/model';
import type { Failure, FailuresRead } from '../sidekiq/browse/failures';
import { tooLarge, unreadable } from '../sidekiq/browse/storedJobs';
import { messagePattern } from '../sidekiq/fingerprint';
import type { Notice } from '../sidekiq/model';
import { count, instant, key, share, text } from './columns';
import { countText } from '../findings/texts';
import { compileOwnFilters } from './filter';
import { failedOfClass, jobsOfError, jobsOfQueue } from './links';
import { formatOption } from './logs';
import { baseQuerySchema } from './model';
import { tableQuery, type Column } from './table';
import { namesText } from '../sidekiq/namesText';

const GROUPS = ['errorClass', 'class', 'queue', 'fingerprint'] as const;
/** Failures are counted in each of so many last hours. */
const TREND_HOURS = 12;
const schema = baseQuerySchema.extend({
  groupBy: z
    .array(z.enum(GROUPS))
    .default(['errorClass', 'class', 'queue'])
    .describe(
      'What makes a row of its own. A fingerprint is the error class, the message without what varies, and the first line of the application in the backtrace.'
    ),
  ...formatOption,
});

/** An errors query as it is saved. */
export type ErrorsQuery = z.input<typeof schema>;

interface Row {
  errorClass: string;
  class: string;
  queue: string;
  pattern: string;
  frame: string;
  classes: Set<string>;
  queues: Set<string>;
  /** Failures by hour, the latest last. */
  trend: number[];
  /** Of all jobs in retry and dead. */
  share: number;
  retry: number;
  dead: number;
  lastHour: number;
  firstAt: number | null;
  lastAt: number | null;
  messageAt: number | null;
  message: string;
}

const COLUMNS: Array<Column<Row>> = [
  key('errorClass', 'Error', 'Class of the error.', (row) => row.errorClass, { links: jobsOfError }),
  key('class', 'Class', 'Job class that raised the error.', (row) => row.class, { links: failedOfClass }),
  key('queue', 'Queue', 'Queue of the jobs.', (row) => row.queue, { links: jobsOfQueue }),
  key(
    'pattern',
    'Kind of message',
    'Message without its variable parts, if rows are grouped by kind of failure.',
    (row) => row.pattern
  ),
  key(
    'frame',
    'Application line',
    'First line of the application in the backtrace, where grouped by fingerprint and backtraces are allowed.',
    (row) => row.frame
  ),
  count('count', 'Jobs', 'Jobs in retry and dead with this error.', (row) => row.retry + row.dead),
  count('retry', 'In retry', 'Jobs of the retry set with this error.', (row) => row.retry),
  count('dead', 'Dead', 'Jobs of the dead set with this error.', (row) => row.dead),
  count(
    'rate',
    'Last hour',
    'Jobs with this error whose latest failure is within the last hour.',
    (row) => row.lastHour
  ),
  share('share', 'Share', 'Share of all jobs in the retry and dead sets.', (row) => row.share, {
    config: { min: 0, max: 1 },
  }),
  text('trend', 'Last 12 hours', 'Latest failures in each of the last twelve hours, the latest last.', ({ trend }) =>
    barsOf(trend)
  ),
  text('classes', 'Classes', 'Job classes with this error.', ({ classes }) => namesText([...classes], NAMES_SHOWN)),
  text('queues', 'Queues', 'Queues with this error.', ({ queues }) => namesText([...queues], NAMES_SHOWN)),
  instant('first', 'First', 'Earliest first failure.', (row) => row.firstAt),
  instant('last', 'Last', 'Latest failure.', (row) => row.lastAt),
  text('message', 'Message', 'Message of the latest failure, with secrets removed.', (row) => row.message),
];

/** What fails: jobs in retry and dead, by error class, job class and queue. */
export const errors = tableQuery({
  id: 'errors',
  group: 'Jobs',
  title: 'Errors',
  description:
    'Failing jobs: the retry and dead sets by error class, job class and queue, with first and last occurrence and a sample message.',
  empty: 'No job is in the retry set or in the dead set.',
  cost: 'the retry and the dead set once, then the parts of them that change',
  schema,
  columns: COLUMNS,
  beside: true,
  logs: {
    time: ['last', 'first'],
    body: (of) => `${of('errorClass') ?? ''}: ${of('message') ?? ''} (${countText(Number(of('count')), 'job')})`,
    severity: () => 'error',
  },
  example: '--figures count,dead',
  ownFilters: ['errorClass', 'class', 'queue'],
  async rows({ now, options }, { groupBy, filters }, _request, reads) {
    const rows = new Map<string, Row>();
    const { retry, dead } = await reads.failures(now);
    const all = [...retry.failures, ...dead.failures];
    // A filter is about jobs, whatever they are then grouped by.
    const keeps = compileOwnFilters(filters, FAILURE_FIELDS);
    for (const failure of all) {
      if (keeps((field) => (field === 'class' ? [failure.class, failure.metricsClass] : failure[field as 'queue']))) {
        add(rows, failure, groupBy, { now, options });
      }
    }
    const jobs = all.reduce((sum, { count: many = 1 }) => sum + many, 0);
    rows.forEach((row) => (row.share = (row.retry + row.dead) / jobs));
    return {
      without: unused(groupBy, options),
      rows: [...rows.values()].sort((a, b) => b.retry + b.dead - (a.retry + a.dead)),
      notices: [
        ...partOf(retry, 'retries', 'the next ones'),
        ...partOf(dead, 'dead jobs', 'the newest ones'),
        ...tooLarge(retry.oversized + dead.oversized),
        ...unreadable(retry.broken + dead.broken),
      ],
    };
  },
});

const FAILURE_FIELDS = ['errorClass', 'class', 'queue'] as const;

/** By fingerprint, classes and queues are lists; without it there is no pattern. */
function unused(groupBy: readonly string[], { allowBacktraces }: Options): string[] {
  return groupBy.includes('fingerprint')
    ? [...['class', 'queue'].filter((name) => !groupBy.includes(name)), ...(allowBacktraces ? [] : ['frame'])]
    : ['pattern', 'frame'];
}

function partOf({ looked, total }: FailuresRead, what: string, which: string): Notice[] {
  return looked < total
    ? [
        {
          severity: 'info',
          text: `${looked.toLocaleString('en')} of ${total.toLocaleString('en')} ${what} looked at: ${which}.`,
        },
      ]
    : [];
}

function add(
  rows: Map<string, Row>,
  failure: Failure,
  groupBy: readonly string[],
  { now, options }: Pick<State, 'now' | 'options'>
): void {
  const by = (...fields: Array<(typeof GROUPS)[number]>) => fields.some((field) => groupBy.includes(field));
  const byFingerprint = by('fingerprint');
  const { message, firstAt, lastAt, count: many = 1 } = failure;
  const frame = byFingerprint ? failure.frame : '';
  const group = {
    errorClass: by('errorClass', 'fingerprint') ? failure.errorClass : '',
    class: by('class') ? failure.class : '',
    queue: by('queue') ? failure.queue : '',
    pattern: byFingerprint ? messagePattern(message) : '',
  };
  const name = JSON.stringify([group, frame]);
  const row = rows.get(name) ?? {
    ...group,
    frame: options.allowBacktraces ? frame : '',
    classes: new Set(),
    queues: new Set(),
    trend: new Array<number>(TREND_HOURS).fill(0),
    share: 0,
    ...{ retry: 0, dead: 0, lastHour: 0, firstAt: null, lastAt: null, message: '', messageAt: null },
  };
  row.classes.add(failure.class);
  row.queues.add(failure.queue);
  row[failure.source] += many;
  if (lastAt !== null && now - lastAt <= 3600) {
    row.lastHour += many;
  }
  const hoursAgo = lastAt === null ? TREND_HOURS : Math.max(0, Math.floor((now - lastAt) / 3600));
  if (hoursAgo < TREND_HOURS) {
    row.trend[TREND_HOURS - 1 - hoursAgo]! += many;
  }
  if (firstAt !== null && (row.firstAt === null || firstAt < row.firstAt)) {
    row.firstAt = firstAt;
  }
  const isLater = (than: number | null) => lastAt !== null && (than === null || lastAt > than);
  if (isLater(row.lastAt)) {
    row.lastAt = lastAt;
  }
  // Of the last failure that has one.
  if (message !== '' && (row.message === '' || isLater(row.messageAt))) {
    row.message = message;
    row.messageAt = lastAt;
  }
  rows.set(name, row);
}

const NO_BAR = '▁';
const BARS = '▂▃▄▅▆▇█';

/** A bar for each count, as high as the largest; all bars are of one width, also that of an hour without any. */
function barsOf(counts: readonly number[]): string {
  const most = Math.max(1, ...counts);
  return counts.map((each) => (each === 0 ? NO_BAR : BARS[Math.ceil((each / most) * BARS.length) - 1])).join('');
}

const NAMES_SHOWN = 5;
