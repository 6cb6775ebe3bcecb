import type { Frame } from '../frames/frame';
import type { State } from '../watch/state';
import type { QueryRequest } from './queryType';

/** Values of the answers that are kept of one state; the next reading makes another state. */
const MOST_VALUES = 300_000;
/** A range that ends so shortly before a reading is meant to end now: the reading was made for it. */
const NOW_SECONDS = 5;

interface Kept {
  answers: Map<string, Frame[]>;
  values: number;
}

const kept = new WeakMap<State, Kept>();

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
  // What arrives by DogStatsD is counted between readings too.
  const key = JSON.stringify([raw, request, state.statsd.counts.packets]);
  let ofState = kept.get(state);
  if (!ofState) {
    ofState = { answers: new Map(), values: 0 };
    kept.set(state, ofState);
  }
  const known = ofState.answers.get(key);
  if (known) {
    return known;
  }
  const frames = await make();
  const values = frames.reduce((sum, { fields }) => sum + fields.length * (fields[0]?.values.length ?? 0), 0);
  if (ofState.values + values <= MOST_VALUES) {
    ofState.answers.set(key, frames);
    ofState.values += values;
  }
  return frames;
}
