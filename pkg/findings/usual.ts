import { isLate } from '../observe/queueCondition';
import type { QueueState } from '../observe/queueState';
import { typesByQueue } from '../observe/workerTypes';
import type { MissingClass, MissingQueue, UsualFigure, UsualView } from '../outlook/usualView';
import type { State } from '../watch/state';
import { LIMITS, type FindingRule, type Found, type Severity } from './rule';
import { countText, durationText, meanText } from './texts';

/** A figure that may be out of the usual. */
interface Watched {
  figure: string;
  severity: Severity;
  /** Less than usual is a finding too. */
  below: boolean;
  /** By so much it differs at least, so that the second job of a quiet queue is none. */
  least: number;
  /** It is so many times the usual at least: a mean of a few run times is far off by chance. */
  leastTimes?: number;
  text(what: { name: string; now: string; often: string; many: string; usual: string; when: string }): string;
  value(value: number): string;
}

const jobs = (value: number) => countText(Math.round(value), 'job');
const perMinute = (value: number) => `${Number((value * 60).toPrecision(2))} a minute`;

const WATCHED: readonly Watched[] = [
  {
    figure: 'failedRate',
    severity: 'warning',
    below: false,
    least: 5 / 60,
    text: ({ name, often, when }) => `Executions of ${name} fail ${often} usual ${when}.`,
    value: perMinute,
  },
  {
    figure: 'processedRate',
    severity: 'info',
    below: true,
    least: 20 / 300,
    text: ({ name, often, when }) => `${name} runs ${often} usual ${when}.`,
    value: perMinute,
  },
  {
    figure: 'enqueued',
    severity: 'warning',
    below: false,
    least: 20,
    text: ({ name, now, many, when }) => `${now} wait in ${name}, ${many} usual ${when}.`,
    value: jobs,
  },
  {
    figure: 'latency',
    severity: 'warning',
    below: false,
    least: 10,
    text: ({ name, now, usual, when }) => `Jobs wait for ${now} in ${name}; up to ${usual} is usual ${when}.`,
    value: durationText,
  },
  {
    figure: 'runTime',
    severity: 'warning',
    below: false,
    least: 0.05,
    leastTimes: 2,
    text: ({ name, now, usual, when }) =>
      `Executions of ${name} take ${now} on average; up to ${usual} is usual ${when}.`,
    value: meanText,
  },
  {
    figure: 'retry',
    severity: 'warning',
    below: false,
    least: 20,
    text: ({ now, many, when }) => `${now} wait for a retry, ${many} usual ${when}.`,
    value: jobs,
  },
  {
    figure: 'deadLastHour',
    severity: 'warning',
    below: false,
    least: 10,
    text: ({ now, many, when }) => `${now} died within the last hour, ${many} usual ${when}.`,
    value: jobs,
  },
];

/** Expected executions are told of one hour where they are that many. */
const SEVERAL = 2;

/** What is out of the usual, by the history. */
export const USUAL_RULES: readonly FindingRule[] = [
  {
    id: 'unusual',
    severity: 'warning',
    when: `A figure of the last minutes (throughput, failures, backlog, latency, retries, deaths; of queues and worker types backlog and latency; of a class throughput, failures and run time of the last hour) lies outside its usual band by the width of that band. Throughput and failures, in total and of the 50 classes that ran most, are unusual after a sudden change of the last hour, larger than one change in a thousand; in total without one from one and a half times that width on. It takes two days of history.`,
    remedy:
      'Compare the time with the days before in the history (option band), and look for a deploy or a change of traffic.',
    find: ({ state }) => {
      const found = (state.usual?.figures ?? []).flatMap((figure) => unusual(figure, state));
      return found.filter((each) => !isExplained(each, found, state));
    },
  },
  {
    id: 'missing',
    severity: 'warning',
    when: 'A class has not run, or no job was seen in a queue, for longer than it ever paused, and at least two of its usual executions (of a queue: runs of jobs) did not come. After a week, or four such pauses if these are longer, it is taken for removed. It takes two days of history.',
    remedy: 'Look for what enqueues the jobs: the scheduler, the application, or a filter that was changed.',
    find: ({ state }) => missing(state),
  },
];

const KINDS = { total: 'Sidekiq', queue: 'queue', workerType: 'worker type', class: 'class' } as const;

interface Unusual extends Found {
  figure: string;
  /** By how much it lies above the usual, below it negative. */
  excess: number;
  usual: number;
}

