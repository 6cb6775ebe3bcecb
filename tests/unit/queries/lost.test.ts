import { expect, test } from 'vitest';
import { rowsOf } from '../../../pkg/frames/frame';
import type { VanishedProcess } from '../../../pkg/observe/vanished';
import { lost } from '../../../pkg/queries/lost';
import type { Work } from '../../../pkg/sidekiq/model';
import { aState, listed, NOW, partial, someWork } from '../../support/state';

const gone: VanishedProcess = {
  process: { identity: 'a:1:x', host: 'a' },
  lastBeatAt: NOW - 300,
  beatAt: null,
  noticedAt: NOW - 240,
  returnedAt: null,
  confirmed: true,
  jobs: [{ ...someWork({ process: 'a:1:x', jid: 'j' }), recovered: false, usualSeconds: null }],
};

async function outcome(
  vanished: Partial<VanishedProcess>,
  snapshot: NonNullable<Parameters<typeof aState>[0]>['snapshot'] = {}
) {
  const { processLog } = aState();
  const state = aState({ processLog: { ...processLog, vanished: [{ ...gone, ...vanished }] }, snapshot });
  const request = { range: { from: NOW - 3600, to: NOW }, intervalSeconds: 1, alerting: false };
  const [frame] = await lost.run({ queryType: 'lost' }, state, request, {} as never);
  return rowsOf(frame!).map((row) => [row['outcome'], row['lost'], row['jobs']]);
}

const back = { returnedAt: NOW - 100, confirmed: false };

test.each([
  ['is lost after a minute', {}, {}, ['lost', true, 1]],
  ['is open before', { confirmed: false }, {}, ['open', null, 0]],
  // The heartbeat was up to ten seconds old: with jobs of a second, none of those told was lost, and as many others were.
  [
    'of a class that takes a second may have ended',
    { jobs: [{ ...gone.jobs[0]!, runAt: gone.lastBeatAt - 0.7, usualSeconds: 1 }] },
    {},
    ['unsure', null, 1],
  ],
  [
    'that had run for longer than its class takes is lost',
    { jobs: [{ ...gone.jobs[0]!, runAt: gone.lastBeatAt - 40, usualSeconds: 1 }] },
    {},
    ['lost', true, 1],
  ],
  [
    'of a class that takes minutes is lost',
    { jobs: [{ ...gone.jobs[0]!, runAt: gone.lastBeatAt - 0.7, usualSeconds: 120 }] },
    {},
    ['lost', true, 1],
  ],
  [
    'is recovered where it was seen again',
    { jobs: [{ ...gone.jobs[0]!, recovered: true }] },
    {},
    ['recovered', false, 0],
  ],
  ['runs in a process that came back with it', back, { work: listed(gone.jobs[0]!) }, ['running', false, 0]],
  ['does not in one that came back without it', back, {}, ['returned', false, 0]],
  [
    'does not run where it runs elsewhere',
    back,
    { work: listed(someWork({ process: 'b:1:y', jid: 'j' })) },
    ['returned', false, 0],
  ],
  ['is not said to run where work was refused', back, { work: partial<Work>() }, ['returned', false, 0]],
])('a job of a process that vanished %s', async (_, vanished, snapshot, row) => {
  expect(await outcome(vanished, snapshot)).toEqual([row]);
});

// Until then it is not known whether jobs are lost with it: an alert would be followed by another one.
test.each([
  [{}, 1],
  [{ confirmed: false }, 0],
  [back, 0],
])('a process counts as vanished once it has been gone for a minute: %o', async (vanished, expected) => {
  const { processLog } = aState();
  const state = aState({ processLog: { ...processLog, vanished: [{ ...gone, ...vanished }] } });
  const request = { range: { from: NOW - 3600, to: NOW }, intervalSeconds: 1, alerting: true };
  const [frame] = await lost.run({ queryType: 'lost', figures: ['vanished'] }, state, request, {} as never);
  expect(rowsOf(frame!).map((row) => row['vanished'])).toEqual([expected]);
});
