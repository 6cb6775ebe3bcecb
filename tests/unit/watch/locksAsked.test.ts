import { expect, test } from 'vitest';
import { locksAsked } from '../../../pkg/watch/locksAsked';
import { aProcess, aQueueState, aState, listed, NOW } from '../../support/state';

const most = { digests: 1, entries: 1, bytes: 1, seconds: 1 };

test('the queues of super_fetch are those of processes that live, and all of those that are gone', () => {
  const gone = (identity: string, lastBeatAt: number, returnedAt: number | null = null) => ({
    beatAt: null,
    process: { identity, host: 'h' },
    ...{ lastBeatAt, noticedAt: lastBeatAt + 60, returnedAt, confirmed: true, jobs: [] },
  });
  const { processLog } = aState();
  const state = aState({
    queues: [aQueueState('a'), aQueueState('b')],
    snapshot: { processes: listed(aProcess('live:1:x', { queues: ['a'] })) },
    processLog: {
      ...processLog,
      vanished: [gone('gone:1:y', NOW - 600), gone('back:1:z', NOW - 600, NOW - 60), gone('old:1:w', NOW - 86_400)],
    },
  });
  expect(locksAsked(state, most).privateQueues).toEqual(['sq|gone:1:y|a', 'sq|gone:1:y|b', 'sq|live:1:x|a']);
});

test('of a thousand processes with a thousand queues a bounded number is asked for', () => {
  const queues = Array.from({ length: 1000 }, (_, index) => `q${index}`);
  const processes = Array.from({ length: 1000 }, (_, index) => aProcess(`p${index}:1:a`, { queues }));
  const state = aState({ snapshot: { processes: listed(...processes) } });
  expect(locksAsked(state, most).privateQueues).toHaveLength(1000);
});
