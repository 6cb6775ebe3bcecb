import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { createInterface } from 'node:readline';
import { expect } from 'vitest';
import { parseExposition, type Exposition } from './exposition';
import { EXECUTABLE } from './plugin';
import { freePort } from './redisServer';

/** The built executable as a person starts it: `gpx_sidekiq serve`. */
export interface Serving {
  child: ChildProcess;
  url: string;
  /** Log lines so far, as they were written. */
  log: Array<Record<string, unknown>>;
  scrape(path?: string): Promise<Exposition>;
  /** Ends it as a supervisor does. @returns the exit code */
  stop(): Promise<number | null>;
}

export async function startServing(
  redisUrl: string,
  args: string[] = [],
  env: NodeJS.ProcessEnv = {},
  user: Pick<SpawnOptions, 'uid' | 'gid'> = {}
): Promise<Serving> {
  const listen = `127.0.0.1:${await freePort()}`;
  const child = spawn(EXECUTABLE, ['serve', '--listen', listen, ...args], {
    env: { PATH: process.env['PATH'], REDIS_URL: redisUrl, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
    ...user,
  });
  const log: Serving['log'] = [];
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  await new Promise<void>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`serve ended with ${code}: ${JSON.stringify(log)}`)));
    createInterface({ input: child.stderr }).on('line', (line) => {
      log.push(line.startsWith('{') ? (JSON.parse(line) as Record<string, unknown>) : { '@message': line });
      if (line.includes('serving metrics')) {
        resolve();
      }
    });
  });
  const url = `http://${listen}`;
  return {
    child,
    url,
    log,
    async scrape(path = `${url}/metrics`) {
      const answer = await fetch(path);
      expect(answer.status).toBe(200);
      return parseExposition(await answer.text());
    },
    stop() {
      child.kill('SIGTERM');
      return exited;
    },
  };
}
