import { readFileSync } from 'node:fs';
import { parse as parseYaml, YAMLParseError } from 'yaml';
import { Fault } from '../faults/fault';

/** The names and values of a YAML file; nothing where none is named. @throws Fault `settings` */
export function readConfigFile(path: string | undefined): Record<string, unknown> {
  if (!path) {
    return {};
  }
  let content: unknown;
  try {
    content = parseYaml(readFileSync(path, 'utf8'));
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

/** Where the mistake is; the parser's own message repeats the line, which may hold a password. */
function yamlProblem(error: unknown): string {
  if (!(error instanceof YAMLParseError)) {
    return (error as NodeJS.ErrnoException).code ?? 'unknown error';
  }
  const { line, col } = error.linePos?.[0] ?? {};
  return line === undefined ? error.code : `${error.code} in line ${line}, column ${col}`;
}
