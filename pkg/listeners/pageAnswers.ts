import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Source } from '../source/source';
import type { Feed } from '../web/feed';
import { send, sendText } from './send';

/** The page as of an instant. */
export async function answerPast(
  source: Source,
  feed: Feed,
  at: string,
  request: IncomingMessage,
  response: ServerResponse
): Promise<void> {
  const asOf = instantOf(at, source);
  if (asOf === undefined) {
    sendText(request, response, 400, NO_INSTANT);
    return;
  }
  sendAnswer(request, response, await feed.past(asOf));
}

/** A simulation of the last hour; it ends with the connection of who asked. */
export async function answerWhatIf(
  source: Source,
  feed: Feed,
  parameters: URLSearchParams,
  request: IncomingMessage,
  response: ServerResponse
): Promise<void> {
  const at = parameters.get('at');
  const asOf = at === null ? undefined : instantOf(at, source);
  if (at !== null && asOf === undefined) {
    sendText(request, response, 400, NO_INSTANT);
    return;
  }
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  const asked = { traffic: parameters.getAll('traffic'), threads: parameters.getAll('threads') };
  try {
    const answer = await feed.whatIf({ ...asked, ...(asOf !== undefined && { asOf }) }, gone.signal);
    sendAnswer(request, response, answer);
  } catch (error) {
    if (!gone.signal.aborted) {
      throw error;
    }
  }
}

const NO_INSTANT = 'The parameter "at" is no instant. Give epoch seconds.\n';

/** Epoch seconds, at the latest now; `undefined` for a text that is none. */
function instantOf(text: string, source: Source): number | undefined {
  return /^\d{1,12}(?:\.\d{1,9})?$/.test(text) ? Math.min(Number(text), source.now()) : undefined;
}

function sendAnswer(request: IncomingMessage, response: ServerResponse, body: string | undefined): void {
  if (body === undefined) {
    response.setHeader('Retry-After', '1');
    sendText(request, response, 503, 'Too many ask at once; try again.\n');
    return;
  }
  response.setHeader('Cache-Control', 'no-store');
  send(request, response, 200, { contentType: 'application/json', body });
}

/** The page's stream. */
export function answerEvents(feed: Feed, request: IncomingMessage, response: ServerResponse): void {
  if (request.method === 'HEAD') {
    sendText(request, response, 405, 'Use GET.\n');
  } else if (!feed.watch(response)) {
    response.setHeader('Retry-After', '30');
    sendText(request, response, 503, 'The page is open too many times; try again later.\n');
  }
}
