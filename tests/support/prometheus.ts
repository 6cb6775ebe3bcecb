import { spawn, type ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from './redisServer';

/** A Prometheus of a test's own; it keeps its data in the given folder and is killed by the test. */
export interface RunningPrometheus {
  url: string;
  child: ChildProcess;
}

/**
 * @param config the text of its configuration
 * @param data the folder of its database, where it is another than a new one
 */
export async function startPrometheus(
  folder: string,
  config: string,
  { data, flags = [] }: { data?: string; flags?: readonly string[] } = {}
): Promise<RunningPrometheus> {
  const port = await freePort();
  const file = join(folder, `prometheus-${port}.yml`);
  writeFileSync(file, config);
  const child = spawn(
    'prometheus',
    [
      `--config.file=${file}`,
      `--storage.tsdb.path=${data ?? join(folder, `tsdb-${port}`)}`,
      `--web.listen-address=127.0.0.1:${port}`,
      ...flags,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] }
  );
  // Read on, so that its log never fills the pipe.
  child.stderr.resume();
  return { url: `http://127.0.0.1:${port}`, child };
}
