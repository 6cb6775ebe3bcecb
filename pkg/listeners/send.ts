import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';

/** What is sent; one that is sent again is not encoded or compressed again. */
export interface Content {
  contentType: string;
  body: string;
}

const encoded = new WeakMap<Content, { plain: Buffer; gzip?: Buffer }>();

/** Answers a request, compressed where it takes that. */
export function send(request: IncomingMessage, response: ServerResponse, status: number, content: Content): void {
  const { contentType, body } = content;
  const known = encoded.get(content) ?? { plain: Buffer.from(body) };
  encoded.set(content, known);
  const zipped = known.plain.length > 1024 && acceptsGzip(String(request.headers['accept-encoding'] ?? ''));
  const bytes = zipped ? (known.gzip ??= gzipSync(known.plain, { level: 1 })) : known.plain;
  response.writeHead(status, {
    'Content-Type': contentType,
    'Content-Length': bytes.length,
    'Cache-Control': 'no-cache',
    ...(zipped && { 'Content-Encoding': 'gzip' }),
  });
  response.end(request.method === 'HEAD' ? undefined : bytes);
}

export function sendText(request: IncomingMessage, response: ServerResponse, status: number, body: string): void {
  send(request, response, status, { contentType: 'text/plain', body });
}

/** `gzip;q=0` refuses it (RFC 9110, 12.5.3). */
function acceptsGzip(header: string): boolean {
  return header.split(',').some((coding) => /^\s*(?:gzip|\*)\s*(?:;\s*q=(?!0(?:\.0*)?\s*$).*)?$/.test(coding));
}
