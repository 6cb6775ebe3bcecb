import { command } from '../../redis/readOnlyRedis';
import { numberOf, secondsOf } from '../plausible';
import { listOf, textOf, type Part } from './part';

/** The clock of Redis in epoch seconds; `null` where it is not plausible. */
export const clock: Part<void, number | null> = {
  what: 'Redis time',
  commands: () => [command('time')],
  parse([value]) {
    const [seconds, microseconds] = listOf(value).map((part) => numberOf(textOf(part)));
    return { value: secondsOf((seconds ?? NaN) + (microseconds ?? NaN) / 1e6) };
  },
};
