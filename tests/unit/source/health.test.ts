import { describe, expect, test } from 'vitest';
import { checkHealth } from '../../../pkg/source/health';
import type { Source } from '../../../pkg/source/source';
import { aQueueState, aState } from '../../support/state';

const messageOf = async (state: NonNullable<Parameters<typeof aState>[0]>) => {
  const source = { address: 'redis:6379', state: async () => aState(state) } as unknown as Source;
  return (await checkHealth(source)).message;
};

describe('the health of a data source whose settings choose queues', () => {
  const told = /No queue is shown: check the settings "queueInclude" and "queueExclude"/;

  test('says so when none is left', async () => {
    expect(await messageOf({ queues: [], options: { queueInclude: '^nope$' } })).toMatch(told);
    expect(await messageOf({ queues: [], options: { queueExclude: '.' } })).toMatch(told);
  });

  test('says nothing of it where a queue is left, or none was left out', async () => {
    expect(await messageOf({ queues: [aQueueState('q')], options: { queueInclude: 'q' } })).not.toMatch(told);
    expect(await messageOf({ queues: [], options: {} })).not.toMatch(told);
  });
});
