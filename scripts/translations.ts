import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { globSync } from 'glob';
import ts from 'typescript';
import { QUERY_GROUPS } from '../pkg/queries/queryType';
import { QUERY_TYPES } from '../pkg/queries/registry';
import { groupKey, typeKeys } from '../src/catalogTexts';

interface Texts {
  [key: string]: string | Texts;
}

/**
 * The English texts of the frontend, as Grafana loads translations: nested by the parts of their keys. Those of the
 * forms are the second argument of `t()` in the source, those of query types come from the query types.
 *
 * @throws Error where a call cannot be read, or one key has two texts
 */
export function englishTexts(root: string): Texts {
  const texts = new Map<string, string>();
  const add = (key: string, text: string) => {
    if ((texts.get(key) ?? text) !== text) {
      throw new Error(`The key ${key} has two texts: “${texts.get(key)}” and “${text}”.`);
    }
    texts.set(key, text);
  };
  for (const path of globSync('src/**/*.{ts,tsx}', { cwd: root }).sort()) {
    textsOf(path, readFileSync(join(root, path), 'utf8')).forEach(([key, text]) => add(key, text));
  }
  for (const group of QUERY_GROUPS) {
    add(groupKey(group), group);
  }
  for (const { id, title, description } of QUERY_TYPES) {
    const keys = typeKeys(id);
    add(keys.title, title);
    add(keys.description, description);
  }
  return nested([...texts].sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** Key and text of each `t('key', 'text')`; `defaultValue_one` is the text for one. */
function textsOf(path: string, source: string): Array<[string, string]> {
  const found: Array<[string, string]> = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === 't') {
      const [key, text, values] = node.arguments;
      // A key that is computed is one of the catalogue's.
      if (key && ts.isStringLiteralLike(key)) {
        if (!text || !ts.isStringLiteralLike(text)) {
          throw new Error(`${path}: t('${key.text}') needs its English text as a literal.`);
        }
        const one = values && ts.isObjectLiteralExpression(values) ? literalOf(values, 'defaultValue_one') : undefined;
        found.push(
          ...(one === undefined
            ? [[key.text, text.text] as [string, string]]
            : [[`${key.text}_one`, one] as [string, string], [`${key.text}_other`, text.text] as [string, string]])
        );
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(path, source, ts.ScriptTarget.Latest, false, ts.ScriptKind.TSX));
  return found;
}

function literalOf(values: ts.ObjectLiteralExpression, name: string): string | undefined {
  for (const property of values.properties) {
    if (
      ts.isPropertyAssignment(property) &&
      ts.isIdentifier(property.name) &&
      property.name.text === name &&
      ts.isStringLiteralLike(property.initializer)
    ) {
      return property.initializer.text;
    }
  }
  return undefined;
}

function nested(entries: Array<[string, string]>): Texts {
  const root: Texts = {};
  for (const [key, text] of entries) {
    const parts = key.split('.');
    const last = parts.pop()!;
    let place = root;
    for (const part of parts) {
      const next = (place[part] ??= {});
      if (typeof next === 'string') {
        throw new Error(`The key ${key} lies below a text.`);
      }
      place = next;
    }
    place[last] = text;
  }
  return root;
}
