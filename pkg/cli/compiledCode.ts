import { existsSync } from 'node:fs';

/** Node.js 22 and Bun have it; the types of Node.js 20 do not. */
interface Restartable {
  execve?: (file: string, args: readonly string[], env: NodeJS.ProcessEnv) => never;
}

/** JavaScriptCore's option, which Bun reads from the environment. */
const KEEP = 'BUN_JSC_forceCodeBlockLiveness';

/**
 * Keeps the code that was compiled for as long as the process lives. JavaScriptCore drops what is older than a minute
 * whenever it collects garbage; a scrape every 15 s would run interpreted code for the most part.
 *
 * The option is read when the runtime starts. Where it is not given, the process starts once more in its own place
 * (`execve`: the same process ID, files and signals), and this does not return. Elsewhere, such as on Windows, nothing
 * happens.
 */
export function keepCompiledCode(env: NodeJS.ProcessEnv): void {
  const { execve } = process as Restartable;
  const [, script = '', ...args] = process.argv;
  // The script of an executable lies within it.
  if (execve && script.startsWith('/$bunfs/') && env[KEEP] === undefined && existsSync(process.execPath)) {
    try {
      // Lists of processes go on with the name by which it was started.
      execve.call(process, process.execPath, [process.argv0, ...args], { ...env, [KEEP]: 'true' });
    } catch {
      // A sandbox may refuse it; scrapes then take longer.
    }
  }
}
