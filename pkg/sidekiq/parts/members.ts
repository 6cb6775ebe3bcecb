import { command } from '../../redis/readOnlyRedis';
import { nameOf } from '../name';
import { listOf, textOf, type Part } from './part';

/** With COUNT at this size one SSCAN returns a smaller set whole. */
const PAGE = 5000;

/** A page of a set's members, and where the next one begins; `'0'` at the end. */
export interface MembersPage {
  members: string[];
  cursor: string;
}

function members(what: string): Part<{ key: string; cursor: string }, MembersPage> {
  return {
    what,
    commands: ({ key, cursor }) => [command('sscan', key, cursor, 'COUNT', PAGE)],
    parse([value]) {
      const [cursor, found] = listOf(value);
      return { value: { members: listOf(found).map(nameOf), cursor: textOf(cursor) ?? '0' } };
    },
  };
}

export const queueNames = members('queue names');
export const processNames = members('process names');
export const pausedNames = members('paused queues');
