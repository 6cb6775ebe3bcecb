import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Redis } from 'ioredis';

const DATA = join(__dirname, '../cases/data');

/** Loads a case of tests/cases/data into Redis. @param now the epoch seconds that `{{now}}` stands for */
export async function loadCase(redis: Redis, name: string, now: number): Promise<void> {
  const text = readFileSync(join(DATA, `${name}.redis`), 'utf8');
  for (const line of expand(text, now).split('\n').filter(Boolean)) {
    const [command, ...args] = words(line);
    await redis.call(command!.toString(), ...args);
  }
}

function expand(text: string, now: number): string {
  return text
    .replace(/\{\{([a-z]+)([+-]\d+)?\}\}/g, (_, form: keyof typeof FORMS, offset = '0') =>
      FORMS[form](now, Number(offset))
    )
    .replace(/\{\{([a-z]+)@(\d+)([+-])(\d\d)(\d\d)\}\}/g, (_, form: string, hour, sign, hours, minutes) => {
      const ahead = (sign === '-' ? -1 : 1) * (Number(hours) * 3600 + Number(minutes) * 60);
      const at = clockAt(form, now, Number(hour), ahead);
      if (form === 'lastepoch') {
        return String(at);
      }
      return form === 'lastcron'
        ? FORMS.cron(at, 0)
        : `${FORMS.cron(at, ahead).slice(0, 19)} ${sign}${hours}${minutes}`;
    });
}

/** `{{last@9+0900}}` is the latest 09:00 by clocks nine hours ahead, `{{next@…}}` the one after it. Epoch seconds. */
export function clockAt(form: string, now: number, hour: number, ahead: number): number {
  const today = Math.floor((now + ahead) / 86_400) * 86_400 + hour * 3600 - ahead;
  const last = today > now ? today - 86_400 : today;
  return form === 'next' ? last + 86_400 : last;
}

// The names of keys are written here anew: a test must not take them from the code that it tests.
const FORMS = {
  now: (now: number, offset: number) => String(now + offset),
  nowint: (now: number, offset: number) => String(Math.floor(now) + offset),
  nowms: (now: number, offset: number) => String(Math.floor(now * 1000) + offset),
  iso: (now: number, offset: number) => iso(now + offset),
  cron: (now: number, offset: number) =>
    `${iso(now + offset)
      .slice(0, 19)
      .replace('T', ' ')} +0000`,
  day: (now: number, offset: number) => iso(now + offset).slice(0, 10),
  minute: (now: number, offset: number) => {
    const time = iso(now + offset);
    return `j|${time.slice(2, 10).replaceAll('-', '')}|${Number(time.slice(11, 13))}:${time.slice(14, 16)}`;
  },
  oldminute: (now: number, offset: number) => {
    const time = iso(now + offset);
    return `j|${time.slice(0, 10).replaceAll('-', '')}|${Number(time.slice(11, 13))}:${Number(time.slice(14, 16))}`;
  },
};

function iso(epochSeconds: number): string {
  return new Date(epochSeconds * 1000).toISOString();
}

/** Splits a line as redis-cli does: words, or text in double quotes with its escapes. */
function words(line: string): Buffer[] {
  return [...line.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(([, quoted, bare]) =>
    quoted === undefined ? Buffer.from(bare!) : unescaped(quoted)
  );
}

const ESCAPES: Record<string, string> = { n: '\n', r: '\r', t: '\t', b: '\b', a: '\x07' };

function unescaped(text: string): Buffer {
  const pieces = text.match(/\\x[0-9a-f]{2}|\\.|[^\\]+/gi) ?? [];
  return Buffer.concat(
    pieces.map((piece) => {
      if (/^\\x/i.test(piece)) {
        return Buffer.from(piece.slice(2), 'hex');
      }
      return Buffer.from(piece.startsWith('\\') ? (ESCAPES[piece[1]!] ?? piece[1]!) : piece);
    })
  );
}
