import { describe, expect, test } from 'vitest';
import { ProcessLog } from '../../../pkg/observe/processLog';
import { lookedForOf } from '../../../pkg/observe/vanished';
import {
  aJob,
  aMinute,
  aProcess,
  aQueue,
  aSnapshot,
  listed,
  MINUTE,
  NOW,
  partial,
  someWork,
} from '../../support/state';

const A = 'a:1:x';
const job = (jid: string, process = A) => someWork({ process, jid });

/** Shows the log one snapshot after the other. */
function watch(...snapshots: Array<Parameters<typeof aSnapshot>[0]>) {
  const log = new ProcessLog();
  for (const part of snapshots) {
    log.observe(aSnapshot(part));
  }
  return log.view();
}

const alive = {
  processes: listed(aProcess(A, { beatAt: NOW - 2 }), aProcess('b:1:x')),
  work: listed(job('1'), job('2')),
};
const onlyB = (at: number, part: object = {}) => ({ at, processes: listed(aProcess('b:1:x')), ...part });
/** Its name is left without a hash. */
const killed = (at: number) => onlyB(at, { ghosts: listed(A) });

describe('a process that is gone', () => {
  test('has stopped where it took its name out of the set in time', () => {
    const view = watch(alive, onlyB(NOW + 10));
    expect(view.vanished).toEqual([]);
    expect(view.events.at(-1)).toEqual({ kind: 'stop', at: NOW + 10, title: `${A} stopped`, host: 'a', process: A });
  });

  test('has not stopped where it beats again, as its identity has a random part', () => {
    const view = watch(alive, onlyB(NOW + 10), { ...alive, at: NOW + 14 });
    const events = view.events.filter(({ process }) => process === A);
    const title = `${A} sent no heartbeat for 4 s and is back`;
    expect(events.map(({ kind }) => kind)).toEqual(['start', 'returned']);
    expect(events.at(-1)).toMatchObject({ at: NOW + 10, endsAt: NOW + 14, title });
  });

  test('has not stopped where it beats again by a clock that was put back, or after several stops that were saved', () => {
    const stop = { kind: 'stop' as const, title: 'stopped', host: 'a', process: A };
    const log = new ProcessLog();
    log.observe(aSnapshot(alive));
    const saved = log.save() as { events: object[] };
    log.restore({
      ...saved,
      known: [],
      events: [...saved.events, { ...stop, at: NOW - 4000 }, { ...stop, at: NOW + 10 }],
    });
    log.observe(aSnapshot({ ...alive, at: NOW + 6 }));
    const events = log.view().events.filter(({ process }) => process === A);
    expect(events.map(({ kind }) => kind)).toEqual(['start', 'returned']);
    expect(events.at(-1)).toMatchObject({
      at: NOW + 6,
      endsAt: NOW + 6,
      title: `${A} sent no heartbeat for 0 s and is back`,
    });
  });

  test('has vanished where its name is left without a hash', () => {
    const view = watch(alive, onlyB(NOW + 30, { ghosts: listed(A) }));
    expect(view.vanished).toMatchObject([
      {
        process: { identity: A },
        lastBeatAt: NOW - 2,
        noticedAt: NOW + 30,
        jobs: [
          { jid: '1', recovered: false },
          { jid: '2', recovered: false },
        ],
      },
    ]);
    expect(view.events.at(-1)).toEqual({
      kind: 'vanished',
      at: NOW - 2,
      endsAt: NOW + 30,
      title: `${A} vanished; 2 jobs ran in it at its last heartbeat`,
      host: 'a',
      process: A,
    });
  });

  test('has its jobs with the time that those of their class took, failures left out', () => {
    const minutes = listed(
      aMinute(MINUTE, { AJob: [30, 10, 30_000] }),
      aMinute(MINUTE - 60, { AJob: [20, 0, 30_000] })
    );
    const jobsOf = (part: object) => watch(alive, onlyB(NOW + 30, { ghosts: listed(A), ...part })).vanished[0]!.jobs;
    expect(jobsOf({ minutes }).map(({ usualSeconds }) => usualSeconds)).toEqual([1.5, 1.5]);
    expect(jobsOf({}).map(({ usualSeconds }) => usualSeconds)).toEqual([null, null]);
  });

  test('is counted once it has been gone for a minute', () => {
    const gone = onlyB(NOW + 30, { ghosts: listed(A) });
    const after = (seconds: number) => watch(alive, gone, onlyB(NOW + 30 + seconds, { ghosts: listed(A) }));
    expect(after(59)).toMatchObject({ vanishedByHost: new Map(), lostJobsTotal: 0 });
    expect(after(60)).toMatchObject({ vanishedByHost: new Map([['a', 1]]), lostJobsTotal: 2 });
    // Once, however long it stays away.
    expect(watch(alive, gone, onlyB(NOW + 90), onlyB(NOW + 900)).lostJobsTotal).toBe(2);
  });

  /** Its last heartbeat is that of before. */
  const silent = (at: number, part: object = {}) => ({
    at,
    processes: listed(aProcess(A, { beatAt: NOW - 2, beatAgeSeconds: at - NOW + 2 }), aProcess('b:1:x')),
    work: alive.work,
    ...part,
  });

  test('has vanished where it had missed heartbeats and is gone a minute after the last one', () => {
    expect(watch(alive, silent(NOW + 40), onlyB(NOW + 57)).vanished).toEqual([]);
    expect(watch(alive, silent(NOW + 40), onlyB(NOW + 58)).vanished).toMatchObject([{ lastBeatAt: NOW - 2 }]);
  });

  test('may have stopped cleanly in a pause of the readings', () => {
    const view = watch(alive, onlyB(NOW + 75));
    expect(view).toMatchObject({ vanished: [], lostJobsTotal: 0 });
    expect(view.events.at(-1)).toMatchObject({
      kind: 'stop',
      title: `${A} stopped while nobody watched`,
      endsAt: NOW + 75,
    });
    // One heartbeat late is no sign of an end.
    expect(watch(alive, silent(NOW + 10), onlyB(NOW + 75)).vanished).toEqual([]);
  });

  test('is told by the clock of Redis, whatever that of its host says', () => {
    const at = (beatAt: number) => ({
      processes: listed(aProcess(A, { beatAt, beatAgeSeconds: 2 }), aProcess('b:1:x')),
      work: alive.work,
    });
    for (const off of [-90, 90]) {
      expect(watch(at(NOW - 2 + off), onlyB(NOW + 10)).events.at(-1)).toMatchObject({ kind: 'stop', at: NOW + 10 });
      const silence = silent(NOW + 50, {
        processes: listed(aProcess(A, { beatAt: NOW - 2 + off, beatAgeSeconds: 52 })),
      });
      expect(watch(at(NOW - 2 + off), silence, onlyB(NOW + 60)).vanished).toMatchObject([{ lastBeatAt: NOW - 2 }]);
    }
    const unknown = (seconds: number, beatAt: number | null) => ({
      at: NOW + seconds,
      processes: listed(aProcess(A, { beatAt, beatAgeSeconds: null })),
    });
    expect(watch(unknown(0, NOW - 2), unknown(40, NOW - 2), onlyB(NOW + 60)).vanished).toHaveLength(1);
    // Where nothing is known of its heartbeats it is not missed.
    expect(watch(unknown(0, null), unknown(40, null), onlyB(NOW + 60)).vanished).toEqual([]);
  });

  test('has not stopped where the database was emptied, and is back by its next heartbeat', () => {
    const counted = (at: number, processed: number, part: object) => ({ at, totals: { processed }, ...part });
    const before = counted(NOW, 1000, alive);
    const emptied = counted(NOW + 5, 0, {});
    const view = watch(before, emptied, counted(NOW + 10, 2, {}), counted(NOW + 15, 5, silent(NOW + 15)));
    expect(view.events.map(({ kind }) => kind)).toEqual(['start', 'start']);
    // Nothing had ever been processed.
    const idle = watch(alive, { at: NOW + 5, hasSidekiq: false }, silent(NOW + 15));
    expect(idle.events.map(({ kind }) => kind)).toEqual(['start', 'start']);
    // The other one has beaten already when it is seen.
    const oneBack = watch(before, counted(NOW + 5, 1, onlyB(NOW + 5)), counted(NOW + 15, 5, silent(NOW + 15)));
    expect(oneBack.events.map(({ kind }) => kind)).toEqual(['start', 'start']);
    const gone = watch(before, emptied, counted(NOW + 70, 2, onlyB(NOW + 70)));
    expect(gone.events.at(-1)).toMatchObject({ kind: 'stop', title: `${A} stopped while nobody watched` });
    expect(gone.vanished).toEqual([]);
  });

  test('with one job is told in the singular', () => {
    const view = watch({ ...alive, work: listed(job('1')) }, killed(NOW + 90));
    expect(view.events.at(-1)!.title).toBe(`${A} vanished; 1 job ran in it at its last heartbeat`);
  });

  test('is not missed while not all processes are known', () => {
    const view = watch(alive, { at: NOW + 90, processes: partial(aProcess('b:1:x')) });
    expect(view.vanished).toEqual([]);
    expect(view.events.map(({ kind }) => kind)).toEqual(['start', 'start']);
  });

  test('keeps the jobs that were known where the work was refused meanwhile', () => {
    const view = watch(alive, { ...alive, at: NOW + 10, work: partial() }, killed(NOW + 90));
    expect(view.vanished[0]!.jobs.map(({ jid }) => jid)).toEqual(['1', '2']);
    const first = watch({ ...alive, work: partial() }, killed(NOW + 90));
    expect(first.vanished[0]!.jobs).toEqual([]);
  });

  test('ran what it ran at its last heartbeat, not before', () => {
    const view = watch(alive, { ...alive, at: NOW + 10, work: listed(job('3')) }, killed(NOW + 90));
    expect(view.vanished[0]!.jobs.map(({ jid }) => jid)).toEqual(['3']);
  });
});

