import { createHmac, randomBytes } from 'node:crypto';
import type { Block } from '../series/blockStore';
import { Turns } from '../turns';
import { compressed, finalTextOf, linesOf } from './block';

/** Members that hold no name of the application, and whose values the code knows by heart. */
const KEPT = new Set([
  'severity',
  'kind',
  'source',
  'mode',
  'shapes',
  'info',
  'refused',
  'schedule',
  'rule',
  'gem',
  'place',
  'scope',
  'figure',
  'basis',
]);
/** Members that may hold anything: they are left out. */
const EMPTIED = new Set(['message', 'frame']);
/** Values that the code knows by heart, where members have no names. */
const KEPT_VALUES = new Set(['', 'new', 'old', 'done', 'Redis', 'Sidekiq']);
const words = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/));
/** Namespaces of Ruby and of libraries that many use. */
const LIBRARIES = words(
  `Net Timeout Errno IO OpenSSL Zlib JSON URI Resolv Encoding PG Mysql2 SQLite3 Mongo Redis RedisClient Sidekiq Faraday HTTP
   HTTParty RestClient Excon Typhoeus ActiveRecord ActiveJob ActiveModel ActiveStorage ActiveSupport ActionMailer ActionView`
);
/** Errors of Ruby's own. */
const OF_RUBY = words(
  `StandardError RuntimeError ArgumentError NoMethodError NameError TypeError KeyError IndexError RangeError StopIteration
   FrozenError RegexpError ZeroDivisionError FloatDomainError IOError EOFError SocketError ThreadError FiberError LoadError
   NotImplementedError NoMemoryError SystemStackError SecurityError SignalException Interrupt SystemExit Exception`
);
/** Of Sidekiq and Redis; a process may write anything as its version. */
const VERSION = /^\d+(?:\.[\da-z]{1,8}){0,4}$/;
/** Host, process number and a random part, as Sidekiq names its processes. */
const IDENTITY = /^(.+):(\d+):([0-9a-f]+)$/;
const HASH_LENGTH = 10;

/** Rewrites recorded blocks so that they can be handed to others. */
export interface HashedNames {
  block(block: Block): Promise<Block>;
}

/**
 * Replaces every name (hosts, queues, classes, tags, entries, ids) by a hash, the same for the same name within one
 * recording, and errors but those of Ruby and of common libraries; what holds free text (messages, notices, titles) is left
 * out. The key of the hash is random and kept nowhere, so that names cannot be guessed from it.
 */
export function hashedNames(): HashedNames {
  const key = randomBytes(32);
  const known = new Map<string, string>();
  const hashed = (name: string): string => {
    let hash = known.get(name);
    if (hash === undefined) {
      hash = `n${createHmac('sha256', key).update(name).digest('hex').slice(0, HASH_LENGTH)}`;
      known.set(name, hash);
    }
    return hash;
  };
  const textOf = (text: string): string => {
    if (KEPT_VALUES.has(text)) {
      return text;
    }
    if (text.includes('\0')) {
      return text.split('\0').map(textOf).join('\0');
    }
    const identity = IDENTITY.exec(text);
    return identity ? `${hashed(identity[1]!)}:${identity[2]}:${identity[3]}` : hashed(text);
  };
  const rewritten = (value: unknown, name = ''): unknown => {
    if (KEPT.has(name)) {
      // Of a class the shapes of its minutes are told beside it.
      return name === 'shapes' ? pairsOf(value).map(([jobClass, shapes]) => [textOf(jobClass), shapes]) : value;
    }
    if (name === 'version' && typeof value === 'string' && VERSION.test(value)) {
      return value;
    }
    if (name === 'errorClass' && typeof value === 'string' && isKnownError(value)) {
      return value;
    }
    if (typeof value === 'string') {
      return EMPTIED.has(name) ? '' : textOf(value);
    }
    if (Array.isArray(value)) {
      return name === 'notices' ? [] : value.map((each) => rewritten(each));
    }
    if (typeof value !== 'object' || value === null) {
      return value;
    }
    const members = Object.entries(value).map(([member, each]) => [member, rewritten(each, member)] as const);
    const object = Object.fromEntries(members);
    // The title of an event repeats its process, the sentence of a finding its subject.
    const text = `${String(object['rule'])}: ${String(object['subject'])}`;
    const worst = object['worst'] as object | null | undefined;
    return {
      ...object,
      ...('title' in object && { title: object['kind'] }),
      ...('rule' in object && 'text' in object && { text, ...(worst && { worst: { ...worst, text } }) }),
    };
  };
  const lineOf = (line: string) => JSON.stringify(rewritten(JSON.parse(line)));
  return {
    async block(block) {
      const turns = new Turns();
      const lines: string[] = [];
      for (const line of await linesOf(block)) {
        lines.push(lineOf(line));
        await turns.give();
      }
      return {
        ...block,
        body: await compressed(lines.join('\n')),
        minutes: await compressed(lineOf(await finalTextOf(block))),
      };
    },
  };
}

function isKnownError(name: string): boolean {
  const [first = ''] = name.split('::');
  return first === name ? OF_RUBY.has(name) : LIBRARIES.has(first);
}

function pairsOf(value: unknown): Array<[string, unknown]> {
  return value as Array<[string, unknown]>;
}
