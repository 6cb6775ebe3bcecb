import { expect, test } from 'vitest';
import { optionsSchema } from '../../../pkg/settings/model';
import { StatsdIntake } from '../../../pkg/statsd/intake';
import { Watch } from '../../../pkg/watch/watch';
import { aMinute, anEntry, aProcess, aQueue, aSnapshot, listed, MINUTE, NOW, someWork } from '../../support/state';

const beside = {
  options: optionsSchema.parse({}),
  statsd: new StatsdIntake({ series: 1, expireSeconds: 1 }),
  recorded: true,
};
const next = (watch: Watch, part: Parameters<typeof aSnapshot>[0]) =>
  watch.next(
    { snapshot: aSnapshot(part), missed: null, info: null, locks: null, usual: null, notices: [], historyFile: null },
    beside
  );

const web = (part: Parameters<typeof aProcess>[1] = {}) =>
  aProcess('web-1:1:a', { beatAt: NOW, capsules: [], ...part });
const SNAPSHOTS: Array<Parameters<typeof aSnapshot>[0]> = [
  {
    at: NOW,
    processes: listed(web(), aProcess('web-2:1:b', { beatAt: NOW, capsules: [] })),
    queues: listed(aQueue('mail', { size: 40, latencySeconds: 100 })),
    work: listed(someWork({ process: 'web-2:1:b', jid: 'j1', runAt: NOW - 5, enqueuedAt: NOW - 9 })),
    minutes: listed(aMinute(MINUTE, { A: [5, 1, 500] })),
    leader: 'web-1:1:a',
    recurring: listed(anEntry({ enabled: false, nextAt: null, lateFrom: null })),
  },
  {
    at: NOW + 10,
    processes: listed(web(), aProcess('web-2:1:b', { beatAt: NOW + 10, capsules: [] })),
    queues: listed(aQueue('mail', { size: 30, latencySeconds: 90 })),
    work: listed(someWork({ process: 'web-2:1:b', jid: 'j1', runAt: NOW - 5, enqueuedAt: NOW - 9 })),
    // A minute of before the count is seen for the first time, and one of after grows.
    minutes: listed(aMinute(MINUTE, { A: [9, 1, 900] }), aMinute(MINUTE - 60, { A: [70, 0, 7000] })),
    leader: 'web-1:1:a',
  },
  {
    at: NOW + 80,
    recurring: listed(anEntry()),
    processes: listed(
      web({ beatAt: NOW + 80 }),
      aProcess('web-3:1:c', { version: '8.2.0', startedAt: NOW + 70, capsules: [] })
    ),
    ghosts: listed('web-2:1:b'),
    queues: listed(aQueue('mail', { size: 0, latencySeconds: 0 })),
    minutes: listed(aMinute(MINUTE + 60, { A: [3, 0, 300] })),
    leader: 'web-3:1:c',
  },
  {
    at: NOW + 150,
    processes: listed(web({ beatAt: NOW + 150 }), aProcess('web-3:1:c', { version: '8.2.0', capsules: [] })),
    minutes: listed(aMinute(MINUTE + 60, { A: [8, 0, 800] })),
    leader: 'web-3:1:c',
  },
];

test('what is saved after any reading goes on as if nothing had happened', () => {
  const whole = new Watch();
  const states = SNAPSHOTS.map((part) => next(whole, part));
  expect(states.at(-1)!.classTotals.get('A')?.processed).toBe(4 + 8);
  expect(states.at(-1)!.processLog.events.map(({ kind }) => kind)).toEqual(
    expect.arrayContaining(['version', 'leader', 'vanished'])
  );
  for (let saved = 1; saved < SNAPSHOTS.length; saved += 1) {
    const first = new Watch();
    SNAPSHOTS.slice(0, saved).forEach((part) => next(first, part));
    const second = new Watch();
    second.restore(JSON.parse(JSON.stringify(first.save())));
    const rest = SNAPSHOTS.slice(saved).map((part) => next(second, part));
    expect(rest).toEqual(states.slice(saved));
  }
});
