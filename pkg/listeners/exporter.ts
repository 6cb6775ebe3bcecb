import { readFileSync } from 'node:fs';
import { createServer as createHttp, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { Fault } from '../faults/fault';
import { stateWithin } from '../source/deadline';
import { noSidekiq } from '../source/health';
import type { Source } from '../source/source';
import { log } from '../log';
import { loopDelay } from '../metrics/loopDelay';
import { scrape, scrapeStatsd } from '../metrics/scrape';
import { parseEndpoint } from '../settings/endpoint';
import { Feed } from '../web/feed';
import { PAGE_FILES, PAGE_HEADERS } from '../web/page';
import { mayAsk, mayAskMcp, type Access } from './access';
import { discoveredTargets } from './discovery';
import { answerEvents, answerPast, answerWhatIf } from './pageAnswers';
import { send, sendText } from './send';

/** The paths that users of the Ruby exporter, of lago-sidekiqs and of Lago's API scrape today. */
export const METRICS_PATHS = ['/metrics', '/prometheus/metrics', '/sidekiq/prometheus/metrics'] as const;

/** Its token is asked of everything but `/-/healthy` and `/-/ready`. */
export interface ExporterOptions extends Access {
  source: Source;
  /** Further installations by name, for `/probe?target=name`. */
  targets?: ReadonlyMap<string, Source>;
  tls?: { cert: string; key: string };
  /** Serve at /metrics only what arrived by DogStatsD, as a statsd_exporter of its own would. */
  only?: 'statsd';
  /** Answers what is sent to /mcp, once it is known that the sender may ask. */
  mcp?: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
  /** Another path for the metrics, beside the usual ones. */
  path?: string;
}

/** The path of the Model Context Protocol. */
export const MCP_PATH = '/mcp';

const DEFAULT_SCRAPE_SECONDS = 9;
/** Scrapers, readers of the page and probes together are far fewer. */
const MOST_CONNECTIONS = 1000;
/** The longest that a scraper may ask for: a timer of years would overflow and end at once. */
const LONGEST_SCRAPE_SECONDS = 60;
/** Probes of Kubernetes wait for a second by default, and for ten where somebody is patient. */
const READY_SECONDS = 10;
/** Time that scrapes in flight have when the endpoint closes: as long as one may take. */
const CLOSE_SECONDS = 9.5;
/** Time kept for the answer to travel, as Prometheus' own exporters do. */
const TIMEOUT_MARGIN_SECONDS = 0.5;

/**
 * Listens and answers scrapes.
 *
 * @returns a function that closes the endpoint and resolves when the scrapes in flight are answered
 * @throws Fault `settings` when the address is malformed or taken
 */
export async function startExporter(options: ExporterOptions): Promise<() => Promise<void>> {
  const { host, port } = parseEndpoint('listen', options.listen);
  loopDelay.start();
  const feed = new Feed(options.source);
  const handle: RequestListener = (request, response) => {
    answer(options, feed, request, response).catch((error: unknown) => {
      log('error', 'a request failed unexpectedly', {
        path: urlOf(request).pathname.slice(0, 200),
        error: String((error as Error)?.stack ?? error),
      });
      if (response.headersSent) {
        response.destroy();
      } else {
        sendText(request, response, 500, 'The request failed inside Jobwatch; its log has the details.\n');
      }
    });
  };
  const server = options.tls ? createHttps(options.tls, handle) : createHttp(handle);
  server.maxConnections = connectionsAtMost();
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(cannotListen(options.listen, error)));
    server.listen(port, host, resolve);
  });
  return () =>
    new Promise((resolve) => {
      feed.close();
      server.close(() => resolve());
      server.closeIdleConnections();
      // Scrapes in flight are answered; nobody waits longer than a scrape may take.
      setTimeout(() => server.closeAllConnections(), CLOSE_SECONDS * 1000).unref();
    });
}

/**
 * Half of the descriptors that this process may open: with all of them taken, a connection that waits is offered again and
 * again, which takes a whole core, and Redis cannot be reached anew.
 */
function connectionsAtMost(): number {
  try {
    const limit = Number(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]);
    return limit > 0 ? Math.min(MOST_CONNECTIONS, Math.floor(limit / 2)) : MOST_CONNECTIONS;
  } catch {
    return MOST_CONNECTIONS;
  }
}

function cannotListen(address: string, error: NodeJS.ErrnoException): Fault {
  return new Fault({
    kind: 'settings',
    message: `Cannot listen at ${address}: ${error.code === 'EADDRINUSE' ? 'the port is taken' : error.message}.`,
    remedy: 'Choose another address, or stop what listens there.',
    cause: error,
  });
}

