import { lateBy } from '../sidekiq/browse/recurring';
import { runTimesOf } from '../sidekiq/clocks';
import { countText, durationText, shareText } from './texts';
import { LIMITS, type FindingRule } from './rule';
import { POLLER_LATE_SECONDS } from '../sidekiq/model';

/** What is wrong with jobs: dying, failing, stuck, overdue. */
export const JOB_RULES: readonly FindingRule[] = [
  {
    id: 'jobsDying',
    severity: 'warning',
    when: `Jobs died within the last hour; critical above ${LIMITS.deadInAnHour}.`,
    remedy: 'Look at the errors of the dead jobs; retry the jobs once the cause is fixed.',
    find: ({ state: { snapshot } }) => {
      const { deadLastHour } = snapshot.totals;
      return deadLastHour === null || deadLastHour === 0
        ? []
        : [
            {
              kind: 'Sidekiq',
              subject: 'Sidekiq',
              text: `${countText(deadLastHour, 'job')} died within the last hour.`,
              evidence: `${countText(snapshot.totals.dead, 'job')} in the dead set`,
              cause: 'Their last retry failed.',
              since: null,
              severity: deadLastHour > LIMITS.deadInAnHour ? 'critical' : 'warning',
              weight: deadLastHour,
            },
          ];
    },
  },
  {
    id: 'classFailing',
    severity: 'warning',
    when: `More than ${shareText(LIMITS.failureShare)} of at least ${LIMITS.fewestExecutions} executions of a class failed within the last 15 minutes, or within the last hour where those were fewer.`,
    remedy: 'Look at the errors of the class, and check whether they started after a deploy.',
    find: ({ state: { totals } }) =>
      [...(totals.recent ?? [])]
        .filter(
          ([, { processed, failed }]) =>
            processed >= LIMITS.fewestExecutions && failed / processed > LIMITS.failureShare
        )
        .map(([name, { processed, failed, seconds }]) => ({
          kind: 'class',
          subject: name,
          text: `${shareText(failed / processed)} of the executions of ${name} failed within the last ${seconds < 3600 ? `${seconds / 60} minutes` : 'hour'}.`,
          evidence: `${failed.toLocaleString('en')} of ${processed.toLocaleString('en')} executions`,
          cause: 'The job raises an error.',
          since: null,
          weight: failed,
        })),
  },
  {
    id: 'jobStuck',
    severity: 'warning',
    when: `A job has run for more than ${durationText(LIMITS.longRunSeconds)}.`,
    remedy: 'Look at what the job waits for (TTIN prints backtraces); give its calls timeouts.',
    find: ({ state: { snapshot, now } }) => {
      const ranFor = runTimesOf(snapshot);
      return snapshot.work.items.flatMap((work) => {
        const seconds = ranFor(work);
        return seconds === null || seconds <= LIMITS.longRunSeconds
          ? []
          : [
              {
                kind: 'class' as const,
                subject: work.class,
                text: `A job of ${work.class} has run for ${durationText(seconds)}.`,
                evidence: `job ${work.jid} of ${work.queue} in ${work.process}`,
                cause: 'The job waits for a resource, or has more work than usual.',
                since: now - seconds,
                weight: seconds,
              },
            ];
      });
    },
  },
  {
    id: 'pollerBehind',
    severity: 'warning',
    when: `Scheduled jobs or retries have been due for more than ${durationText(POLLER_LATE_SECONDS)} and were not enqueued: Sidekiq’s processes look every five seconds on average.`,
    remedy: 'Check that processes run; lower average_scheduled_poll_interval where many jobs are scheduled.',
    find: ({ state: { snapshot } }) => {
      const { lateScheduled, lateRetry } = snapshot.totals;
      const late = (lateScheduled ?? 0) + (lateRetry ?? 0);
      return late === 0
        ? []
        : [
            {
              kind: 'Sidekiq',
              subject: 'Sidekiq',
              text: `${countText(late, 'job')} ${late === 1 ? 'has' : 'have'} been due for more than ${durationText(POLLER_LATE_SECONDS)} and ${late === 1 ? 'is' : 'are'} not enqueued.`,
              evidence: `${lateScheduled ?? '?'} scheduled, ${lateRetry ?? '?'} retries`,
              cause: 'No process polls the schedule, or polling is too slow.',
              since: null,
              weight: late,
            },
          ];
    },
  },
  {
    id: 'recurringLate',
    severity: 'warning',
    when: `A recurring job is late by more than ${durationText(LIMITS.lateRunSeconds)}.`,
    remedy: 'Check that a process with the scheduler runs, and that the entry is loaded.',
    find: ({ recurring }) =>
      (recurring ?? []).flatMap((row) => {
        const { name, class: jobClass, schedule, lateFrom, now } = row;
        const late = lateBy(row, now) ?? 0;
        return late <= LIMITS.lateRunSeconds
          ? []
          : [
              {
                kind: 'entry' as const,
                subject: name,
                text: `${name} has not run as scheduled: it is late by ${durationText(late)}.`,
                evidence: `${schedule}${jobClass === '' || jobClass === name ? '' : `, ${jobClass}`}`,
                cause:
                  'The scheduler did not run when the entry was due, or the entry was not loaded or disabled then.',
                since: lateFrom,
                weight: late,
              },
            ];
      }),
  },
  {
    id: 'scheduleUnreadable',
    severity: 'warning',
    when: 'The schedule of an enabled entry cannot be read, by the rules of sidekiq-cron or sidekiq-scheduler.',
    remedy: 'Correct the schedule: five cron fields, or six with seconds, and a time zone at the end if needed.',
    find: ({ recurring }) =>
      (recurring ?? [])
        .filter(({ enabled, unreadable }) => enabled && unreadable)
        .map(({ name, schedule, source }) => ({
          kind: 'entry' as const,
          subject: name,
          text: `${name} does not run: ${source} cannot read its schedule.`,
          evidence: schedule.slice(0, 200),
          cause: 'The schedule has a mistake, or was written for another scheduler.',
          since: null,
          weight: 0,
        })),
  },
  {
    id: 'deadSetNearlyFull',
    severity: 'warning',
    when: `The dead set holds more than ${shareText(LIMITS.deadSetShare)} of what it may (deadMaxJobs of the settings).`,
    remedy: 'Retry or delete dead jobs: Sidekiq deletes the oldest when the set is full.',
    find: ({ state: { snapshot, options } }) => {
      const share = (snapshot.totals.dead ?? 0) / options.deadMaxJobs;
      return share <= LIMITS.deadSetShare
        ? []
        : [
            {
              kind: 'Sidekiq',
              subject: 'Sidekiq',
              text: `The dead set is nearly full: ${shareText(share)}.`,
              evidence: `${snapshot.totals.dead!.toLocaleString('en')} of ${options.deadMaxJobs.toLocaleString('en')} jobs`,
              cause: 'Jobs die, and nobody clears them.',
              since: null,
              weight: share,
            },
          ];
    },
  },
];
