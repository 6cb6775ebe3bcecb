import { Fault } from '../faults/fault';
import { snapshotWithin } from '../installation/deadline';
import type { Installation } from '../installation/installation';
import { queueFacts } from '../sidekiq/queueFacts';
import { installationTotals } from '../sidekiq/totals';
import { OPENMETRICS_CONTENT_TYPE, renderOpenMetrics, renderText, TEXT_CONTENT_TYPE } from './exposition';
import { readFamilies, type Family } from './metric';
import { receiverMetrics } from './proMetrics';
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
 * Redis away is an answer too: `sidekiq_up 0` and nothing else, so that no gauge shows an old value.
 *
 * @param accept the scraper's Accept header; OpenMetrics where it asks for that
 * @param timeoutSeconds after which the answer is `sidekiq_up 0` all the same
 */
export async function scrape(installation: Installation, accept: string, timeoutSeconds: number): Promise<Scrape> {
  const { options } = installation;
  let families: Family[];
  let fault: Fault | undefined;
  try {
    const snapshot = await snapshotWithin(timeoutSeconds, installation, {
      span: 'the scrape timeout',
      remedy: 'Check whether Redis is blocked by a slow command (SLOWLOG GET), or raise scrape_timeout.',
    });
    families = [
      up(1),
      ...readFamilies(
        metricTable(options.statsdPrefix),
        {
          snapshot,
          totals: installationTotals(snapshot),
          queues: queueFacts(snapshot),
          flow: installation.flow,
          watch: installation.watch,
          classTotals: installation.classTotals,
          workerTypes: options.workerTypes,
          cadences: options.cadences,
          deadMaxJobs: options.deadMaxJobs,
          droppedSeries: installation.droppedSeries,
          pro: installation.pro,
          now: Date.now() / 1000,
        },
        options.seriesLimit,
        installation.droppedSeries
      ),
    ];
  } catch (error) {
    if (!(error instanceof Fault)) {
      throw error;
    }
    // What arrives by DogStatsD does not depend on Redis.
    families = [up(0), ...readPro(installation)];
    fault = error;
  }
  return { ...print(families, accept), ...(fault && { fault }) };
}

/** What Sidekiq Pro has sent and nothing else, for an endpoint of its own as statsd_exporter has. */
export function scrapePro(installation: Installation, accept: string): Scrape {
  return print(readPro(installation), accept);
}

function readPro(installation: Installation): Family[] {
  return readFamilies(
    receiverMetrics(installation.options.statsdPrefix),
    { pro: installation.pro, now: Date.now() / 1000 },
    installation.options.seriesLimit,
    installation.droppedSeries
  );
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
    help: 'Whether Redis could be read for this scrape.',
    samples: [{ value }],
  };
}
