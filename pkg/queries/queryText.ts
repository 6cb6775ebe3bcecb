import { Fault } from '../faults/fault';
import { commaSeparated } from '../settings/endpoint';
import type { Filter, FilterOperator } from './filterModel';
import type { OptionForm } from './queryType';

/** A query in the words of the command line: what `gpx_sidekiq query` takes, and what the editor shows. */

/** A stored query of any type, with the options of its type beside what all have. */
export interface WrittenQuery {
  queryType: string;
  figures?: readonly string[] | undefined;
  filters?: readonly Filter[] | undefined;
  limit?: number | undefined;
  [option: string]: unknown;
}

/** The options that a query type has, by name; `undefined` where there is no such type. */
export type OptionsOf = (queryType: string) => ReadonlyMap<string, OptionForm> | undefined;

const COMMAND = 'gpx_sidekiq query';

/** `gpx_sidekiq query queues --figures size --filter 'queue=a,b'`, quoted for a POSIX shell. */
export function queryText(query: WrittenQuery, options: ReadonlyMap<string, OptionForm>): string {
  const { queryType, figures = [], filters = [], limit } = query;
  const chosen = [...options].flatMap(([name, form]) => {
    const value = query[name];
    return value === undefined || value === '' ? [] : ['--option', `${name}=${optionText(value, form)}`];
  });
  const words = [
    ...chosen,
    ...(figures.length > 0 ? ['--figures', figures.join(',')] : []),
    ...filters
      .filter(({ values }) => values.length > 0)
      .flatMap(({ field, operator, values }) => ['--filter', `${field}${operator}${valuesText(operator, values)}`]),
    ...(limit === undefined ? [] : ['--limit', String(limit)]),
  ];
  return [COMMAND, ...[queryType, ...words].map(quoted)].join(' ');
}

/**
 * Reads the words of {@link queryText}; the command itself may be left out.
 *
 * @throws Fault `query` naming the word that cannot be read
 */
export function parseQueryText(text: string, optionsOf: OptionsOf): WrittenQuery {
  const words = wordsOf(text);
  if (words[0]?.endsWith('gpx_sidekiq')) {
    words.shift();
  }
  if (words[0] === 'query') {
    words.shift();
  }
  const queryType = words.shift() ?? '';
  const options = optionsOf(queryType);
  if (!options) {
    throw refused(`There is no query type "${queryType}".`, 'Write gpx_sidekiq query, a query type and its flags.');
  }
  const query: WrittenQuery = { queryType, figures: [], filters: [] };
  while (words.length > 0) {
    const [flag = '', inline] = split(words.shift()!);
    const value = () => {
      const given = inline ?? words.shift();
      if (given === undefined) {
        throw refused(`The flag ${flag} has no value.`, `Write a value behind ${flag}.`);
      }
      return given;
    };
    if (flag === '--figures') {
      query.figures = listOf(value()) as string[];
    } else if (flag === '--filter') {
      query.filters = [...(query.filters ?? []), parseFilter(value())];
    } else if (flag === '--limit') {
      query.limit = limitOf(value());
    } else if (flag === '--option') {
      const [name, read] = parseOption(value(), options);
      query[name] = read;
    } else if (flag !== '--json') {
      // How the answer is printed is no part of the question.
      throw refused(`The word "${flag}" cannot be read.`, 'Use --figures, --filter, --limit and --option.');
    }
  }
  return query;
}

function limitOf(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) {
    throw refused(`The limit "${text}" is no number.`, 'Write a whole number from 1, as --limit 100.');
  }
  return Number(text);
}

/** Reads `field=value`. @throws Fault `query` */
export function parseFilter(text: string): Filter {
  const match = /^(\w+)(=~|!~|!=|=)(.*)$/s.exec(text);
  if (!match) {
    throw refused(
      `The filter "${text}" cannot be read.`,
      'Write field=value, field!=value, field=~regex or field!~regex.'
    );
  }
  const [, field = '', operator = '=', value = ''] = match;
  return {
    field,
    operator: operator as FilterOperator,
    values: operator.endsWith('~') ? [value] : (jsonList(value) ?? value.split(',')),
  };
}

/** Reads `name=value`. @param known the options of the query type; @throws Fault `query` */
export function parseOption(option: string, known: ReadonlyMap<string, OptionForm>): [string, unknown] {
  const at = option.indexOf('=');
  if (at < 1) {
    throw refused(`The option "${option}" cannot be read.`, 'Write name=value.');
  }
  const name = option.slice(0, at);
  const value = option.slice(at + 1);
  const form = known.get(name);
  if (form === undefined) {
    throw refused(
      `There is no option "${name}".`,
      known.size > 0 ? `Choose from: ${[...known.keys()].join(', ')}.` : 'This query type takes no options.'
    );
  }
  return [name, form === 'text' ? value : form === 'list' ? listOf(value) : jsonOr(value)];
}

function refused(message: string, remedy: string): Fault {
  return new Fault({ kind: 'query', message, remedy });
}

function optionText(value: unknown, form: OptionForm): string {
  if (form === 'text') {
    return String(value);
  }
  const simple = form === 'list' && Array.isArray(value) && value.every((each) => isSimple(String(each)));
  return simple ? value.join(',') : JSON.stringify(value);
}

/** Several expressions are one: rows are kept by any of them. */
function valuesText(operator: FilterOperator, values: readonly string[]): string {
  if (operator.endsWith('~')) {
    return values.length === 1 ? values[0]! : values.map((value) => `(?:${value})`).join('|');
  }
  return values.every(isSimple) ? values.join(',') : JSON.stringify(values);
}

/** Whether commas part a value from its neighbours, and its beginning is taken neither for a list nor for `=~`. */
function isSimple(value: string): boolean {
  return value !== '' && !value.includes(',') && !/^[[~]/.test(value) && value.trim() === value;
}

/** A JSON list, or values separated by commas. */
function listOf(value: string): unknown {
  return value.startsWith('[') ? jsonOr(value) : commaSeparated(value);
}

/** A JSON list; `null` for anything else, as a name may begin with a bracket. */
function jsonList(value: string): string[] | null {
  const read = value.startsWith('[') ? jsonOr(value) : null;
  return Array.isArray(read) ? (read as string[]) : null;
}

/** What is no JSON is refused by the schema, which names the field. */
function jsonOr(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

function split(word: string): [flag: string, inline: string | undefined] {
  const at = word.startsWith('--') ? word.indexOf('=') : -1;
  return at < 0 ? [word, undefined] : [word.slice(0, at), word.slice(at + 1)];
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** The words of a line as a POSIX shell parts them: quotes and backslashes, nothing that would be replaced. */
function wordsOf(text: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at]!;
    if (/\s/.test(character)) {
      if (word !== undefined) {
        words.push(word);
        word = undefined;
      }
    } else if (character === "'" || character === '"') {
      const end = text.indexOf(character, at + 1);
      if (end < 0) {
        throw refused(`A quote (${character}) does not end.`, 'Close it.');
      }
      word = (word ?? '') + text.slice(at + 1, end);
      at = end;
    } else if (character === '\\' && at + 1 < text.length) {
      at += 1;
      word = (word ?? '') + text[at]!;
    } else {
      word = (word ?? '') + character;
    }
  }
  return word === undefined ? words : [...words, word];
}