/** `//x` is a path here, not a host. */
function urlOf({ url = '/' }: IncomingMessage): URL {
  return new URL(`http://exporter${url.startsWith('/') ? url : `/${url}`}`);
}

async function answer(
  options: ExporterOptions,
  feed: Feed,
  request: IncomingMessage,
  response: ServerResponse
): Promise<void> {
  const url = urlOf(request);
  if (url.pathname === MCP_PATH && options.mcp) {
    if (mayAsk(options, request, response) && mayAskMcp(options, request, response)) {
      await options.mcp(request, response);
    }
    return;
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    sendText(request, response, 405, 'Use GET.\n');
    return;
  }
  if (url.pathname === '/-/healthy') {
    sendText(request, response, 200, 'Jobwatch is healthy.\n');
    return;
  }
  if (url.pathname === '/-/ready') {
    await answerReady(options.source, request, response);
    return;
  }
  if (!mayAsk(options, request, response)) {
    return;
  }
  if (options.only === 'statsd') {
    answerStatsd(options.source, url.pathname, request, response);
  } else if (url.pathname === options.path || METRICS_PATHS.some((path) => path === url.pathname)) {
    await answerScrape(options.source, request, response);
  } else if (url.pathname === '/probe') {
    await answerProbe(options, url.searchParams.get('target') ?? '', request, response);
  } else if (url.pathname === '/sd') {
    const body = JSON.stringify(
      discoveredTargets(options.targets?.keys() ?? [], request.headers.host ?? options.listen)
    );
    send(request, response, 200, { contentType: 'application/json', body });
  } else if (url.pathname === '/page.json') {
    await answerPast(options.source, feed, url.searchParams.get('at') ?? '', request, response);
  } else if (url.pathname === '/what-if.json') {
    await answerWhatIf(options.source, feed, url.searchParams, request, response);
  } else if (url.pathname === '/events') {
    answerEvents(feed, request, response);
  } else if (PAGE_FILES.has(url.pathname)) {
    Object.entries(PAGE_HEADERS).forEach(([name, value]) => response.setHeader(name, value));
    send(request, response, 200, PAGE_FILES.get(url.pathname)!);
  } else {
    sendText(
      request,
      response,
      404,
      `Nothing here. There are: /, ${METRICS_PATHS.join(', ')}, /probe, /sd, /-/healthy, /-/ready.\n`
    );
  }
}

function answerStatsd(source: Source, path: string, request: IncomingMessage, response: ServerResponse): void {
  if (path !== '/metrics') {
    sendText(request, response, 404, 'Nothing here. There are: /metrics, /-/healthy, /-/ready.\n');
    return;
  }
  send(request, response, 200, scrapeStatsd(source, request.headers.accept ?? ''));
}

async function answerReady(source: Source, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const { snapshot } = await stateWithin(READY_SECONDS, source, {
      span: `${READY_SECONDS} s`,
      remedy: 'Check whether Redis is blocked by a slow command (SLOWLOG GET).',
    });
    if (snapshot.hasSidekiq === true) {
      sendText(request, response, 200, 'Redis answers.\n');
    } else {
      const { address } = source;
      const text = snapshot.hasSidekiq === false ? noSidekiq(address) : 'Neither queues nor processes may be read.';
      sendText(request, response, 503, `${text}\n`);
    }
  } catch (error) {
    sendText(request, response, 503, `${error instanceof Fault ? error.explanation : String(error)}\n`);
  }
}

async function answerProbe(
  options: ExporterOptions,
  name: string,
  request: IncomingMessage,
  response: ServerResponse
): Promise<void> {
  const target = options.targets?.get(name);
  if (!target) {
    const known =
      [...(options.targets?.keys() ?? [])].join(', ') || 'none; name them under "targets" in the configuration file';
    sendText(request, response, 404, `There is no target "${name}". There are: ${known}.\n`);
    return;
  }
  await answerScrape(target, request, response);
}

async function answerScrape(source: Source, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const asked = Number(request.headers['x-prometheus-scrape-timeout-seconds']);
  const seconds =
    asked > TIMEOUT_MARGIN_SECONDS
      ? Math.min(asked - TIMEOUT_MARGIN_SECONDS, LONGEST_SCRAPE_SECONDS)
      : DEFAULT_SCRAPE_SECONDS;
  send(request, response, 200, await scrape(source, request.headers.accept ?? '', seconds));
}
