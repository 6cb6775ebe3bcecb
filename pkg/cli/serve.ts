import { METRICS_PATHS } from '../listeners/exporter';
import { Listeners, type Served } from '../listeners/listeners';
import { warmUp } from '../listeners/warmUp';
import { scrape } from '../metrics/scrape';
import { endpointOfEnvironment } from '../otlp/settings';
import type { Settings } from '../settings/settings';
import { Fault } from '../faults/fault';
import { Installation } from '../installation/installation';
import { log } from '../log';
import { commandLine } from '../settings/administration';
import { STATSD_ENDPOINT, statsdAddress } from '../settings/statsdEndpoint';
import { Notifications } from '../notify/notifications';
import { notificationSettings, type NotificationSettings } from '../notify/settings';
import type { Configured } from './configured';
import { openSource, replayOf, type ReplayFlags } from './source';
import { targetsFrom } from './targets';
import { readTls, type TlsFlags } from './tlsFiles';

/** Flags of the command, as commander reads them. */
export interface ServeFlags extends ReplayFlags, TlsFlags {
  listen: string;
  webPath?: string;
  listenWithoutToken?: boolean;
  mcp?: boolean;
}

/** What is checked before anything listens: a configuration that cannot be used fails here. */
interface Prepared {
  tls: { cert: string; key: string } | undefined;
  /** By their name; the one without a name is the endpoint's own. */
  installations: ReadonlyMap<string, Opened>;
  settings: Settings;
  notifications: NotificationSettings | null;
}

/** What is served: an installation, or a recording in its place. */
interface Service extends Served {
  startSampling(): void;
  close(): void;
}

interface Opened {
  installation: Service;
  /** Installations of equal settings are the same, so that a reload keeps what they have counted. */
  key: string;
}

interface Running {
  listeners: Listeners;
  notifications: Notifications | null;
  prepared: Prepared;
}

/** The endpoint's own installation among those of a configuration; targets have names. */
const OWN = '';
const LAST_SECONDS = 0.5;
const SCRAPE_SECONDS = 10;

/**
 * Serves metrics until SIGTERM or SIGINT. SIGHUP reads the configuration again; one that cannot be used changes nothing
 * and is told in the log, and installations whose settings are the same go on with what they have counted.
 *
 * @throws Fault
 */
export async function serve(configure: () => Configured, flags: ServeFlags): Promise<void> {
  // Before anything listens, so that no early signal leaves a socket behind.
  const ended = new Promise<void>((resolve) => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
  });
  const recording = await replayed(configure(), flags);
  const started = listen(prepare(configure(), flags, recording), flags);
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
    const former = running.prepared;
    const next = prepare(configure(), flags, recording, former.installations);
    await end(running);
    try {
      running = await listen(next, flags);
    } catch (error) {
      close(next.installations, former.installations);
      running = await listen(former, flags);
      throw error;
    }
    close(former.installations, next.installations);
    if (next.installations.get(OWN)?.installation !== former.installations.get(OWN)?.installation) {
      endWarmUp();
      endWarmUp = warmUpScrapes(next);
    }
    log('info', 'configuration reloaded');
  };
  let endWarmUp = (): void => undefined;
  let running = await started;
  endWarmUp = warmUpScrapes(running.prepared);
  await ended;
  endWarmUp();
  await end(running);
  close(running.prepared.installations);
  log('info', 'stopped');
  // A connection that never said anything would keep the process.
  setTimeout(() => process.exit(), LAST_SECONDS * 1000).unref();
}

/** One installation stands for all: their code is the same. A recording has no present to prepare for. */
function warmUpScrapes({ installations }: Prepared): () => void {
  const { installation } = installations.get(OWN)!;
  return installation instanceof Installation
    ? warmUp(installation, async (source) => scrape(source, '', SCRAPE_SECONDS))
    : () => undefined;
}

async function end({ listeners, notifications }: Pick<Running, 'listeners' | 'notifications'>): Promise<void> {
  await Promise.all([listeners.close(), notifications?.close()]);
}

