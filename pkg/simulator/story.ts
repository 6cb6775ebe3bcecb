import { DECLINED } from './workload';

/** What goes wrong while it lasts. Instants are seconds before the end of the past. */
interface Trouble {
  from: number;
  to: number;
  /** Class that fails or is slow. */
  jobClass?: string;
  failures?: { rate: number; error: readonly [errorClass: string, message: string] };
  /** Times as slow as usual. */
  slower?: number;
  /** Times as many pushes as usual. */
  pushes?: number;
  /** Host of the kind of process that is away. */
  away?: string;
  /** Killed, so that it writes nothing more, instead of stopped. */
  killed?: boolean;
}

const HOUR = 3600;
const MINUTE = 60;

/** How long the end of a process is watched. */
const ACT_SECONDS = 120;

/** How long the past of the demo is. */
export const PAST_SECONDS = 24 * HOUR;

/** Deploys of the past, in seconds before its end: a bad one brings errors, the next takes it back. */
const DEPLOYS = [20 * HOUR, 14 * HOUR, 9 * HOUR, 8.5 * HOUR, 3 * HOUR];

/** Until a while before the end the queues that are in trouble today kept up. */
const WELL = { from: PAST_SECONDS, to: 10 * MINUTE };

const TROUBLES: readonly Trouble[] = [
  { ...WELL, jobClass: 'AiAgent::SummarizeJob', slower: 0.5 },
  { ...WELL, jobClass: 'Search::ReindexJob', pushes: 0 },
  { ...WELL, jobClass: 'Payments::ChargeJob', failures: { rate: 0.004, error: DECLINED } },
  {
    from: 9 * HOUR - 30,
    to: 8.5 * HOUR,
    jobClass: 'Invoices::FinalizeJob',
    failures: { rate: 0.7, error: ['NoMethodError', "undefined method 'total_cents' for nil"] },
  },
  { from: 8 * HOUR, to: 7.75 * HOUR, away: 'webhook', killed: true },
  { from: 7.2 * HOUR, to: 7.2 * HOUR - 20 * MINUTE, away: 'pdf' },
  { from: 6.5 * HOUR, to: 6 * HOUR, jobClass: 'BillSubscriptionJob', slower: 12 },
];

/** The past of the demo: a day with a bad night in it. */
export class Story {
  private readonly deploys: number[];

  /** @param endsAt epoch seconds @param seconds how much of it is lived through */
  constructor(
    private readonly endsAt: number,
    seconds = PAST_SECONDS
  ) {
    this.deploys = DEPLOYS.filter((before) => before < seconds).map((before) => endsAt - before);
  }

  /**
   * Seconds until something happens of which a watcher must see how it goes; 0 while it does. Less often read, a process
   * that is asked to end and ends looks like one that was killed.
   */
  secondsToAct(now: number): number {
    const acts = [...DEPLOYS, ...TROUBLES.filter(({ away }) => away !== undefined).map(({ from }) => from)];
    return acts
      .map((before) => this.endsAt - before - now)
      .filter((seconds) => seconds > -ACT_SECONDS)
      .reduce((least, seconds) => Math.min(least, Math.max(0, seconds - 1)), Infinity);
  }

  /** Whether a deploy is due, once each. */
  takesDeploy(now: number): boolean {
    if (this.deploys[0] === undefined || this.deploys[0] > now) {
      return false;
    }
    this.deploys.shift();
    return true;
  }

  /** What is wrong with a class. */
  troubleOf(jobClass: string, now: number): Pick<Trouble, 'failures' | 'slower' | 'pushes'> | undefined {
    return this.now(now).find((trouble) => trouble.jobClass === jobClass);
  }

  /** Whether the processes of a host are away. */
  away(host: string, now: number): Pick<Trouble, 'killed'> | undefined {
    return this.now(now).find((trouble) => trouble.away === host);
  }

  private now(now: number): readonly Trouble[] {
    const before = this.endsAt - now;
    return TROUBLES.filter(({ from, to }) => before <= from && before > to);
  }
}