test('a lost job that runs again or is next in a queue was recovered', () => {
  const gone = killed(NOW + 90);
  const running = watch(alive, gone, onlyB(NOW + 100, { work: listed(job('2', 'b:1:x')) }));
  expect(running.vanished[0]!.jobs.map(({ jid, recovered }) => [jid, recovered])).toEqual([
    ['1', false],
    ['2', true],
  ]);
  const waiting = watch(
    alive,
    gone,
    onlyB(NOW + 100, { queues: listed(aQueue('q', { next: aJob({ jid: '1' }) })) }),
    gone
  );
  expect(waiting.vanished[0]!.jobs.map(({ recovered }) => recovered)).toEqual([true, false]);
  const putBack = watch(alive, gone, onlyB(NOW + 100, { nextJobs: ['2', '1'] }), onlyB(NOW + 160));
  expect(putBack).toMatchObject({ lostJobsTotal: 0, vanished: [{ jobs: [{ recovered: true }, { recovered: true }] }] });
  // What vanished with it is not seen again by itself.
  expect(watch(alive, gone).vanished[0]!.jobs.some(({ recovered }) => recovered)).toBe(false);
});

test('jobs of a process that has just gone are looked for in their queues, for ten minutes', () => {
  const work = listed(job('1'), job('2'), someWork({ process: A, jid: '3', queue: 'other' }));
  const gone = watch({ ...alive, work }, killed(NOW + 90));
  expect(lookedForOf(gone, NOW + 690).queues).toEqual(['default', 'other']);
  expect(lookedForOf(gone, NOW + 691).queues).toEqual([]);
  const found = watch({ ...alive, work }, killed(NOW + 90), onlyB(NOW + 100, { nextJobs: ['1', '2'] }));
  expect(lookedForOf(found, NOW + 100).queues).toEqual(['other']);
  const back = watch({ ...alive, work }, killed(NOW + 90), { ...alive, work, at: NOW + 100 });
  expect(lookedForOf(back, NOW + 100)).toMatchObject({ queues: [], jids: new Set() });
});

