import { createSocket } from 'node:dgram';
import type { Endpoint } from '../settings/endpoint';
import type { JobClass, SidekiqVersion } from './workload';

/** Sends what Sidekiq Pro's middleware sends of one execution, under Lago's namespace. */
export interface ProReporter {
  report(jobClass: JobClass, seconds: number, error: string | undefined): void;
  close(): void;
}

/** Reports to a DogStatsD receiver by UDP, in the names of Pro 7 or of Pro 8. */
export function startProReporter({ host, port }: Endpoint, version: SidekiqVersion): ProReporter {
  const socket = createSocket('udp4');
  // Nobody may listen yet: a datagram that is not taken is lost, as with Sidekiq Pro.
  socket.on('error', () => undefined);
  const names = version.startsWith('7') ? 'lago-api' : 'lago-api.sidekiq';
  return {
    report({ name, queue }, seconds, error) {
      const tags = `#env:demo,service:sidekiq,queue:${queue},worker:${name}`;
      const lines = [
        `${names}.jobs.count:1|c|${tags}`,
        error === undefined
          ? `${names}.jobs.success:1|c|${tags}`
          : `${names}.jobs.failure:1|c|${tags},error_type:${error}`,
      ];
      // Since Pro 8.0.2 failed executions have no duration.
      if (error === undefined || version.startsWith('7')) {
        lines.push(`${names}.jobs.perform:${(seconds * 1000).toFixed(3)}|ms|${tags}`);
      }
      socket.send(lines.join('\n'), port, host);
    },
    close: () => socket.close(),
  };
}
