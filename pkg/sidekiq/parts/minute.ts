import { command, type Value } from '../../redis/readOnlyRedis';
import { noExecutions, SHAPES, type ClassCounts, type MinuteCounts, type Shape } from '../jobMetrics';
import { metricKeys } from '../keys';
import { nameOf } from '../name';
import { countOf } from '../plausible';
import { remembered } from '../remembered';
import { listOf, textOf, warning, type Part } from './part';

/** Seconds of a bucket: a minute (kept for 8 hours), or ten (since 8.0, kept for 72 hours). */
export type Resolution = 60 | 600;

const PARTS: ReadonlyMap<string, keyof ClassCounts> = new Map([
  ['p', 'processed'],
  ['f', 'failed'],
  ['ms', 'milliseconds'],
]);

/** Executions by class in one bucket of the job metrics. Both shapes of a minute's key are added up. */
export const bucketCounts: Part<{ startsAt: number; resolution: Resolution }, MinuteCounts> = {
  what: 'job metrics',
  commands: ({ startsAt, resolution }) =>
    resolution === 60
      ? [command('hgetall', metricKeys.minute(startsAt)), command('hgetall', metricKeys.oldMinute(startsAt))]
      : [command('hgetall', metricKeys.tenMinutes(startsAt))],
  parse(values, { startsAt }) {
    const broken = new Set<string>();
    const byShape = values.map((value) => readCounts(value, broken));
    const filled = byShape.filter((classes) => classes.size > 0);
    const classes = filled.length > 1 ? merge(filled) : (filled[0] ?? new Map<string, ClassCounts>());
    const shapes = new Map<string, readonly Shape[]>();
    for (const jobClass of classes.keys()) {
      shapes.set(jobClass, combined(byShape[0]!.has(jobClass), byShape[1]?.has(jobClass) ?? false));
    }
    return {
      value: { startsAt, classes, shapes },
      ...(broken.size > 0 && {
        notices: [
          warning(`Job metrics of ${[...broken].join(', ')} hold values that are no counts and were left out.`),
        ],
      }),
    };
  },
};

/** The same lists for all classes: minutes are many. */
const BOTH: readonly Shape[] = SHAPES;
const NEW: readonly Shape[] = ['new'];
const OLD: readonly Shape[] = ['old'];

function combined(inNew: boolean, inOld: boolean): readonly Shape[] {
  return inNew && inOld ? BOTH : inNew ? NEW : OLD;
}

/** Reads `Class|p`, `Class|f` and `Class|ms`. A class with a value that is no count is left out whole. */
function readCounts(value: Value, broken: Set<string>): Map<string, ClassCounts> {
  const classes = new Map<string, ClassCounts>();
  const unreadable: string[] = [];
  const flat = listOf(value);
  for (let index = 0; index + 1 < flat.length; index += 2) {
    const { jobClass, part } = fieldOf(nameOf(flat[index]));
    if (part === undefined) {
      continue;
    }
    const amount = countOf(textOf(flat[index + 1]));
    if (amount === null) {
      unreadable.push(jobClass);
      continue;
    }
    let counts = classes.get(jobClass);
    if (!counts) {
      counts = noExecutions();
      classes.set(jobClass, counts);
    }
    counts[part] += amount;
  }
  for (const jobClass of unreadable) {
    classes.delete(jobClass);
    broken.add(jobClass.slice(0, 100));
  }
  return classes;
}

/** Remembered, so that all minutes hold the same text of a class. */
const fieldOf = remembered((field: string): { jobClass: string; part: keyof ClassCounts | undefined } => {
  // A class may have a bar in its name.
  const bar = field.lastIndexOf('|');
  return { jobClass: field.slice(0, Math.max(0, bar)), part: bar > 0 ? PARTS.get(field.slice(bar + 1)) : undefined };
});

function merge(all: ReadonlyArray<ReadonlyMap<string, ClassCounts>>): Map<string, ClassCounts> {
  const merged = new Map<string, ClassCounts>();
  for (const classes of all) {
    for (const [jobClass, counts] of classes) {
      const sum = merged.get(jobClass) ?? noExecutions();
      merged.set(jobClass, {
        processed: sum.processed + counts.processed,
        failed: sum.failed + counts.failed,
        milliseconds: sum.milliseconds + counts.milliseconds,
      });
    }
  }
  return merged;
}
