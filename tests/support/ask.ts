import { rowsOf, type Frame, type Value } from '../../pkg/frames/frame';
import { RedisReads } from '../../pkg/installation/redisReads';
import type { State } from '../../pkg/watch/state';
import type { QueryRequest, QueryType } from '../../pkg/queries/queryType';
import { Recordings } from '../../pkg/recording/recordings';
import { Recorder } from '../../pkg/series/recorder';
import { Failures } from '../../pkg/sidekiq/browse/failures';
import { LockLooks } from '../../pkg/sidekiq/browse/locks';
import { Minutes } from '../../pkg/sidekiq/minutes';
import { fakeRedis, type Answers } from './fakeRedis';
import { NOW } from './state';

export interface Asked {
  query?: Record<string, unknown>;
  request?: Partial<QueryRequest>;
  /** What Redis answers to reads beside the state. */
  answers?: Answers;
  recorder?: Recorder;
}

/** What reads remember: nothing yet. */
export function aMemory(recorder = new Recorder()) {
  const limits = { seconds: 3600, bytes: 1e6 };
  const recordings = new Recordings({ memory: limits, file: limits });
  return {
    minutes: new Minutes(),
    recorder,
    recordings,
    locks: new LockLooks(),
    failures: { retry: new Failures('retry'), dead: new Failures('dead') },
  };
}

/** Nothing was recorded at any instant. */
export const NOTHING_RECORDED = { failuresAt: () => Promise.resolve(null) };

/** Asks a query type on a literal state. */
export function askState(
  type: QueryType,
  state: State,
  { query, request, answers, recorder }: Asked = {}
): Promise<Frame[]> {
  return type.run(
    { queryType: type.id, ...query },
    state,
    { range: { from: NOW - 3600, to: NOW }, intervalSeconds: 60, alerting: false, ...request },
    new RedisReads(fakeRedis(answers), aMemory(recorder), state.options, NOTHING_RECORDED)
  );
}

/** Asks a query type and gives the rows of its first frame. */
export async function rowsOfState(type: QueryType, state: State, asked?: Asked): Promise<Array<Record<string, Value>>> {
  const [frame] = await askState(type, state, asked);
  return frame ? rowsOf(frame) : [];
}

/** The texts of the notices of frames. */
export function noticesOf(frames: readonly Frame[]): string[] {
  return frames.flatMap(({ meta }) => (meta?.notices ?? []).map(({ text }) => text));
}
