import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import { isLoopback } from '../settings/administration';
import { parseEndpoint } from '../settings/endpoint';
import { sendText } from './send';

/** What decides who is answered. */
export interface Access {
  /** `host:port` that is listened at. */
  readonly listen: string;
  /** A bearer token, or that as a basic password. */
  readonly token?: string;
}

/** Whether the sender of a request may be answered; who may not is told so. */
export function mayAsk({ token, listen }: Access, request: IncomingMessage, response: ServerResponse): boolean {
  if (!token && !isOwnName(request.headers.host, listen)) {
    sendText(
      request,
      response,
      403,
      'The Host header names another host than localhost. Set a token (exporterToken) to serve other names.\n'
    );
    return false;
  }
  if (token && !authorised(token, request.headers.authorization)) {
    response.setHeader('WWW-Authenticate', 'Bearer, Basic realm="jobwatch"');
    sendText(request, response, 401, 'A bearer token, or the token as basic password, is needed.\n');
    return false;
  }
  return true;
}

/** Beyond this host every query is answered to those alone who have the token, though metrics may be open. */
export function mayAskMcp({ token, listen }: Access, request: IncomingMessage, response: ServerResponse): boolean {
  const may = token !== undefined || isLoopback(parseEndpoint('listen', listen).host);
  if (!may) {
    sendText(request, response, 403, 'Set a token (exporterToken) to serve /mcp beyond this host.\n');
  }
  return may;
}

/**
 * Whether a request means this listener. What listens on this host alone, and asks for no token, can be reached by the
 * page of a stranger whose name was made to resolve to this host (DNS rebinding); the browser tells that name. A name
 * of one label is of this network, such as that of a container: nobody owns one in the public DNS.
 */
function isOwnName(header: string | undefined, listen: string): boolean {
  const { host } = parseEndpoint('listen', listen);
  const name = (header ?? 'localhost')
    .replace(/:\d*$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .toLowerCase();
  return !isLoopback(host) || isIP(name) !== 0 || name === host || /^[^.]+$/.test(name) || name.endsWith('.localhost');
}

function authorised(token: string, header = ''): boolean {
  const [scheme = '', value = ''] = header.split(' ');
  if (/^bearer$/i.test(scheme)) {
    return same(value, token);
  }
  const password = Buffer.from(value, 'base64').toString('utf8').split(':').slice(1).join(':');
  return /^basic$/i.test(scheme) && same(password, token);
}

function same(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
