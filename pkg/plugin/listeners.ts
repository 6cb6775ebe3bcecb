import { startExporter, type ExporterOptions } from '../exporter/server';
import { Fault } from '../faults/fault';
import type { Installation } from '../installation/installation';
import { startStatsdReceiver } from '../statsd/receiver';
import { log } from '../log';

/** A former instance, or another Grafana on this host, may still hold the port for a while. */
const RETRY_MS = 2000;

/** Something that listens, by the setting that switches it on. */
interface Listener {
  setting: 'exporterListen' | 'statsdListen' | 'statsdMetricsListen';
  open(installation: Installation, address: string): Promise<() => void>;
}

const LISTENERS: readonly Listener[] = [
  {
    setting: 'exporterListen',
    open(installation, listen) {
      const { exporterToken } = installation.secrets;
      return openExporter({ listen, installation, ...(exporterToken && { token: exporterToken }) });
    },
  },
  {
    setting: 'statsdListen',
    async open(installation, listen) {
      const receiver = await startStatsdReceiver(listen, installation.pro);
      return () => receiver.close();
    },
  },
  {
    setting: 'statsdMetricsListen',
    open: (installation, listen) => openExporter({ listen, installation, only: 'statsd' }),
  },
];

async function openExporter(options: ExporterOptions): Promise<() => void> {
  const server = await startExporter(options);
  return () => {
    server.close();
    server.closeAllConnections();
  };
}

/**
 * What an installation's settings switch on beside queries: the exporter's port and the DogStatsD receiver. One that
 * cannot be opened never fails the others; it is tried again until it works, and `problems` tells it meanwhile.
 */
export class Listeners {
  private readonly faults = new Map<Listener['setting'], Fault>();
  private readonly closers: Array<() => void> = [];
  private readonly retries = new Set<NodeJS.Timeout>();
  private closed = false;
  /** Settles once each was tried. */
  readonly tried: Promise<unknown>;

  constructor(private readonly installation: Installation) {
    this.tried = Promise.all(
      LISTENERS.filter(({ setting }) => installation.options[setting] !== '').map((listener) => this.open(listener))
    );
  }

  /** Whether the settings switch anything on. */
  get wanted(): boolean {
    return LISTENERS.some(({ setting }) => this.installation.options[setting] !== '');
  }

  /** What does not listen now and why, in sentences. */
  get problems(): string[] {
    return [...this.faults.values()].map(({ explanation }) => explanation);
  }

  close(): void {
    this.closed = true;
    this.retries.forEach((timer) => clearTimeout(timer));
    this.closers.splice(0).forEach((close) => close());
  }

  private async open(listener: Listener): Promise<void> {
    const { setting } = listener;
    const address = this.installation.options[setting];
    try {
      const close = await listener.open(this.installation, address);
      this.faults.delete(setting);
      if (this.closed) {
        close();
        return;
      }
      this.closers.push(close);
      log('info', 'listening', { setting, address });
    } catch (error) {
      if (!(error instanceof Fault)) {
        throw error;
      }
      if (!this.faults.has(setting)) {
        log('error', 'cannot listen', { setting, address, error: error.explanation });
      }
      this.faults.set(setting, error);
      if (!this.closed) {
        const retry = setTimeout(() => {
          this.retries.delete(retry);
          void this.open(listener);
        }, RETRY_MS).unref();
        this.retries.add(retry);
      }
    }
  }
}
