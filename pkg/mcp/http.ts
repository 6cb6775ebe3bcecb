import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { mcpServer } from './server';
import type { Sources } from './tools';

/** Bytes of a request: a query with a ScaledObject of KEDA has some kilobytes. */
const BODY_BYTES = 256 * 1024;
const BODY_SECONDS = 10;
/** Requests that are answered at once; a language model asks one after the other. */
const AT_ONCE = 8;
/** Requests that are received at once: a slow sender takes no place from those that are answered. */
const RECEIVED_AT_ONCE = 64;

/**
 * Answers requests of the Streamable HTTP transport without sessions: each POST is answered by one JSON, so that nothing is
 * kept between requests. Calls may overlap, {@link AT_ONCE} of them.
 *
 * @returns a handler for one path; who may ask is for the caller to say
 */
export function mcpOverHttp(sources: Sources) {
  const receiving = { most: RECEIVED_AT_ONCE, count: 0 };
  const answering = { most: AT_ONCE, count: 0 };
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { origin, host } = request.headers;
    if (request.method !== 'POST') {
      response.setHeader('Allow', 'POST');
      refuse(response, 405, 'Use POST.');
    } else if (origin !== undefined && hostOf(origin) !== host) {
      // A page of another site must not ask by the browser of somebody who may.
      refuse(response, 403, 'The Origin header names another site.');
    } else {
      const body = await inPlace(receiving, response, () => bodyOf(request));
      if (typeof body === 'string') {
        await inPlace(answering, response, () => answer(sources, request, response, body));
      } else if (body) {
        response.setHeader('Connection', 'close');
        refuse(response, body.status, body.message);
      }
    }
  };
}

/** Does work where fewer than the most are at it, and refuses the request else. */
async function inPlace<T>(
  places: { readonly most: number; count: number },
  response: ServerResponse,
  work: () => Promise<T>
): Promise<T | null> {
  if (places.count >= places.most) {
    response.setHeader('Retry-After', '1');
    refuse(response, 503, 'Too many requests at once; try again.');
    return null;
  }
  places.count += 1;
  try {
    return await work();
  } finally {
    places.count -= 1;
  }
}

async function answer(
  sources: Sources,
  request: IncomingMessage,
  response: ServerResponse,
  body: string
): Promise<void> {
  const message = parsed(body);
  if (typeof message !== 'object' || message === null || Array.isArray(message)) {
    refuse(response, 400, 'The request is not one JSON-RPC message.');
    return;
  }
  const server = mcpServer(sources);
  // Without a session id the transport keeps none.
  const transport = new StreamableHTTPServerTransport({ enableJsonResponse: true });
  // Of a client that has gone the query ends, and nothing is waited for: the transport never answers then.
  const closed = once(response, 'close').then(() => server.close());
  await server.connect(transport);
  await Promise.race([transport.handleRequest(request, response, message), closed]);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** The body, or why it is refused. */
function bodyOf(request: IncomingMessage): Promise<string | { status: number; message: string }> {
  return new Promise((resolve) => {
    const parts: Buffer[] = [];
    let bytes = 0;
    const end = (outcome: Parameters<typeof resolve>[0]) => {
      clearTimeout(late);
      request.removeAllListeners('data');
      // What still comes is dropped until the connection is closed.
      request.resume();
      resolve(outcome);
    };
    const late = setTimeout(
      () => end({ status: 408, message: `The request was not sent within ${BODY_SECONDS} s.` }),
      BODY_SECONDS * 1000
    );
    request.on('data', (part: Buffer) => {
      bytes += part.length;
      parts.push(part);
      if (bytes > BODY_BYTES) {
        end({ status: 413, message: `A request has at most ${BODY_BYTES} bytes.` });
      }
    });
    request.once('end', () => end(Buffer.concat(parts).toString('utf8')));
    // Who hangs up while sending has gone; nobody reads the answer.
    request.once('error', () => end({ status: 400, message: 'The request was not sent whole.' }));
  });
}

function hostOf(origin: string): string | null {
  try {
    return new URL(origin).host;
  } catch {
    return null;
  }
}

/** A refusal as JSON-RPC tells it. */
function refuse(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify({ jsonrpc: '2.0', error: { code: -32_000, message }, id: null }));
}