test('and in the sets, until they count as lost: since the process last wrote what it runs', () => {
  const work = listed(job('1'), job('2'));
  const gone = watch({ ...alive, work }, killed(NOW + 90));
  const { lastBeatAt } = gone.vanished[0]!;
  expect(lookedForOf(gone, NOW + 90)).toMatchObject({
    jids: new Set(['1', '2']),
    since: lastBeatAt - 10,
    privateQueues: [`sq|${A}|default`],
  });
  const counted = watch({ ...alive, work }, killed(NOW + 90), onlyB(NOW + 150));
  expect(counted.lostJobsTotal).toBe(2);
  expect(lookedForOf(counted, NOW + 150)).toMatchObject({ queues: ['default'], privateQueues: [], jids: new Set() });
});

// Found by a review: 500 processes that vanished together were 200.
test('all processes that vanish together are counted, though 200 are listed then', () => {
  const all = Array.from({ length: 500 }, (_, index) => `h${index % 7}:${index}:x`);
  const before = {
    processes: listed(...all.map((identity) => aProcess(identity))),
    work: listed(...all.map((identity) => job(`j${identity}`, identity))),
  };
  const gone = { ghosts: listed(...all) };
  const view = watch(before, { at: NOW + 30, ...gone }, { at: NOW + 90, ...gone });
  expect([...view.vanishedByHost.values()].reduce((sum, count) => sum + count)).toBe(500);
  expect(view.lostJobsTotal).toBe(500);
  expect(view.vanished).toHaveLength(200);
});

