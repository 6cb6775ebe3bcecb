import { countText } from '../findings/texts';
import { sharesOf } from '../observe/classShares';
import { typesByQueue } from '../observe/workerTypes';
import { groupBy } from '../sidekiq/groupBy';
import {
  addExecutions,
  HISTOGRAM_SATURATION,
  noExecutions,
  type Bucket,
  type TimedCounts,
  type Durations,
} from '../sidekiq/jobMetrics';
import type { Notice } from '../sidekiq/model';
import { Turns } from '../turns';
import { typeOf } from '../watch/capacity';
import type { State } from '../watch/state';
import type { RowTest } from './filter';
import type { Executions } from './jobMetricsOrigin';

/** What a row or a series of job metrics is about, and the fields that filter executions before they are grouped. */
export const JOB_METRICS_BY = ['class', 'queue', 'workerType'] as const;
export type JobMetricsBy = (typeof JOB_METRICS_BY)[number];

/** A part of the work of a class: what it has in one queue. */
interface Part {
  group: string;
  share: number;
}

type Known = Pick<State, 'queues' | 'classQueues' | 'classShares'>;

/**
 * Executions by queue or worker type, or of some queues alone. Sidekiq counts by class: a class that runs from several queues is
 * divided by the share of its work that each of them was seen to have. Classes whose queue was not seen are in the group
 * without a name.
 */
export async function grouped(
  executions: Executions,
  by: JobMetricsBy,
  keeps: RowTest,
  state: Known
): Promise<Executions> {
  const types = typesByQueue(state.queues);
  const known = new Map<string, readonly Part[]>();
  let divided = 0;
  let unseen = 0;
  const partsOf = (jobClass: string): readonly Part[] => {
    const former = known.get(jobClass);
    if (former) {
      return former;
    }
    const seen = sharesOf(state, jobClass);
    const kept = (seen.length > 0 ? seen : [['', 1] as const]).flatMap(([queue, share]) => {
      const workerType = queue === '' ? '' : typeOf({ queue, workerType: types.get(queue) ?? '' });
      // Queues without a worker type are found by the name of their group, and by none.
      const values = { class: jobClass, queue, workerType: [workerType, types.get(queue) ?? ''] };
      const group = { class: jobClass, queue, workerType }[by];
      return keeps((field) => values[field as JobMetricsBy]) ? [{ group, share }] : [];
    });
    const parts = [...groupBy(kept, ({ group }) => group)].map(([group, members]): Part => ({
      group,
      // Shares of all queues are 1 together: no execution is lost to rounding.
      share: members.length === seen.length ? 1 : members.reduce((sum, { share }) => sum + share, 0),
    }));
    divided += Number(parts.some(({ share }) => share < 1));
    unseen += Number(by !== 'class' && seen.length === 0 && parts.length > 0);
    known.set(jobClass, parts);
    return parts;
  };
  const buckets: Bucket[] = [];
  const turns = new Turns();
  for (const { classes, ...bucket } of executions.buckets) {
    const groups = new Map<string, TimedCounts>();
    for (const [jobClass, counts] of classes) {
      for (const { group, share } of partsOf(jobClass)) {
        let sum = groups.get(group);
        if (!sum) {
          sum = noExecutions();
          groups.set(group, sum);
        }
        addExecutions(sum, counts, share);
      }
    }
    buckets.push({ ...bucket, classes: groups });
    await turns.give();
  }
  const notices: Notice[] = [...executions.notices];
  if (divided > 0) {
    notices.push({
      severity: 'info',
      text: `Sidekiq counts by class. The work of ${countText(divided, 'class', 'classes')} with several queues is divided by the threads that each queue was seen to keep busy, so that figures by queue are estimates.`,
    });
  }
  if (unseen > 0) {
    notices.push({
      severity: 'info',
      text: `The queue of ${countText(unseen, 'class', 'classes')} was not seen; the executions are in the row without a name.`,
    });
  }
  return {
    ...executions,
    buckets,
    notices,
    async durationsOf(groups) {
      const wanted = new Set(groups);
      const classes = [...known].filter(([, parts]) => parts.some(({ group }) => wanted.has(group)));
      const { durations, notices: told } = await executions.durationsOf(classes.map(([name]) => name));
      return {
        durations: durations.flatMap((each) =>
          partsOf(each.jobClass).flatMap(({ group, share }): Durations[] =>
            wanted.has(group) ? [scaled(each, group, share)] : []
          )
        ),
        notices: told,
      };
    },
  };
}

function scaled({ startsAt, counts }: Durations, group: string, share: number): Durations {
  return { startsAt, jobClass: group, counts: share === 1 ? counts : counts.map((count) => count * share) };
}

/** Executions that tell of classes of which a duration bucket can count no further, where durations are read. */
export function tellingSaturation(executions: Executions): Executions {
  return {
    ...executions,
    async durationsOf(names) {
      const { durations, notices } = await executions.durationsOf(names);
      const full = new Set(
        durations
          .filter(({ counts }) => counts.some((count) => count >= HISTOGRAM_SATURATION))
          .map(({ jobClass }) => jobClass)
      );
      const text = `A duration bucket is full (65,535 a minute) for ${[...full].join(', ')}: quantiles may be off there.`;
      return { durations, notices: [...notices, ...(full.size > 0 ? [{ severity: 'info' as const, text }] : [])] };
    },
  };
}
