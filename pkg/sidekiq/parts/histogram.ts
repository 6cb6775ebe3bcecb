import { command } from '../../redis/readOnlyRedis';
import { noCounts, type Shape } from '../jobMetrics';
import { metricKeys } from '../keys';
import type { Part } from './part';

/** Durations of one class in one minute, by the shape of the key's name; see HISTOGRAM_BOUNDS_MS. */
export const histogram: Part<{ jobClass: string; startsAt: number; shape: Shape }, number[]> = {
  what: 'job durations',
  commands: ({ jobClass, startsAt, shape }) => [
    command(
      'get',
      shape === 'new' ? metricKeys.histogram(jobClass, startsAt) : metricKeys.oldHistogram(jobClass, startsAt)
    ),
  ],
  // Unsigned 16 bit, big-endian; the value ends after the last counter that is not 0.
  parse([value]) {
    const counts = noCounts();
    if (Buffer.isBuffer(value)) {
      for (let index = 0; index < counts.length && 2 * index + 1 < value.length; index += 1) {
        counts[index] = value.readUInt16BE(2 * index);
      }
    }
    return { value: counts };
  },
};