test('those that are still to be counted stay, however many others came back', () => {
  const all = Array.from({ length: 500 }, (_, index) => `h:${index}:x`);
  const alive = (identities: readonly string[]) => listed(...identities.map((identity) => aProcess(identity)));
  const back = all.slice(0, 300);
  const gone = all.slice(300);
  const view = watch(
    { processes: alive([...all, 'last:1:x']) },
    { at: NOW + 30, processes: alive(['last:1:x']), ghosts: listed(...all) },
    { at: NOW + 40, processes: alive([...back, 'last:1:x']), ghosts: listed(...gone) },
    { at: NOW + 80, processes: alive(back), ghosts: listed(...gone, 'last:1:x') },
    { at: NOW + 140, processes: alive(back), ghosts: listed(...gone, 'last:1:x') }
  );
  expect([...view.vanishedByHost.values()].reduce((sum, count) => sum + count)).toBe(201);
});

describe('a clock of Redis that is set', () => {
  test('leaves nothing in the future when it is put back', () => {
    const ahead = 86_400;
    const log = watch(alive, killed(NOW + ahead), onlyB(NOW + ahead + 70), onlyB(NOW + 20));
    expect(log.vanished[0]).toMatchObject({ noticedAt: NOW + 20, confirmed: true });
    expect(log.events.every(({ at, endsAt }) => Math.max(at, endsAt ?? 0) <= NOW + 20)).toBe(true);
  });

  // All hashes expire at once, and are there again with the next heartbeats.
  test('makes no process silent for an hour when it is put on', () => {
    const beat = (at: number, beatAt: number) => ({
      at,
      processes: listed(aProcess(A, { beatAt, beatAgeSeconds: 2 })),
    });
    const view = watch(beat(NOW, NOW - 2), { at: NOW + 3605, ghosts: listed(A) }, beat(NOW + 3615, NOW + 12));
    expect(view.events.at(-1)).toMatchObject({
      kind: 'returned',
      at: NOW + 3615 - 14,
      endsAt: NOW + 3615,
      title: `${A} sent no heartbeat for 14 s and is back`,
    });
  });
});

test('vanished processes come newest first', () => {
  const view = watch(
    { processes: listed(aProcess('a:1:x'), aProcess('b:1:x')) },
    { at: NOW + 90, processes: listed(aProcess('b:1:x', { beatAt: NOW + 80 })), ghosts: listed('a:1:x') },
    { at: NOW + 200, ghosts: listed('a:1:x', 'b:1:x') }
  );
  expect(view.vanished.map(({ process }) => process.identity)).toEqual(['b:1:x', 'a:1:x']);
});

