import { Fault } from '../faults/fault';

/** A host and a TCP or UDP port. */
export interface Endpoint {
  host: string;
  port: number;
}

/**
 * Reads `host:port`; IPv6 hosts stand in brackets (`[::1]:9125`), spaces around are ignored.
 *
 * @throws Fault `settings` that names the field, the value as it was given and the expected form.
 */
export function parseEndpoint(field: string, value: string): Endpoint {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]/@]+)):(\d{1,5})$/.exec(value.trim());
  const port = Number(match?.[3]);
  if (!match || port < 1 || port > 65535) {
    throw new Fault({
      kind: 'settings',
      message: `${field} invalid format, expected host:port, got: "${value}".`,
      remedy: 'Give a host and a port between 1 and 65535, for example 127.0.0.1:9125.',
    });
  }
  return { host: match[1] ?? match[2] ?? '', port };
}

/** The parts of a comma separated text, without spaces around and without empty ones. */
export function commaSeparated(value: string): string[] {
  return value
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** Reads a comma separated list of `host:port`. @throws Fault `settings` that names the entry and repeats nothing of it */
export function parseEndpoints(field: string, value: string): Endpoint[] {
  const parts = commaSeparated(value);
  if (parts.length === 0) {
    throw new Fault({
      kind: 'settings',
      message: `The setting "${field}" is empty.`,
      remedy: 'Name at least one host:port.',
    });
  }
  return parts.map((part, index) => {
    try {
      return parseEndpoint(field, part);
    } catch {
      // What was typed may be a URL with a password in it.
      throw new Fault({
        kind: 'settings',
        message: `Entry ${index + 1} of the setting "${field}" is not host:port.`,
        remedy:
          'Give a host and a port between 1 and 65535 each, comma separated; users and passwords have settings of their own.',
      });
    }
  });
}

/** A unix datagram socket instead of `host:port`, where a setting takes one. */
export const UNIX_PREFIX = /^unix(?:gram)?:\/\//;

/** What is wrong with a comma separated list of addresses to listen at, or `undefined`; empty is fine. */
export function listenProblem(field: string, value: string): string | undefined {
  if (value.trim() === '') {
    return undefined;
  }
  try {
    value
      .split(',')
      .filter((address) => !UNIX_PREFIX.test(address.trim()))
      .forEach((address) => parseEndpoint(field, address));
    return undefined;
  } catch (error) {
    return (error as Fault).explanation;
  }
}
