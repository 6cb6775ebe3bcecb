/** Jobs of one capsule beside which others of the same process compute: means of them all, in the same unit of time. */
export interface Shared {
  /** Processor time of a job, alone. */
  readonly computes: number;
  /** Time of a job without the processor. */
  readonly rests: number;
  /** Jobs of other capsules that compute meanwhile, on average. */
  readonly beside: number;
}

/** What comes of it, of one process. */
export interface Occupied {
  /** Jobs that run, on average. */
  readonly running: number;
  /** Of these, jobs that compute or wait for the processor. */
  readonly computing: number;
  /** Other jobs of the capsule that a job finds computing, on average. */
  readonly met: number;
  /** By how many times computing takes longer than alone. */
  readonly stretch: number;
  /** Jobs that end in a unit of time, at most where they are all that can. */
  readonly throughput: number;
}

/** More jobs than these of one process are not told apart: each further one waits for the processor. */
const JOBS_MOST = 1000;
/** No job runs. */
export const NO_JOBS: Occupied = { running: 0, computing: 0, met: 0, stretch: 1, throughput: 0 };

/**
 * A number of jobs that run all the time, as a closed network of a processor that is shared evenly and of time without it: by
 * mean value analysis (Reiser and Lavenberg 1980). Ruby runs one thread of a process at a time.
 *
 * @param jobs not necessarily a whole number: between two in proportion
 */
export function fixedJobs(jobs: number, { computes, rests, beside }: Shared): Occupied {
  if (jobs <= 0) {
    return NO_JOBS;
  }
  let [met, computing] = [0, 0];
  for (let many = 1; many <= Math.min(JOBS_MOST, Math.ceil(jobs)); many += 1) {
    const part = Math.min(1, jobs - (many - 1));
    const stretched = computes * (1 + beside + computing);
    met += (computing - met) * part;
    computing += (stretched === 0 ? 0 : (many * stretched) / (rests + stretched) - computing) * part;
  }
  met += Math.max(0, jobs - JOBS_MOST);
  const stretch = 1 + beside + met;
  return { running: jobs, computing, met, stretch, throughput: jobs / (rests + computes * stretch) };
}

/**
 * Jobs that come by chance to threads of which each runs one: as many run as come and end, by a process of births and deaths
 * whose deaths are the throughput of that many jobs (a flow-equivalent server, Chandy, Herzog and Woo 1975). It is exact where
 * threads suffice: computing is stretched by 1 / (1 − load).
 *
 * @param rate jobs that come in a unit of time
 * @param threads of the process
 * @param processes that share what comes: an idle thread of any takes the next one
 */
export function comingJobs(rate: number, threads: number, processes: number, shared: Shared): Occupied {
  const whole = Math.floor(threads);
  if (rate <= 0 || threads <= 0) {
    return { ...NO_JOBS, stretch: 1 + shared.beside };
  }
  const less = whole === 0 ? NO_JOBS : onThreads(rate, Math.min(JOBS_MOST, whole), processes, shared);
  const part = threads - whole;
  if (part === 0) {
    return less;
  }
  // Threads that are not a whole number are those of some processes.
  const more = onThreads(rate, Math.min(JOBS_MOST, whole + 1), processes, shared);
  const between = (of: (occupied: Occupied) => number) => (1 - part) * of(less) + part * of(more);
  return {
    running: between(({ running }) => running),
    computing: between(({ computing }) => computing),
    met: between(({ met }) => met),
    stretch: whole === 0 ? more.stretch : between(({ stretch }) => stretch),
    throughput: between(({ throughput }) => throughput),
  };
}

function onThreads(rate: number, threads: number, processes: number, { computes, rests, beside }: Shared): Occupied {
  // Where others are idle, the threads of a process that runs many take fewer.
  const evening = (1 - 1 / processes) / threads;
  let [met, weight] = [0, 1];
  let [jobs, ended] = [0, 0];
  let throughput = 0;
  for (let many = 1; many <= threads; many += 1) {
    const stretched = computes * (1 + beside + met);
    throughput = many / (rests + stretched);
    met = throughput * stretched;
    weight *= (rate * (1 - (many - 1) * evening)) / throughput;
    jobs += many * weight;
    ended += throughput * weight;
    // Only their proportions matter.
    if (jobs > 1e200) {
      [weight, jobs, ended] = [weight / jobs, 1, ended / jobs];
    }
  }
  const stretchOf = (runTime: number) => (computes === 0 ? 1 + beside : (runTime - rests) / computes);
  const load = rate / throughput;
  if (load >= 1) {
    const stretch = stretchOf(threads / throughput);
    return { running: threads, computing: met, met: stretch - 1 - beside, stretch, throughput };
  }
  // Jobs wait while all threads of all processes run.
  const waiting = (weight * load ** processes) / (1 - load);
  const runTime = (jobs + threads * waiting) / (ended + throughput * waiting);
  const stretch = stretchOf(runTime);
  return {
    ...{ running: rate * runTime, computing: rate * computes * stretch, met: stretch - 1 - beside },
    ...{ stretch, throughput: rate },
  };
}
