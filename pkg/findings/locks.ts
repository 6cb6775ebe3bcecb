import { isStuck, type Lock } from '../sidekiq/browse/locks';
import { groupBy } from '../sidekiq/groupBy';
import type { FindingRule } from './rule';
import { countText, durationText } from './texts';

/** A job that was just deleted or moved has a lock for some seconds more. */
const HELD_SECONDS = 60;

/** Locks that nobody will release. */
export const LOCK_RULES: readonly FindingRule[] = [
  {
    id: 'lockStuck',
    severity: 'warning',
    when: `A lock of sidekiq-unique-jobs or a slot of sidekiq-throttled is held by a job that is dead, or that looks at least ${HELD_SECONDS} s apart did not find. It takes recorded readings (recordHours of the settings).`,
    remedy:
      'Delete the lock in the tab Locks of the Web UI or by SidekiqUniqueJobs::Digests.new.delete_by_digest("<lock>"), and enable the reaper of the gem. A slot of sidekiq-throttled is released when it expires.',
    find: ({ state: { locks, now } }) =>
      [...groupBy(stuckLocks(locks?.locks ?? [], now), nameOf)].map(([name, stuck]) => {
        const first = stuck.reduce((oldest, each) => ((each.since ?? now) < (oldest.since ?? now) ? each : oldest));
        const dead = stuck.filter(({ place }) => place === 'dead').length;
        return {
          kind: first.class === '' ? 'Sidekiq' : 'class',
          subject: name,
          text:
            stuck.length === 1
              ? `A lock of ${name} is held by ${dead === 1 ? 'a dead job' : 'a job that no longer exists'}.`
              : `${countText(stuck.length, 'lock')} of ${name} are held by ${holders(dead, stuck.length)}.`,
          evidence: `${first.digest}${first.jid === '' ? '' : `, job ${first.jid}`}${first.since === null ? '' : `, held for ${durationText(now - first.since)}`}`,
          cause:
            dead === stuck.length
              ? `The job died and kept its lock; ${effectOf(first)}.`
              : `The job was deleted, or its process was killed; ${effectOf(first)}.`,
          since: first.nowhereSince ?? first.since,
          weight: stuck.length,
        };
      }),
  },
];

function effectOf({ gem }: Lock): string {
  return gem === 'sidekiq-throttled'
    ? 'fewer jobs of the class run at the same time'
    : 'jobs with the same arguments are not enqueued or not run';
}

/** Those that have been stuck for long enough to be sure of it. */
export function stuckLocks(locks: readonly Lock[], now: number): Lock[] {
  return locks.filter(
    (lock) =>
      isStuck(lock) === true &&
      (lock.place === 'dead' || (lock.nowhereSince !== null && now - lock.nowhereSince >= HELD_SECONDS))
  );
}

function holders(dead: number, all: number): string {
  if (dead === all) {
    return 'dead jobs';
  }
  return dead === 0 ? 'jobs that no longer exist' : 'jobs that are dead or no longer exist';
}

/** A lock whose class nobody tells is one of its gem. */
function nameOf({ class: name, gem }: Lock): string {
  return name === '' ? gem : name;
}
