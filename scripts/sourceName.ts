import path from 'node:path';

/**
 * The name of a source in the source map: relative to src, as Grafana's plugin-validator compares it with the repository.
 * webpack names ES modules of packages by an absolute path of the machine that builds.
 */
export function sourceName({ namespace, resourcePath }: { namespace: string; resourcePath: string }): string {
  const file = resourcePath.split('|').at(-1) ?? resourcePath;
  const named = path.isAbsolute(file) ? path.relative(path.resolve('src'), file) : file;
  return `webpack://${namespace}/${named.includes(' lazy ') ? `webpack/${named}` : named}`;
}
