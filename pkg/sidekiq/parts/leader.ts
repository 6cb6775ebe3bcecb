import { command } from '../../redis/readOnlyRedis';
import { keys } from '../keys';
import { nameOf } from '../name';
import type { Part } from './part';

/** Identity of Sidekiq Enterprise's leader, `''` without one. */
export const leader: Part<void, string> = {
  what: 'leader',
  commands: () => [command('get', keys.leader)],
  parse: ([value]) => ({ value: nameOf(value) }),
};
