import { Fault, httpStatus } from '../faults/fault';
import { checkHealth } from '../source/health';
import type { Source } from '../source/source';
import { scrape } from '../metrics/scrape';
import { metricTable } from '../metrics/table';
import { withFormLabels } from '../settings/formLabels';
import { catalog } from '../queries/catalog';
import { readValues } from '../queries/values';
import type { Instances } from './instances';
import { log } from '../log';
import type { CallResourceRequest, CallResourceResponse } from './messages';
import { VERSION } from '../version';

interface Answer {
  status: number;
  contentType: string;
  body: string;
  headers?: Record<string, string>;
}

type Handler = (source: Source, asked: URL, headers: Headers) => Promise<Answer> | Answer;

const SCRAPE_SECONDS = 9;

/** What a GET of each resource path answers. All are reads, so no other method is taken. */
const HANDLERS: Record<string, Handler> = {
  catalog: () => json(catalog()),
  values: async (source, asked) => json(await readValues(source, asked.searchParams)),
  metrics: async (source, _asked, headers) => {
    const { contentType, body } = await scrape(source, headers.get('accept') ?? '', SCRAPE_SECONDS);
    return { status: 200, contentType, body };
  },
  'metrics/metadata': ({ statsd }) =>
    json(
      metricTable(statsd.registry.namespaces).map(({ name, type, help, unit, labels, source }) => ({
        name,
        type,
        help,
        unit,
        labels,
        source,
      }))
    ),
  diagnostics: async (source) => json({ version: VERSION, ...(await checkHealth(source)) }),
};

/** Answers a resource call as an HTTP server would: by path, method and status. */
export async function callResource(instances: Instances, request: CallResourceRequest): Promise<CallResourceResponse> {
  return toResponse(await answer(instances, request));
}

async function answer(instances: Instances, request: CallResourceRequest): Promise<Answer> {
  const path = request.path.replace(/^\/+|\/+$/g, '');
  const handler = Object.hasOwn(HANDLERS, path) ? HANDLERS[path] : undefined;
  if (!handler) {
    return problem(404, `There is no resource "${path}". There are: ${Object.keys(HANDLERS).join(', ')}.`);
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return { ...problem(405, `${request.method} is not allowed here; use GET.`), headers: { Allow: 'GET, HEAD' } };
  }
  try {
    const asked = new URL(request.url || path, 'http://plugin/');
    const headers = new Headers();
    for (const [name, { values }] of Object.entries(request.headers)) {
      headers.set(name, values.join(', '));
    }
    const found = await instances.use(request.pluginContext, async (source) => handler(source, asked, headers));
    return request.method === 'HEAD' ? { ...found, body: '' } : found;
  } catch (error) {
    if (error instanceof Fault) {
      return problem(httpStatus(error), withFormLabels(error.explanation));
    }
    log('error', 'resource failed unexpectedly', { path, error: String((error as Error)?.stack ?? error) });
    return problem(500, 'The plugin failed; Grafana’s log has the details.');
  }
}

function json(value: unknown): Answer {
  return { status: 200, contentType: 'application/json', body: JSON.stringify(value) };
}

function problem(status: number, message: string): Answer {
  return { status, contentType: 'application/json', body: JSON.stringify({ message }) };
}

function toResponse({ status, contentType, body, headers }: Answer): CallResourceResponse {
  const all = { 'Content-Type': contentType, ...headers };
  return {
    code: status,
    headers: Object.fromEntries(Object.entries(all).map(([name, value]) => [name, { values: [value] }])),
    body: Buffer.from(body, 'utf8'),
  };
}
