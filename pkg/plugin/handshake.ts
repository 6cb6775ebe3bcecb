import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { log } from '../log';
import { createServer, listen } from './server';

/** What Grafana sets to tell a plugin from a person at a terminal (hashicorp/go-plugin, "magic cookie"). */
export function startedByGrafana(env: NodeJS.ProcessEnv): boolean {
  return env['grafana_plugin_type'] === 'datasource';
}

const CORE_PROTOCOL = 1;
const PLUGIN_PROTOCOL = 2;
const PARENT_CHECK_MS = 2000;

/**
 * Serves the plugin: binds, prints go-plugin's one handshake line on stdout (`1|2|unix|/path|grpc`) and
 * nothing there afterwards, and ends on Shutdown or SIGTERM with connections closed and the socket removed.
 */
export async function servePlugin(env: NodeJS.ProcessEnv): Promise<void> {
  const refusal = refuse(env);
  if (refusal !== undefined) {
    log('error', refusal);
    process.exitCode = 1;
    return;
  }
  const socketDir =
    process.platform === 'win32'
      ? undefined
      : mkdtempSync(join(env['PLUGIN_UNIX_SOCKET_DIR'] || tmpdir(), 'jobwatch-'));
  const stop = () => {
    instances.closeAll();
    server.forceShutdown();
    if (socketDir) {
      rmSync(socketDir, { recursive: true, force: true });
    }
    process.exit(0);
  };
  const { server, instances } = createServer(stop);
  endWithParent(stop);
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  process.on('unhandledRejection', (reason) => log('error', 'unhandled rejection', { error: String(reason) }));

  if (socketDir) {
    const path = join(socketDir, 'plugin.sock');
    await listen(server, `unix:${path}`);
    handshake('unix', path);
  } else {
    handshake('tcp', `127.0.0.1:${await listen(server, '127.0.0.1:0')}`);
  }
}

/** A Grafana that was killed says no Shutdown; its plugin must not stay behind. */
function endWithParent(stop: () => void): void {
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && stop(), PARENT_CHECK_MS).unref();
}

function handshake(network: 'unix' | 'tcp', address: string): void {
  process.stdout.write(`${CORE_PROTOCOL}|${PLUGIN_PROTOCOL}|${network}|${address}|grpc\n`);
}

/** @returns why this Grafana cannot be served, or `undefined` */
function refuse(env: NodeJS.ProcessEnv): string | undefined {
  const versions = (env['PLUGIN_PROTOCOL_VERSIONS'] ?? String(PLUGIN_PROTOCOL)).split(',').map(Number);
  if (!versions.includes(PLUGIN_PROTOCOL)) {
    return `Grafana offers plugin protocol ${versions.join(', ')}; this plugin speaks ${PLUGIN_PROTOCOL}. Update Grafana.`;
  }
  if (env['PLUGIN_CLIENT_CERT']) {
    return 'Grafana asks for mutual TLS to its plugins, which this plugin does not offer: it listens on a private socket only.';
  }
  return undefined;
}
