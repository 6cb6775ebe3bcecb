import Negotiator from 'negotiator';
import { Fault } from '../faults/fault';
import { stateWithin } from '../source/deadline';
import type { Source } from '../source/source';
import type { State } from '../watch/state';
import { missesTotals } from '../sidekiq/refusals';
import type { StatsdIntake } from '../statsd/intake';
import { OPENMETRICS_CONTENT_TYPE, renderOpenMetrics, renderText, TEXT_CONTENT_TYPE } from './exposition';
import { loopDelay } from './loopDelay';
import { readFamilies, type Family, type Metric, type StatsdState } from './metric';
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
export async function scrape(source: Source, accept: string, timeoutSeconds: number): Promise<Scrape> {
  try {
    const state = await stateWithin(timeoutSeconds, source, {
      span: 'the scrape timeout',
      remedy: 'Check whether Redis is blocked by a slow command (SLOWLOG GET), or raise scrape_timeout.',
    });
    return printed(source, state, accept);
  } catch (error) {
    if (!(error instanceof Fault)) {
      throw error;
    }
    // What arrives by DogStatsD does not depend on Redis.
    return { ...print(familiesWithoutRedis(source), accept), fault: error };
  }
}

/**
 * The families of a source for what is pushed: as {@link scrape} reads them.
 *
 * @param asker who pushes: figures since the last time are since its own
 * @throws Error for an error of ours alone
 */
export async function familiesOf(source: Source, timeoutSeconds: number, asker: object): Promise<Family[]> {
  try {
    const state = await stateWithin(timeoutSeconds, source, {
      span: `${timeoutSeconds} s`,
      remedy: 'Check whether Redis is blocked by a slow command (SLOWLOG GET).',
    });
    return allFamilies(source, state, asker);
  } catch (error) {
    if (!(error instanceof Fault)) {
      throw error;
    }
    return familiesWithoutRedis(source);
  }
}

interface Printed {
  scrape: Scrape;
  /** What of the DogStatsD receiver the text was made of. */
  packets: number;
  second: number;
}

/** Texts of the states that are in use, by format. */
const texts = new WeakMap<State, Map<string, Printed>>();

/** Scrapes that come together share a text as they share a reading; what has arrived by DogStatsD makes a new one. */
function printed(source: Source, state: State, accept: string): Scrape {
  const { counts, listening } = state.statsd;
  const { packets } = counts;
  // The quantiles of what has arrived look back from the present.
  const second = listening.length === 0 ? 0 : Math.floor(Date.now() / 1000);
  const format = contentTypeOf(accept);
  const known = texts.get(state)?.get(format);
  if (known?.packets === packets && known.second === second) {
    return known.scrape;
  }
  const made = { scrape: print(allFamilies(source, state, source), accept), packets, second };
  texts.set(state, (texts.get(state) ?? new Map<string, Printed>()).set(format, made));
  return made.scrape;
}

/** What Sidekiq Pro has sent and nothing else, for an endpoint of its own as statsd_exporter has. */
export function scrapeStatsd(source: Source, accept: string): Scrape {
  return print(readStatsd(source), accept);
}

function allFamilies(source: Source, state: State, asker: object): Family[] {
  const { options, droppedSeries } = source;
  const families = readFamilies(
    tableOf(source),
    { ...state, arrivedBy: Date.now() / 1000, droppedSeries, loopDelaySeconds: loopDelay.worstSince(asker) },
    options.seriesLimit,
    droppedSeries
  );
  return [up(missesTotals(state.snapshot) ? 0 : 1), ...families];
}

function familiesWithoutRedis(source: Source): Family[] {
  return [up(0), ...readStatsd(source)];
}

/** The table is made anew only where another sender has come, or the settings have changed. */
function tableOf({ statsd, options }: Source): readonly Metric[] {
  const { namespaces } = statsd.registry;
  const senders = `${options.compatNames} ${namespaces.join()}`;
  const known = tables.get(statsd);
  if (known?.senders === senders) {
    return known.table;
  }
  const table = metricTable(namespaces, options.compatNames);
  tables.set(statsd, { senders, table });
  return table;
}

const tables = new WeakMap<StatsdIntake, { senders: string; table: readonly Metric[] }>();

function readStatsd(source: Source): Family[] {
  const { options, droppedSeries } = source;
  return readFamilies(
    receiverMetrics(source.statsd.registry.namespaces),
    statsdState(source),
    options.seriesLimit,
    droppedSeries
  );
}

function statsdState({ statsd }: Source): StatsdState {
  return { statsd, arrivedBy: Date.now() / 1000 };
}

function print(families: readonly Family[], accept: string): Scrape {
  const contentType = contentTypeOf(accept);
  return {
    contentType,
    body: contentType === OPENMETRICS_CONTENT_TYPE ? renderOpenMetrics(families) : renderText(families),
  };
}

/** Of equal weight the first one. */
const FORMATS = ['text/plain', 'application/openmetrics-text'];
/** Versions and ways to escape names that scrapers can read: there is one of each here. */
const PARAMETERS = /;\s*(?!q\s*=)[\w-]+\s*=\s*(?:"[^"]*"|[^;,]*)/gi;

/** The format of the largest weight (RFC 9110, 12.5.1). */
function contentTypeOf(accept: string): string {
  const [format] = new Negotiator({ headers: { accept: accept.replace(PARAMETERS, '') } }).mediaTypes(FORMATS);
  return format === FORMATS[1] ? OPENMETRICS_CONTENT_TYPE : TEXT_CONTENT_TYPE;
}

function up(value: 0 | 1): Family {
  return {
    name: 'sidekiq_up',
    type: 'gauge',
    help: 'Whether Redis could be read for this scrape, and all parts that the totals need.',
    samples: [{ value }],
  };
}
