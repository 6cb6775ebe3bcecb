import { command } from '../../redis/readOnlyRedis';
import { textOf, type Part } from '../parts/part';

/** The lines of INFO by name (redis.io, INFO). */
export const redisInfo: Part<void, ReadonlyMap<string, string>> = {
  what: 'INFO',
  commands: () => [command('info')],
  parse: ([value]) => ({
    value: new Map(
      (textOf(value) ?? '')
        .split('\r\n')
        .filter((line) => line.includes(':'))
        .map((line): [string, string] => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)])
    ),
  }),
};