/** Parts that are unusual explain a whole where they are so much of what is unusual of it. */
const EXPLAINING_SHARE = 0.5;
/** A figure of the whole is of so many seconds, those of classes are of an hour. */
const WHOLE_SECONDS = 300;
const CLASS_SECONDS = 3600;

/** What parts explain is told once: of the whole, and of a worker type by its queues, the same figure is not told. */
function isExplained(one: Unusual, all: readonly Unusual[], state: Pick<State, 'queues' | 'totals'>): boolean {
  if (one.kind !== 'Sidekiq' && one.kind !== 'worker type') {
    return false;
  }
  const typeOf = typesByQueue(state.queues);
  // What is less than usual explains nothing that is more.
  const alike = all.filter(({ figure, excess }) => figure === one.figure && excess > 0 === one.excess > 0);
  const parts = alike.filter(
    ({ kind, subject }) => kind === 'queue' && (one.kind === 'Sidekiq' || typeOf.get(subject) === one.subject)
  );
  const ofWhole = (kind: Unusual['kind']) => (one.kind === 'Sidekiq' ? alike.filter((each) => each.kind === kind) : []);
  const share = (of: readonly Unusual[], excessOf = ({ excess }: Unusual) => excess) =>
    of.reduce((total, each) => total + excessOf(each), 0) / one.excess;
  const explaining = [
    share(parts),
    share(ofWhole('worker type')),
    share(ofWhole('class'), (each) => mostInWhole(each, state)),
  ];
  return Math.max(...explaining) >= EXPLAINING_SHARE;
}

/** What a class has beyond its usual, if all of that lies in the minutes of the whole: by its last quarter of an hour where it ran often enough. */
function mostInWhole({ figure, subject, excess, usual }: Unusual, { totals }: Pick<State, 'totals'>): number {
  const recent = totals.recent?.get(subject);
  if (!recent || recent.seconds >= CLASS_SECONDS) {
    return (excess * CLASS_SECONDS) / WHOLE_SECONDS;
  }
  const executions = figure === 'failedRate' ? recent.failed : recent.processed;
  return ((executions / recent.seconds - usual) * recent.seconds) / WHOLE_SECONDS;
}

/** Whether a figure is out of the usual, by how far it lies outside its band and whether it changed suddenly. */
export function isUnusual(deviation: number, sudden: boolean | null): boolean {
  return (
    sudden === true || Math.abs(deviation) >= (sudden === null ? LIMITS.unusualDeviation : LIMITS.unusualSlowDeviation)
  );
}

function unusual(figure: UsualFigure, state: State): Unusual[] {
  const { scope, key, value, usual, lower, upper, deviation, sudden } = figure;
  const isBelow = value < usual;
  const watched = WATCHED.find((each) => each.figure === figure.figure);
  if (
    !watched ||
    !isUnusual(deviation, sudden) ||
    (isBelow && !watched.below) ||
    Math.abs(value - usual) < watched.least ||
    value < (watched.leastTimes ?? 0) * usual ||
    queuesOf(figure, state).some(hasOtherFinding) ||
    (isBelow && isMissing(figure, state))
  ) {
    return [];
  }
  const name = scope === 'total' ? 'Sidekiq' : key;
  return [
    {
      figure: figure.figure,
      excess: value - usual,
      usual,
      kind: KINDS[scope],
      subject: name,
      text: watched.text({
        name,
        now: watched.value(value),
        often: timesText(value, usual, 'often'),
        many: timesText(value, usual, 'many'),
        usual: watched.value(upper),
        when: whenText(state),
      }),
      evidence: `${watched.value(value)}; usual ${watched.value(usual)}, from ${watched.value(lower)} to ${watched.value(upper)}${sudden ? '; changed suddenly within the last hour' : ''}`,
      cause: isBelow
        ? 'Less work comes than usual, or it is not done.'
        : 'More work comes than usual, or it takes longer.',
      since: null,
      severity: isBelow ? 'warning' : watched.severity,
      weight: Math.abs(deviation),
    },
  ];
}

/** The queues that a figure of a queue or worker type is about; none of other figures. */
function queuesOf({ scope, key }: UsualFigure, { queues }: Pick<State, 'queues'>): readonly QueueState[] {
  return queues.filter(
    ({ name, workerType }) => (scope === 'queue' && name === key) || (scope === 'workerType' && workerType === key)
  );
}

