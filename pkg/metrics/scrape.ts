import { Fault } from '../faults/fault';
import { stateWithin } from '../installation/deadline';
import type { Installation } from '../installation/installation';
import type { State } from '../installation/state';
import { missesTotals } from '../sidekiq/refusals';
import { OPENMETRICS_CONTENT_TYPE, renderOpenMetrics, renderText, TEXT_CONTENT_TYPE } from './exposition';
import { readFamilies, type Family, type StatsdState } from './metric';
import { receiverMetrics } from './statsdMetrics';
import { metricTable } from './table';

/** An answer to a scrape. */
export interface Scrape {
  contentType: string;
  body: string;
  /** Why Redis could not be read, where it could not. */
  fault?: Fault;
}

/**
 * Reads an installation once and prints it.
 *
 * Redis away is an answer too: `sidekiq_up 0` and nothing else, so that no gauge shows an old value. Where a part that
 * the totals need was refused, `sidekiq_up` is 0 and what is known stands.
 *
 * @param accept the scraper's Accept header; OpenMetrics where it asks for that
 * @param timeoutSeconds after which the answer is `sidekiq_up 0` all the same
 */
export async function scrape(installation: Installation, accept: string, timeoutSeconds: number): Promise<Scrape> {
  try {
    const state = await stateWithin(timeoutSeconds, installation, {
      span: 'the scrape timeout',
      remedy: 'Check whether Redis is blocked by a slow command (SLOWLOG GET), or raise scrape_timeout.',
    });
    return print([up(missesTotals(state.snapshot) ? 0 : 1), ...readAll(installation, state)], accept);
  } catch (error) {
    if (!(error instanceof Fault)) {
      throw error;
    }
    // What arrives by DogStatsD does not depend on Redis.
    return { ...print([up(0), ...readStatsd(installation)], accept), fault: error };
  }
}

/** What Sidekiq Pro has sent and nothing else, for an endpoint of its own as statsd_exporter has. */
export function scrapeStatsd(installation: Installation, accept: string): Scrape {
  return print(readStatsd(installation), accept);
}

function readAll(installation: Installation, state: State): Family[] {
  const { options, droppedSeries } = installation;
  return readFamilies(
    metricTable(options.statsdPrefix),
    { ...state, arrivedBy: Date.now() / 1000, droppedSeries },
    options.seriesLimit,
    droppedSeries
  );
}

function readStatsd(installation: Installation): Family[] {
  const { options, droppedSeries } = installation;
  return readFamilies(
    receiverMetrics(options.statsdPrefix),
    statsdState(installation),
    options.seriesLimit,
    droppedSeries
  );
}

function statsdState({ statsd }: Installation): StatsdState {
  return { statsd, arrivedBy: Date.now() / 1000 };
}

function print(families: readonly Family[], accept: string): Scrape {
  const openMetrics = accept.includes('application/openmetrics-text');
  return {
    contentType: openMetrics ? OPENMETRICS_CONTENT_TYPE : TEXT_CONTENT_TYPE,
    body: openMetrics ? renderOpenMetrics(families) : renderText(families),
  };
}

function up(value: 0 | 1): Family {
  return {
    name: 'sidekiq_up',
    type: 'gauge',
    help: 'Whether Redis could be read for this scrape, and all parts that the totals need.',
    samples: [{ value }],
  };
}
