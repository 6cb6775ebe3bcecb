import { connect } from 'node:net';
import { createInterface } from 'node:readline';

/** The names of the commands that a Redis executes, and an end to the look at them. */
export interface Monitor {
  readonly seen: ReadonlySet<string>;
  close(): void;
}

/**
 * Watches a Redis by MONITOR. The client's own way fails where the first command is told in one packet with the answer to
 * MONITOR.
 */
export function startMonitor(port: number): Promise<Monitor> {
  const seen = new Set<string>();
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('MONITOR\r\n'));
    socket.on('error', reject);
    createInterface({ input: socket }).on('line', (line) => {
      const [, name] = /^\+[\d.]+ \[[^\]]*\] "([^"]*)"/.exec(line) ?? [];
      if (name !== undefined) {
        seen.add(name.toLowerCase());
      } else if (line === '+OK') {
        resolve({ seen, close: () => socket.destroy() });
      } else {
        reject(new Error(line));
      }
    });
  });
}
