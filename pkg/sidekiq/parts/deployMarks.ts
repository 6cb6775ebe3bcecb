import { command } from '../../redis/readOnlyRedis';
import { keys } from '../keys';
import type { DeployMark } from '../model';
import { nameOf } from '../name';
import { instantOf } from '../plausible';
import { pairsOf, textOf, type Part } from './part';

/** Deploy marks of one UTC day (time → label), by an instant of that day; a time that is none is passed over. */
export const deployMarks: Part<number, DeployMark[]> = {
  what: 'deploy marks',
  commands: (day) => [command('hgetall', keys.marks(day))],
  parse: ([value]) => ({
    value: pairsOf(value).flatMap(([time, label]) => {
      const at = instantOf(textOf(time));
      return at === null ? [] : [{ at, label: nameOf(label) }];
    }),
  }),
};
