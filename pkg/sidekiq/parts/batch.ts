import { command } from '../../redis/readOnlyRedis';
import { keyOf } from '../name';
import { countOf, instantOf } from '../plausible';
import { listOf, textOf, type Part } from './part';

/** A batch of the gem sidekiq-batch. Sidekiq Pro does not publish how it keeps its own. */
export interface Batch {
  total: number | null;
  /** Jobs that have not succeeded yet. */
  pending: number | null;
  /** Jobs whose last attempt failed. */
  failed: number | null;
  children: number | null;
  parent: string;
  createdAt: number | null;
  complete: boolean;
}

const FIELDS = ['total', 'pending', 'created_at', 'complete', 'parent_bid', 'children'] as const;

/** A batch by its id (sidekiq-batch, batch.rb and batch/status.rb); `null` where there is none. */
export const batch: Part<string, Batch | null> = {
  what: 'batches',
  commands: (bid) => [command('hmget', keyOf('BID-', bid), ...FIELDS), command('scard', keyOf('BID-', bid, '-failed'))],
  parse([fields, failed]) {
    const [total, pending, createdAt, complete, parent, children] = listOf(fields).map(textOf);
    return {
      value:
        total === null && createdAt === null
          ? null
          : {
              total: countOf(total),
              pending: countOf(pending),
              failed: countOf(failed),
              children: countOf(children ?? '0'),
              parent: parent ?? '',
              createdAt: instantOf(createdAt),
              complete: complete === 'true',
            },
    };
  },
};
