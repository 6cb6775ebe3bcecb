import type { Frame } from '../frames/frame';
import type { State } from '../watch/state';
import type { QueryRequest } from './queryType';

/** Answers kept of one state; the next reading makes another state. */
const MOST_ANSWERS = 40;
/** A range that ends so shortly before a reading is meant to end now: the reading was made for it. */
const NOW_SECONDS = 5;

const answers = new WeakMap<State, Map<string, Frame[]>>();

/**
 * The range in whole steps of a grid, its end at the reading where it ends now. Viewers of a dashboard ask for ranges that
 * differ by milliseconds; what is drawn on the grid is the same for all of them.
 *
 * @param gridSeconds by which the beginning is earlier at most
 */
export function onGrid(request: QueryRequest, gridSeconds: number, now: number): QueryRequest {
  const { from, to } = request.range;
  return {
    ...request,
    range: {
      from: Math.floor(from / gridSeconds) * gridSeconds,
      to: to > now - NOW_SECONDS ? Math.max(from, now) : to,
    },
  };
}

/** The answer to the same question about the same state, made once. One that fails is not kept. */
export async function sharedAnswer(
  state: State,
  raw: unknown,
  { signal: _, ...request }: QueryRequest,
  make: () => Promise<Frame[]>
): Promise<Frame[]> {
  const key = JSON.stringify([raw, request]);
  let ofState = answers.get(state);
  if (!ofState) {
    ofState = new Map();
    answers.set(state, ofState);
  }
  const known = ofState.get(key);
  if (known) {
    return known;
  }
  const frames = await make();
  if (ofState.size >= MOST_ANSWERS) {
    ofState.clear();
  }
  ofState.set(key, frames);
  return frames;
}
