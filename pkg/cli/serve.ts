import { readFileSync } from 'node:fs';
import { METRICS_PATHS } from '../listeners/exporter';
import { Listeners } from '../listeners/listeners';
import type { Settings } from '../settings/settings';
import { Fault } from '../faults/fault';
import { Installation } from '../installation/installation';
import { log } from '../log';
import { commandLine } from '../settings/administration';
import { STATSD_ENDPOINT, statsdAddress } from '../settings/statsdEndpoint';
import { settingsFrom } from '../settings/environment';
import type { Configured } from './configured';

/** Flags of the command, as commander reads them. */
export interface ServeFlags {
  listen: string;
  webPath?: string;
  tlsCertFile?: string;
  tlsKeyFile?: string;
  listenWithoutToken?: boolean;
}

interface Running {
  listeners: Listeners;
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
  const tls = readTls(flags);
  const targets = targetsFrom(file);
  const installation = new Installation(settings, undefined, commandLine(flags.listenWithoutToken));
  const listeners = new Listeners(installation, {
    exporterListen: flags.listen,
    statsdListen: statsdListenOf(settings),
    statsdMetricsListen: settings.options.statsdMetricsListen,
    exporter: { targets, ...(flags.webPath && { path: flags.webPath }), ...(tls && { tls }) },
  });
  const running: Running = { listeners, installations: [installation, ...targets.values()] };
  await listeners.tried;
  const fault = listeners.faultOf('exporterListen') ?? listeners.faultOf('statsdMetricsListen');
  if (fault) {
    await stop(running);
    throw fault;
  }
  for (const each of running.installations) {
    each.startSampling();
  }
  log('info', 'serving metrics', {
    listen: flags.listen,
    paths: METRICS_PATHS.join(' '),
    redis: installation.redis.address,
  });
  await installation
    .state()
    .catch((error: unknown) => log('warn', 'Redis cannot be read yet', { error: explain(error) }));
  return running;
}

/**
 * Where to receive DogStatsD: our own setting, or the variable that Lago's workers read. Without one, or with one that
 * cannot be used, everything else runs, and the log says so.
 */
function statsdListenOf({ options }: Settings): string {
  try {
    const listen = statsdAddress(options.statsdListen, process.env);
    if (listen === undefined) {
      log('warn', `${STATSD_ENDPOINT} not set, Sidekiq Pro metrics will not be reported`);
    }
    return listen ?? '';
  } catch (error) {
    if (!(error instanceof Fault)) {
      throw error;
    }
    log('error', error.message, { remedy: error.remedy });
    return '';
  }
}

function readTls({ tlsCertFile, tlsKeyFile }: ServeFlags): { cert: string; key: string } | undefined {
  if (!tlsCertFile && !tlsKeyFile) {
    return undefined;
  }
  if (!tlsCertFile || !tlsKeyFile) {
    throw new Fault({
      kind: 'settings',
      message: 'Only one of --tls-cert-file and --tls-key-file is given.',
      remedy: 'Give both, or none for plain HTTP.',
    });
  }
  return { cert: readPem('--tls-cert-file', tlsCertFile), key: readPem('--tls-key-file', tlsKeyFile) };
}

function readPem(flag: string, path: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new Fault({
      kind: 'settings',
      message: `The file of ${flag}, ${path}, cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown error'}.`,
      remedy: 'Check the path and its permissions.',
      cause: error,
    });
  }
  if (!/-----BEGIN [A-Z ]+-----/.test(text)) {
    throw new Fault({
      kind: 'settings',
      message: `The file of ${flag}, ${path}, holds no PEM.`,
      remedy: 'Give a file that begins with -----BEGIN.',
    });
  }
  return text;
}

async function stop({ listeners, installations }: Running): Promise<void> {
  await listeners.close();
  for (const installation of installations) {
    installation.close();
  }
}

/** Further installations under `targets:` of the file, each with its own `url`, `username`, `password` and options. */
function targetsFrom(file: Record<string, unknown>): Map<string, Installation> {
  const targets = file['targets'] ?? {};
  if (typeof targets !== 'object' || Array.isArray(targets)) {
    throw new Fault({
      kind: 'settings',
      message: '"targets" in the configuration file is not a map.',
      remedy: 'Write one entry per target: its name, and below that its settings.',
    });
  }
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