describe('events', () => {
  test('tell of starts by the time of the boot, or of the first sight', () => {
    const view = watch(
      { processes: listed(aProcess('a:1:x', { startedAt: NOW - 50, version: '' })) },
      {
        at: NOW + 10,
        processes: listed(aProcess('a:1:x', { version: '' }), aProcess('c:1:x', { startedAt: null, version: '' })),
      }
    );
    expect(view.events).toEqual([
      { kind: 'start', at: NOW - 50, title: 'a:1:x started (Sidekiq before 7.0.2)', host: 'a', process: 'a:1:x' },
      { kind: 'start', at: NOW + 10, title: 'c:1:x started (Sidekiq before 7.0.2)', host: 'c', process: 'c:1:x' },
    ]);
  });

  test('tell of a version that was not there before, not of the first sight', () => {
    const first = {
      processes: listed(aProcess('a:1:x', { version: '7.3.10' }), aProcess('b:1:x', { version: '8.1.7' })),
    };
    expect(watch(first).events.map(({ kind }) => kind)).toEqual(['start', 'start']);
    const again = {
      at: NOW + 10,
      processes: listed(...first.processes.items, aProcess('c:1:x', { version: '7.3.10' })),
    };
    expect(watch(first, again).events.map(({ kind }) => kind)).toEqual(['start', 'start', 'start']);
    const rollout = {
      at: NOW + 10,
      processes: listed(...first.processes.items, aProcess('c:1:x', { version: '8.2.0' })),
    };
    expect(watch(first, rollout).events.at(-1)).toEqual({
      kind: 'version',
      at: NOW - 3600,
      title: 'Sidekiq 8.2.0 appeared beside 7.3.10, 8.1.7',
      host: 'c',
    });
    const old = watch(
      { processes: listed(aProcess('a:1:x', { version: '' })) },
      {
        at: NOW + 5,
        processes: listed(aProcess('a:1:x', { version: '' }), aProcess('b:1:x', { startedAt: null })),
      }
    );
    expect(old.events.at(-1)).toMatchObject({ at: NOW + 5, title: 'Sidekiq 8.1.7 appeared beside before 7.0.2' });
  });

  test('tell of a new leader, not of the first one, and not where that was refused', () => {
    const events = (...leaders: Array<string | null>) =>
      watch(...leaders.map((leader, index) => ({ at: NOW + index, leader }))).events;
    expect(events('h:1:x', 'h:1:x')).toEqual([]);
    expect(events('h:1:x', '', 'h:1:x')).toMatchObject([{ kind: 'leader', at: NOW + 2 }]);
    expect(events('h:1:x', null, 'h:1:x')).toEqual([]);
    expect(events(null, 'h:1:x')).toEqual([]);
    expect(events('', 'g:host:1:x')).toEqual([
      { kind: 'leader', at: NOW + 1, title: 'g:host:1:x became the leader', host: 'g:host' },
    ]);
  });
});

test('a view is not changed by later snapshots', () => {
  const log = new ProcessLog();
  log.observe(aSnapshot(alive));
  const before = log.view();
  const events = before.events.length;
  log.observe(aSnapshot(killed(NOW + 90)));
  expect(before.events).toHaveLength(events);
  expect(before.vanished).toEqual([]);
  expect(log.view().vanished).toHaveLength(1);
});

test('a simulated month of killed processes with jobs on ever new hosts stays within its bounds', () => {
  const log = new ProcessLog();
  const queue = listed(aQueue('q', { next: aJob({ jid: 'never' }) }));
  for (let step = 0; step < 30 * 144; step += 1) {
    const identity = `pod-${step}:1:x`;
    const at = NOW + step * 600;
    log.observe(
      aSnapshot({
        at,
        queues: queue,
        processes: listed(aProcess(identity, { beatAt: at })),
        ghosts: listed(`pod-${step - 1}:1:x`),
        work: listed(
          ...Array.from({ length: 5 }, (_, index) => someWork({ process: identity, jid: `${step}-${index}` }))
        ),
      })
    );
  }
  const view = log.view();
  // One of them is not counted yet.
  expect(view.vanished).toHaveLength(201);
  expect(view.events).toHaveLength(2000);
  expect(view.vanishedByHost.size).toBe(1000);
  // The last one has just been noticed.
  expect(view.vanishedByHost.has(`pod-${30 * 144 - 3}`)).toBe(true);
  expect(view.lostJobsTotal).toBe(5 * (30 * 144 - 2));
});

test('a host that loses processes again and again is not the first to be forgotten', () => {
  const log = new ProcessLog();
  for (let step = 0; step < 3000; step += 1) {
    const at = NOW + step * 600;
    const identity = (index: number) => `${index % 2 === 0 ? 'same' : `pod-${index}`}:${index}:x`;
    const processes = listed(aProcess(identity(step), { beatAt: at }));
    log.observe(aSnapshot({ at, processes, ghosts: listed(identity(step - 1)) }));
  }
  expect(log.view().vanishedByHost.get('same')).toBe(1499);
});

