import { readFileSync } from 'node:fs';
import { isScalar, parseDocument, visit, YAMLParseError } from 'yaml';
import { Fault } from '../faults/fault';
import { TEXT_NAMES } from '../settings/environment';

/** The names and values of a YAML file; nothing where none is named. @throws Fault `settings` */
export function readConfigFile(path: string | undefined): Record<string, unknown> {
  if (!path) {
    return {};
  }
  let content: unknown;
  try {
    content = valuesOf(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new Fault({
      kind: 'settings',
      message: `The configuration file ${path} cannot be read: ${yamlProblem(error)}.`,
      remedy: 'Check the path and its YAML.',
    });
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw new Fault({
      kind: 'settings',
      message: `The configuration file ${path} holds no settings.`,
      remedy: 'Write "name: value" lines.',
    });
  }
  return content as Record<string, unknown>;
}

/** A password of digits is text, as it is written: YAML would make a number of it. */
function valuesOf(text: string): unknown {
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error) {
    throw error;
  }
  visit(document, {
    Pair(_, { key, value }) {
      const isText = isScalar(key) && TEXT_NAMES.has(String(key.value));
      if (isText && isScalar(value) && typeof value.value !== 'string' && value.value !== null) {
        value.value = value.source;
      }
    },
  });
  return document.toJS();
}

/** Where the mistake is; the parser's own message repeats the line, which may hold a password. */
function yamlProblem(error: unknown): string {
  if (!(error instanceof YAMLParseError)) {
    return (error as NodeJS.ErrnoException).code ?? 'unknown error';
  }
  const { line, col } = error.linePos?.[0] ?? {};
  return line === undefined ? error.code : `${error.code} in line ${line}, column ${col}`;
}