/** @param former whose installations are taken over where their settings are equal; @throws Fault `settings` */
function prepare(
  { settings, file }: Configured,
  flags: ServeFlags,
  replayed: Service | undefined,
  former: ReadonlyMap<string, Opened> = new Map()
): Prepared {
  const tls = readTls(flags);
  const notifications = notificationSettings(file['notifications'], process.env, settings.options.historyFile);
  const known = new Map([...former.values()].map((opened) => [opened.key, opened]));
  const open = (each: Settings): Opened => {
    const key = JSON.stringify(each);
    return (
      known.get(key) ?? {
        key,
        installation: new Installation(each, {
          administration: commandLine(flags.listenWithoutToken),
          servedAt: flags.listen,
        }),
      }
    );
  };
  const all = new Map([...(replayed ? [] : [[OWN, settings] as const]), ...targetsFrom(file)]);
  const installations = new Map<string, Opened>(replayed ? [[OWN, { installation: replayed, key: OWN }]] : []);
  try {
    all.forEach((each, name) => installations.set(name, open(each)));
  } catch (error) {
    close(installations, former);
    throw error;
  }
  return { tls, installations, settings, notifications };
}

async function listen(prepared: Prepared, flags: ServeFlags): Promise<Running> {
  const { tls, installations, settings } = prepared;
  const { installation } = installations.get(OWN)!;
  const targets = new Map([...installations].map(([name, opened]) => [name, opened.installation]));
  targets.delete(OWN);
  const notifications = notify(prepared);
  const listeners = new Listeners(installation, {
    exporterListen: flags.listen,
    statsdListen: statsdListenOf(settings),
    statsdMetricsListen: settings.options.statsdMetricsListen,
    kedaListen: settings.options.kedaListen,
    otlpEndpoint: settings.options.otlpEndpoint || endpointOfEnvironment(process.env),
    exporter: {
      targets,
      ...(flags.webPath && { path: flags.webPath }),
      ...(tls && { tls }),
      ...(flags.mcp && { mcp: await answeringModels(installations) }),
    },
  });
  await listeners.tried;
  const fault =
    listeners.faultOf('exporterListen') ??
    listeners.faultOf('statsdMetricsListen') ??
    listeners.faultOf('kedaListen') ??
    listeners.faultOf('otlpEndpoint');
  if (fault) {
    await end({ listeners, notifications });
    throw fault;
  }
  installations.forEach((each) => each.installation.startSampling());
  log('info', 'serving metrics', {
    listen: flags.listen,
    paths: METRICS_PATHS.join(' '),
    source: installation.address,
  });
  void installation
    .state()
    .catch((error: unknown) => log('warn', 'Redis cannot be read yet', { error: explain(error) }));
  return { listeners, notifications, prepared };
}

/** What answers at /mcp; it is loaded where it is served. */
async function answeringModels(installations: Prepared['installations']) {
  const { mcpOverHttp } = await import('../mcp/http');
  let own = 'default';
  while (installations.has(own)) {
    own = `${own}-own`;
  }
  return mcpOverHttp(
    new Map([...installations].map(([name, { installation }]) => [name === OWN ? own : name, installation]))
  );
}

/** @throws Fault `settings` */
function notify({ notifications, installations }: Prepared): Notifications | null {
  const notified = [...installations].map(([name, { installation }]) => ({
    name: name === OWN ? installation.address : name,
    source: installation,
  }));
  return notifications && new Notifications(notifications, notified);
}

/** The recording that is served in place of an installation, where one is named. @throws Fault */
async function replayed({ settings }: Configured, flags: ServeFlags): Promise<Service | undefined> {
  if (replayOf(settings, flags) === undefined) {
    return undefined;
  }
  const { source, close: end } = await openSource(settings, flags);
  return Object.assign(source, {
    administration: commandLine(flags.listenWithoutToken),
    secrets: settings.secrets,
    startSampling: () => undefined,
    close: end,
  });
}

/** Closes installations, but those that another configuration goes on using. */
function close(installations: ReadonlyMap<string, Opened>, kept: ReadonlyMap<string, Opened> = new Map()): void {
  const used = new Set([...kept.values()].map(({ installation }) => installation));
  installations.forEach(({ installation }) => used.has(installation) || installation.close());
}

/**
 * Where to receive DogStatsD: our own setting, or the variable that Lago's workers read. Without one, or with one that
 * cannot be used, everything else runs, and the log says so.
 */
function statsdListenOf({ options }: Settings): string {
  try {
    const listen = statsdAddress(options.statsdListen, process.env);
    if (listen === undefined && options.preset === 'lago') {
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

function explain(error: unknown): string {
  return error instanceof Fault ? error.explanation : String(error);
}
