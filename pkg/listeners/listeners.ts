import { Fault } from '../faults/fault';
import { startKeda } from '../keda/server';
import { log } from '../log';
import { checkProtected, WITHOUT_TOKEN, type Administration } from '../settings/administration';
import { otlpSettings } from '../otlp/settings';
import type { Secrets } from '../settings/model';
import type { Source } from '../source/source';
import { startStatsdReceiver } from '../statsd/receiver';
import { startExporter, type ExporterOptions } from './exporter';

/** A former instance, or another program on this host, may still hold the port for a while. */
const RETRY_MS = 2000;

/** Names of the listeners, and of what is pushed: the settings that switch them on in the plugin. */
export const LISTENERS = [
  'exporterListen',
  'statsdListen',
  'statsdMetricsListen',
  'kedaListen',
  'otlpEndpoint',
] as const;
export type ListenerName = (typeof LISTENERS)[number];

/** What is served: a source, and what its administrator allows. */
export interface Served extends Source {
  readonly administration: Administration;
  readonly secrets: Secrets;
}

/** Where to listen and to push to; an empty address opens nothing. */
export interface Listen extends Record<ListenerName, string> {
  /** What only `serve` gives: further targets, TLS, another path, language models. */
  exporter?: Pick<ExporterOptions, 'targets' | 'tls' | 'path' | 'mcp'>;
}

type Close = () => Promise<void> | void;

/**
 * What listens beside Grafana's own socket: the Prometheus endpoint, the DogStatsD receiver, the endpoint with what that
 * received, KEDA's scaler, and what is pushed to a collector. One that cannot be opened never fails the others; it is tried again until it works, and `problems`
 * tells of it meanwhile.
 */
export class Listeners {
  private readonly faults = new Map<ListenerName, Fault>();
  private readonly closers: Close[] = [];
  private readonly retries = new Set<NodeJS.Timeout>();
  private closed = false;
  /** Settles once each was tried. */
  readonly tried: Promise<unknown>;

  constructor(
    private readonly installation: Served,
    private readonly listen: Listen
  ) {
    this.tried = Promise.all(LISTENERS.filter((name) => listen[name] !== '').map((name) => this.open(name)));
  }

  /** Whether anything is to listen. */
  get wanted(): boolean {
    return LISTENERS.some((name) => this.listen[name] !== '');
  }

  /** What does not listen now and why, in sentences. */
  get problems(): string[] {
    return [...this.faults.values()].map(({ explanation }) => explanation);
  }

  /** Why one does not listen now. */
  faultOf(name: ListenerName): Fault | undefined {
    return this.faults.get(name);
  }

  /** Resolves when scrapes in flight are answered. */
  async close(): Promise<void> {
    this.closed = true;
    this.retries.forEach((timer) => clearTimeout(timer));
    await Promise.all(this.closers.splice(0).map(async (close) => close()));
  }

  private async open(name: ListenerName): Promise<void> {
    const address = this.listen[name];
    try {
      const close = await this.start(name, address);
      this.faults.delete(name);
      if (this.closed) {
        await close();
        return;
      }
      this.closers.push(close);
      if (name !== 'otlpEndpoint') {
        log('info', 'listening', { setting: name, address });
      }
    } catch (error) {
      const fault = error instanceof Fault ? error : unexpected(name, error);
      if (!this.faults.has(name)) {
        log('error', fault.message, { setting: name, remedy: fault.remedy });
      }
      this.faults.set(name, fault);
      this.retryLater(name);
    }
  }

  private async start(name: ListenerName, listen: string): Promise<Close> {
    const { installation } = this;
    switch (name) {
      case 'exporterListen': {
        return startExporter({
          ...this.listen.exporter,
          ...this.protection(name, listen),
          listen,
          source: installation,
        });
      }
      case 'statsdMetricsListen':
        return startExporter({ ...this.protection(name, listen), listen, source: installation, only: 'statsd' });
      case 'kedaListen': {
        // KEDA sends no token.
        checkProtected(name, listen, undefined, installation.administration, WITHOUT_TOKEN);
        const tls = this.listen.exporter?.tls;
        return startKeda({ listen, source: installation, ...(tls && { tls }) });
      }
      case 'otlpEndpoint': {
        const settings = otlpSettings(listen, process.env);
        // Its libraries are loaded where metrics are pushed.
        const { startPush } = await import('../otlp/push');
        const targets = [...(this.listen.exporter?.targets ?? [])];
        const ends = [
          startPush(settings, installation, ''),
          ...targets.map(([target, source]) => startPush(settings, source, target)),
        ];
        return async () => void (await Promise.all(ends.map(async (end) => end())));
      }
      case 'statsdListen':
        return startStatsdReceiver(listen, installation).then((receiver) => () => receiver.close());
    }
  }

  /** The token of scrapes. @throws Fault `settings` where one is needed */
  private protection(name: ListenerName, listen: string): Pick<ExporterOptions, 'token'> {
    const { administration, secrets } = this.installation;
    checkProtected(name, listen, secrets.exporterToken, administration);
    return secrets.exporterToken ? { token: secrets.exporterToken } : {};
  }

  private retryLater(name: ListenerName): void {
    if (this.closed) {
      return;
    }
    const retry = setTimeout(() => {
      this.retries.delete(retry);
      void this.open(name);
    }, RETRY_MS).unref();
    this.retries.add(retry);
  }
}

/** What nobody foresaw is told like the rest, with its place in the log: nobody waits for the attempts to listen. */
function unexpected(name: ListenerName, error: unknown): Fault {
  log('error', 'a listener failed unexpectedly', { setting: name, error: String((error as Error)?.stack ?? error) });
  return new Fault({
    kind: 'settings',
    message: `What "${name}" switches on could not be started: ${(error as Error)?.message ?? 'unknown error'}.`,
    remedy: 'The log has the details; it is tried again.',
    cause: error,
  });
}