test('what was noticed survives a restart; a text that is none is refused', () => {
  const log = new ProcessLog();
  log.observe(aSnapshot({ at: NOW, processes: listed(aProcess('web-1:1:a', { beatAt: NOW, capsules: [] })) }));
  log.observe(aSnapshot({ at: NOW + 70, ghosts: listed('web-1:1:a') }));
  const other = new ProcessLog();
  other.restore(log.save());
  expect(other.view()).toEqual(log.view());
  other.observe(aSnapshot({ at: NOW + 700 }));
  expect(other.view()).toMatchObject({ since: NOW, vanishedByHost: new Map([['web-1', 1]]) });
  for (const broken of [
    '',
    null,
    {},
    { vanished: 5, events: [], vanishedByHost: [] },
    { ...(log.save() as object), lostJobsTotal: 'x' },
  ]) {
    expect(() => new ProcessLog().restore(broken), JSON.stringify(broken)).toThrow();
  }
});

describe('what was known before a restart is known after it:', () => {
  const saved = () => {
    const log = new ProcessLog();
    log.observe(aSnapshot(alive));
    return log.save();
  };
  const goOn = (...snapshots: Array<Parameters<typeof aSnapshot>[0]>) => {
    const log = new ProcessLog();
    log.restore(saved());
    log.pause();
    snapshots.forEach((part) => log.observe(aSnapshot(part)));
    return log.view();
  };

  test('a process that goes on has started once', () => {
    const starts = goOn({ ...alive, at: NOW + 600 }).events.filter(({ kind }) => kind === 'start');
    expect(starts.map(({ process }) => process)).toEqual([A, 'b:1:x']);
  });

  test('one that left its name without a hash has vanished with its jobs', () => {
    const view = goOn(onlyB(NOW + 600, { ghosts: listed(A) }));
    expect(view.vanished.map(({ process, jobs }) => [process.identity, jobs.length])).toEqual([[A, 2]]);
  });

  // Found by a review: a query that goes on with what `serve` has saved, seconds after a clean stop.
  test('one that is gone with its name some seconds after what was saved has stopped then', () => {
    const view = goOn(onlyB(NOW + 12));
    expect(view.events.at(-1)).toMatchObject({ kind: 'stop', at: NOW + 12, title: `${A} stopped` });
    expect(view.events.at(-1)).not.toHaveProperty('endsAt');
  });

  test('one that is gone with its name may have stopped cleanly, and is no loss', () => {
    const view = goOn(onlyB(NOW + 600));
    expect(view.vanished).toEqual([]);
    expect(view.events.at(-1)).toEqual({
      kind: 'stop',
      at: NOW,
      endsAt: NOW + 600,
      title: `${A} stopped while nobody watched`,
      host: 'a',
      process: A,
    });
  });
});

describe('a process that beats again', () => {
  const gone = onlyB(NOW + 70, { ghosts: listed(A) });
  const back = (at: number) => ({
    at,
    processes: listed(aProcess(A, { beatAt: at }), aProcess('b:1:x')),
    work: listed(job('1'), job('2')),
  });

  test('has not vanished, and lost nothing', () => {
    const view = watch(alive, gone, back(NOW + 80), back(NOW + 700));
    expect(view).toMatchObject({ lostJobsTotal: 0, vanishedByHost: new Map() });
    expect(view.vanished).toMatchObject([{ process: { identity: A }, returnedAt: NOW + 80 }]);
    expect(view.events.map(({ kind, process }) => `${kind} ${process ?? ''}`)).toEqual([
      `start ${A}`,
      'start b:1:x',
      `returned ${A}`,
    ]);
    expect(view.events.at(-1)).toMatchObject({ at: NOW - 2, endsAt: NOW + 80 });
  });

  test('is told as gone again when it is, and once', () => {
    const view = watch(alive, gone, back(NOW + 80), onlyB(NOW + 150, { ghosts: listed(A) }));
    expect(view.vanished).toMatchObject([{ process: { identity: A }, noticedAt: NOW + 150, returnedAt: null }]);
  });
});
