import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { startExporter, METRICS_PATHS } from '../exporter/server';
import { Fault } from '../faults/fault';
import { Installation } from '../installation/installation';
import { log } from '../log';
import { startStatsdReceiver, type StatsdReceiver } from '../statsd/receiver';
import { STATSD_ENDPOINT, statsdAddress } from '../settings/statsdEndpoint';
import { settingsFrom } from '../settings/environment';
import type { Configured } from './configured';

interface ServeFlags {
  listen: string;
  webPath?: string;
  tlsCertFile?: string;
  tlsKeyFile?: string;
}

interface Running {
  servers: Server[];
  receiver: StatsdReceiver | undefined;
  installations: Installation[];
}

/** Serves metrics until SIGTERM or SIGINT; SIGHUP reads the configuration again. @throws Fault */
export async function serve(configure: () => Configured, flags: ServeFlags): Promise<void> {
  let configured = configure();
  const started = start(configured, flags);
  let reloads: Promise<unknown> = started;
  // From the first moment on: unhandled, SIGHUP would end the process. One after the other.
  process.on('SIGHUP', () => {
    reloads = reloads
      .then(reload)
      .catch((error: unknown) =>
        log('error', 'reload failed; the former configuration stays', { error: explain(error) })
      );
  });
  const reload = async () => {
    const next = configure();
    await stop(running);
    try {
      running = await start(next, flags);
    } catch (error) {
      running = await start(configured, flags);
      throw error;
    }
    configured = next;
    log('info', 'configuration reloaded');
  };
  let running = await started;
  await new Promise<void>((resolve) => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
  });
  await stop(running);
  log('info', 'stopped');
}

async function start({ settings, file }: Configured, flags: ServeFlags): Promise<Running> {
  if (Boolean(flags.tlsCertFile) !== Boolean(flags.tlsKeyFile)) {
    throw new Fault({
      kind: 'settings',
      message: 'Only one of --tls-cert-file and --tls-key-file is given.',
      remedy: 'Give both, or none for plain HTTP.',
    });
  }
  const targets = targetsFrom(file);
  const installation = new Installation(settings);
  const running: Running = { servers: [], receiver: undefined, installations: [installation, ...targets.values()] };
  const { exporterToken } = settings.secrets;
  const { statsdMetricsListen } = settings.options;
  try {
    running.servers.push(
      await startExporter({
        listen: flags.listen,
        installation,
        targets,
        ...(exporterToken && { token: exporterToken }),
        ...(flags.webPath && { path: flags.webPath }),
        ...(flags.tlsCertFile &&
          flags.tlsKeyFile && {
            tls: { cert: readFileSync(flags.tlsCertFile, 'utf8'), key: readFileSync(flags.tlsKeyFile, 'utf8') },
          }),
      })
    );
    if (statsdMetricsListen !== '') {
      running.servers.push(await startExporter({ listen: statsdMetricsListen, installation, only: 'statsd' }));
    }
  } catch (error) {
    await stop(running);
    throw error;
  }
  running.receiver = await receiveStatsd(installation, process.env);
  for (const each of running.installations) {
    each.startSampling();
  }
  log('info', 'serving metrics', {
    listen: flags.listen,
    paths: METRICS_PATHS.join(' '),
    redis: installation.redis.address,
  });
  await installation
    .snapshot()
    .catch((error: unknown) => log('warn', 'Redis cannot be read yet', { error: explain(error) }));
  return running;
}

/**
 * Starts the DogStatsD receiver where an address is given, by our own setting or by the variable that Lago's workers
 * read. Without one, or with one that cannot be used, everything else runs, and the log says so.
 */
async function receiveStatsd(installation: Installation, env: NodeJS.ProcessEnv): Promise<StatsdReceiver | undefined> {
  try {
    const listen = statsdAddress(installation.options.statsdListen, env);
    if (listen === undefined) {
      log('warn', `${STATSD_ENDPOINT} not set, Sidekiq Pro metrics will not be reported`);
      return undefined;
    }
    const receiver = await startStatsdReceiver(listen, installation.pro);
    log('info', 'receiving DogStatsD', { listen });
    return receiver;
  } catch (error) {
    if (!(error instanceof Fault)) {
      throw error;
    }
    log('error', error.message, { remedy: error.remedy });
    return undefined;
  }
}

async function stop({ servers, receiver, installations }: Running): Promise<void> {
  receiver?.close();
  for (const server of servers) {
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
  for (const installation of installations) {
    installation.close();
  }
}

/** Further installations under `targets:` of the file, each with its own `url`, `username`, `password` and options. */
function targetsFrom(file: Record<string, unknown>): Map<string, Installation> {
  const targets = (file['targets'] ?? {}) as Record<string, unknown>;
  return new Map(
    Object.entries(targets).map(([name, target]) => {
      if (typeof target !== 'object' || target === null) {
        throw new Fault({
          kind: 'settings',
          message: `The target "${name}" holds no settings.`,
          remedy: 'Give it at least a url.',
        });
      }
      return [name, new Installation(settingsFrom({ flags: {}, env: {}, file: target as Record<string, unknown> }))];
    })
  );
}

function explain(error: unknown): string {
  return error instanceof Fault ? error.explanation : String(error);
}