/** That nothing of a class runs is told of by the rule for that. */
function isMissing({ scope, key }: UsualFigure, { usual }: Pick<State, 'usual'>): boolean {
  return scope === 'class' && (usual?.missing ?? []).some(({ class: name }) => name === key);
}

/** A queue that is late, unserved or paused is told of by the rule for that, where jobs wait in it. */
function hasOtherFinding(queue: QueueState): boolean {
  return queue.size !== 0 && (isLate(queue) === true || queue.unserved === true || queue.paused === true);
}

/** `3.1 times as often`; where nothing is usual, there is nothing to multiply. */
function timesText(value: number, usual: number, many: 'often' | 'many'): string {
  return usual === 0
    ? `more ${many === 'often' ? 'often ' : ''}than`
    : `${Number((value / usual).toPrecision(2))} times as ${many} as`;
}

/** The hour by which the usual is told: `on a Friday at 12:00 UTC`. */
export function whenText({
  now,
  usual,
  options: { schedulerTimeZone },
}: Pick<State, 'now' | 'usual' | 'options'>): string {
  const timeZone = schedulerTimeZone === '' ? 'UTC' : schedulerTimeZone;
  const part = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat('en-GB', { ...options, timeZone }).format(now * 1000);
  const hour = `at ${part({ hour: '2-digit', hourCycle: 'h23' })}:00 ${timeZone}`;
  return usual?.basis === 'week' ? `on a ${part({ weekday: 'long' })} ${hour}` : hour;
}

/** What usually comes and does not. One queue and its classes are told once: by the class where it is the only one. */
function missing(state: State): Found[] {
  const { usual, classQueues } = state;
  if (!usual) {
    return [];
  }
  const classes = missingClasses(state, usual);
  const inQueue = (queue: string) => classes.filter(({ class: name }) => classQueues.get(name) === queue);
  const queues = usual.missingQueues.filter(({ queue }) => inQueue(queue).length !== 1);
  const told = new Set(queues.map(({ queue }) => queue));
  return [
    ...queues.map((each) => queueFinding(each, inQueue(each.queue), state)),
    ...classes
      .filter(({ class: name }) => !told.has(classQueues.get(name) ?? ''))
      .map((each) => classFinding(each, state)),
  ];
}

function missingClasses({ totals, queues, classQueues }: State, usual: UsualView): readonly MissingClass[] {
  // Where nothing takes jobs, no class runs: that is one finding.
  if (!totals.readyThreads) {
    return [];
  }
  const waits = new Set(queues.filter(({ size }) => size !== 0).map(({ name }) => name));
  return usual.missing.filter(({ class: name }) => !waits.has(classQueues.get(name) ?? ''));
}

function classFinding({ class: name, lastRunAt, expected, perHour }: MissingClass, { now }: Pick<State, 'now'>): Found {
  return {
    kind: 'class',
    subject: name,
    text:
      perHour >= SEVERAL
        ? `No execution of ${name} for ${durationText(now - lastRunAt)}; usually it runs ${Math.round(perHour)} times in this hour.`
        : `No execution of ${name} for ${durationText(now - lastRunAt)}; usually it would have run ${Math.round(expected)} times.`,
    evidence: `last run at ${minuteText(lastRunAt)}, ${Number(expected.toPrecision(2))} executions usual since`,
    cause: 'No job of the class is enqueued, and none waits in its queue.',
    since: lastRunAt,
    weight: expected,
  };
}

function queueFinding(
  { queue, lastSeenAt, expected, perHour }: MissingQueue,
  classes: readonly MissingClass[],
  { now }: Pick<State, 'now'>
): Found {
  const alsoMissing =
    classes.length === 0
      ? ''
      : `; ${countText(classes.length, 'class', 'classes')} of it missing, ${classes[0]!.class} among them`;
  return {
    kind: 'queue',
    subject: queue,
    text:
      perHour >= SEVERAL
        ? `No job seen in ${queue} for ${durationText(now - lastSeenAt)}; usually jobs are seen there ${Math.round(perHour)} times in this hour.`
        : `No job seen in ${queue} for ${durationText(now - lastSeenAt)}; usually jobs would have been seen there ${Math.round(expected)} times.`,
    evidence: `last job seen at ${minuteText(lastSeenAt)}, jobs usual in ${Number(expected.toPrecision(2))} five-minute intervals since${alsoMissing}`,
    cause: 'No job is enqueued to the queue.',
    since: lastSeenAt,
    weight: expected,
  };
}

const minuteText = (at: number) => `${new Date(at * 1000).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
