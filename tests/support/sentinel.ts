import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { vi } from 'vitest';
import { freePort } from './redisServer';

/** A Sentinel of a test's own, which watches one master by the name `mymaster`. */
export interface Sentinel {
  port: number;
  /** Resolves once it names the server of this port as the master. */
  names(port: number): Promise<void>;
  stop(): void;
}

/** Starts a Sentinel and waits until it knows the master's only replica. */
export async function startSentinel(masterPort: number): Promise<Sentinel> {
  const folder = mkdtempSync(join(tmpdir(), 'jobwatch-sentinel-'));
  const port = await freePort();
  const file = join(folder, 'sentinel.conf');
  writeFileSync(
    file,
    `port ${port}\nbind 127.0.0.1\ndir ${folder}\nsentinel monitor mymaster 127.0.0.1 ${masterPort} 1\n` +
      'sentinel down-after-milliseconds mymaster 300\nsentinel failover-timeout mymaster 2000\n'
  );
  const child = spawn('redis-server', [file, '--sentinel'], { stdio: 'ignore' });
  const asked = new Redis({ port, host: '127.0.0.1', retryStrategy: () => 50 });
  asked.on('error', () => undefined);
  const until = (command: string, test: (reply: unknown) => boolean) =>
    vi.waitUntil(async () => test(await asked.call('SENTINEL', command, 'mymaster')), {
      timeout: 30_000,
      interval: 50,
    });
  await until('replicas', (reply) => (reply as unknown[]).length === 1);
  return {
    port,
    names: async (named) => {
      await until('get-master-addr-by-name', (reply) => (reply as string[])[1] === String(named));
    },
    stop() {
      asked.disconnect();
      child.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
