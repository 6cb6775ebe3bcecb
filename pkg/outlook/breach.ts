/** What is known of a queue and its flow. `null` where it is not known. */
export interface QueueFlowNow {
  readonly size: number | null;
  /** Age of the oldest job. */
  readonly waitSeconds: number | null;
  readonly objectiveSeconds: number;
  /** Jobs pushed and taken per second. */
  readonly inRate: number | null;
  readonly outRate: number | null;
  /** Seconds over which they were measured. */
  readonly flowSeconds: number | null;
  readonly unserved: boolean | null;
  readonly paused: boolean | null;
}

/** When the latency reaches the objective, in seconds from now. */
export interface Breach {
  readonly earliest: number;
  /** `null` where it may not come within a day. */
  readonly latest: number | null;
}

/** Jobs pushed per second that are usual, hour by hour. */
export interface UsualPushes {
  /** The present hour first. */
  readonly inRates: readonly number[];
  /** Seconds until the present hour ends. */
  readonly hourEndsIn: number;
}

const HORIZON_SECONDS = 86_400;
const HOUR = 3600;

/**
 * When a queue will exceed its latency objective if its flow goes on: as it is, and with the pushes that are usual for the
 * hours ahead. Rates are counts of two minutes at most, so the range is that of rates by one standard deviation apart (of a count
 * n, its root).
 *
 * The jobs of a queue leave in the order in which they came. So the oldest job of the time to come is found by following
 * the pushes: those that wait now, as they came in the last minutes, then those that are expected.
 *
 * @returns `null` where it is not expected within a day, and where nothing can be said: an empty or paused queue, rates that
 * are not known. A queue that is late already breaches in 0 s.
 */
export function breachOf(queue: QueueFlowNow, usual?: UsualPushes): Breach | null {
  const { size, waitSeconds, objectiveSeconds, inRate, outRate, flowSeconds } = queue;
  if (queue.paused === true || size === null || size === 0 || waitSeconds === null) {
    return null;
  }
  if (waitSeconds >= objectiveSeconds) {
    return { earliest: 0, latest: 0 };
  }
  if (queue.unserved === true) {
    const left = objectiveSeconds - waitSeconds;
    return { earliest: left, latest: left };
  }
  if (inRate === null || outRate === null || flowSeconds === null) {
    return null;
  }
  const now = { size, waitSeconds, objectiveSeconds, flowSeconds };
  const pushes = [steady(inRate), ...(usual ? scaled(inRate, usual) : [])];
  const expected = pushes.map((each) => crossing(now, inRate, outRate, each));
  // The flow as it is decides whether there is one.
  if (expected[0] === null) {
    return null;
  }
  const inSpread = Math.sqrt(inRate / flowSeconds);
  const outSpread = Math.sqrt(outRate / flowSeconds);
  const at = (sign: 1 | -1) => {
    const moved = Math.max(0, inRate + sign * inSpread);
    const times = inRate === 0 ? 1 : moved / inRate;
    return pushes.map((each) =>
      crossing(now, moved, Math.max(0, outRate - sign * outSpread), {
        ...each,
        rates: each.rates.map((rate) => rate * times),
      })
    );
  };
  const early = [...expected, ...at(1)].filter((seconds) => seconds !== null);
  const late = [...expected, ...at(-1)];
  return {
    earliest: Math.min(...early),
    latest: late.includes(null) ? null : Math.max(...late.map((seconds) => seconds!)),
  };
}

/** Rates of pushes to come: the first until an instant, each of the others for an hour, the last for good. */
interface Pushes {
  readonly rates: readonly number[];
  readonly firstEndsIn: number;
}

function steady(rate: number): Pushes {
  return { rates: [rate], firstEndsIn: HORIZON_SECONDS };
}

/** The present rate, changed as it usually changes from this hour to those after it. */
function scaled(rate: number, { inRates, hourEndsIn }: UsualPushes): Pushes[] {
  const [now] = inRates;
  return now === undefined || now <= 0
    ? []
    : [{ rates: inRates.map((each) => (rate * each) / now), firstEndsIn: hourEndsIn }];
}

/** Pushes from an instant until another, seconds from now, at an even rate. */
interface Stretch {
  from: number;
  to: number;
  rate: number;
}

type QueueNow = Record<'size' | 'waitSeconds' | 'objectiveSeconds' | 'flowSeconds', number>;

/** Seconds until the oldest job is as old as the objective; `null` where that is not within a day. */
function crossing(
  { size, waitSeconds, objectiveSeconds, flowSeconds }: QueueNow,
  inRate: number,
  outRate: number,
  ahead: Pushes
): number | null {
  let oldestFrom = -waitSeconds;
  let at = 0;
  for (const { from, to, rate } of [...waiting(size, waitSeconds, inRate, flowSeconds), ...coming(ahead)]) {
    if (at > HORIZON_SECONDS) {
      return null;
    }
    // All that came until then is taken: the queue is empty until somebody pushes again.
    oldestFrom = Math.max(oldestFrom, from);
    at = Math.max(at, from);
    // The oldest job moves on by so many seconds of pushes in a second.
    const speed = rate === 0 ? Infinity : outRate / rate;
    const age = at - oldestFrom;
    if (speed < 1) {
      const reached = at + Math.max(0, objectiveSeconds - age) / (1 - speed);
      const ends = speed === 0 ? Infinity : at + (to - oldestFrom) / speed;
      if (reached <= ends) {
        return reached <= HORIZON_SECONDS ? reached : null;
      }
      at = ends;
    } else {
      // It catches up, or leaves the stretch.
      const catchesUp = speed === Infinity ? 0 : age / (speed - 1);
      const leaves = speed === Infinity ? 0 : (to - oldestFrom) / speed;
      at = to > 0 && catchesUp <= leaves ? Math.max(at + catchesUp, to) : at + leaves;
    }
    oldestFrom = to;
  }
  return null;
}

/** The jobs that wait, as they came: those of the time of the flow at its rate, the others evenly before. */
function waiting(size: number, waitSeconds: number, inRate: number, flowSeconds: number): Stretch[] {
  const recent = Math.min(waitSeconds, flowSeconds);
  const latest = Math.min(size, inRate * recent);
  if (waitSeconds <= flowSeconds || latest >= size) {
    return [{ from: -waitSeconds, to: 0, rate: waitSeconds === 0 ? 0 : size / waitSeconds }];
  }
  return [
    { from: -waitSeconds, to: -recent, rate: (size - latest) / (waitSeconds - recent) },
    { from: -recent, to: 0, rate: latest / recent },
  ];
}

function coming({ rates, firstEndsIn }: Pushes): Stretch[] {
  return rates.map((rate, index) => ({
    from: index === 0 ? 0 : firstEndsIn + (index - 1) * HOUR,
    to: index === rates.length - 1 ? 10 * HORIZON_SECONDS : firstEndsIn + index * HOUR,
    rate,
  }));
}
