import { Fault } from '../faults/fault';
import { Installation } from '../installation/installation';
import { dataSource, type Administration } from '../settings/administration';
import { SECRET_NAMES, type Secrets } from '../settings/model';
import { holdsPassword } from '../settings/redisUrl';
import { parseSettings, type Settings } from '../settings/settings';
import { Listeners, type Served } from '../listeners/listeners';
import { ReplayService } from '../recording/replayService';
import type { DataSourceInstanceSettings, PluginContext } from './messages';

/** An installation, or a recording in its place. */
interface Service extends Served {
  close(): void;
}

interface Entry {
  installation: Service;
  listeners: Listeners;
  lastUpdatedMS: number;
  users: number;
  /** Aborted when other settings take the place of these. */
  retiring: AbortController;
  usedAt: number;
}

const MS_PER_HOUR = 3_600_000;

/**
 * Keeps one installation per data source, by its id and the time its settings were last saved.
 *
 * A changed data source is opened new, with the history of the old one where both read the same Sidekiq; the old one is
 * closed when its last running request ends. One that was opened
 * keeps sampling, so that its history has no holes when nobody looks; it is closed after the hours of `idleHours`
 * without a request, unless it listens for others.
 */
export class Instances {
  private readonly entries = new Map<string, Entry>();
  private readonly sweeper = setInterval(() => this.closeIdle(), 60_000).unref();

  /** Runs `work` with the data source's installation, which stays open at least until it ends. @throws Fault `settings` */
  async use<T>(
    context: PluginContext | null,
    work: (installation: Service, listeners: Listeners, retired: AbortSignal) => Promise<T>
  ): Promise<T> {
    const entry = this.entryFor(context);
    entry.users += 1;
    try {
      return await work(entry.installation, entry.listeners, entry.retiring.signal);
    } finally {
      entry.users -= 1;
      entry.usedAt = Date.now();
      if (entry.retiring.signal.aborted && entry.users === 0) {
        entry.installation.close();
      }
    }
  }

  /** Installations that are open now. */
  get open(): Installation[] {
    return [...this.entries.values()].flatMap(({ installation }) =>
      installation instanceof Installation ? [installation] : []
    );
  }

  closeAll(): void {
    clearInterval(this.sweeper);
    for (const key of [...this.entries.keys()]) {
      this.retire(key);
    }
  }

  private entryFor(context: PluginContext | null): Entry {
    const stored = context?.dataSourceInstanceSettings;
    if (!context || !stored) {
      throw new Fault({
        kind: 'settings',
        message: 'The request names no data source.',
        remedy: 'Save the data source’s settings first.',
      });
    }
    const key = `${context.orgId}:${stored.id}:${stored.uid}`;
    const known = this.entries.get(key);
    if (known && known.lastUpdatedMS === stored.lastUpdatedMS) {
      return known;
    }
    const owner = `${context.orgId}-${stored.uid}`.replace(/[^A-Za-z0-9_-]/g, '_');
    const installation = serviceOf(settingsOf(stored), dataSource(process.env, owner), known?.installation);
    this.retire(key);
    const entry = {
      installation,
      listeners: new Listeners(installation, installation.options),
      lastUpdatedMS: stored.lastUpdatedMS,
      users: 0,
      retiring: new AbortController(),
      usedAt: Date.now(),
    };
    this.entries.set(key, entry);
    if (installation instanceof Installation) {
      installation.startSampling();
    }
    return entry;
  }

  private retire(key: string): void {
    const entry = this.entries.get(key);
    if (!entry) {
      return;
    }
    this.entries.delete(key);
    entry.retiring.abort();
    void entry.listeners.close();
    if (entry.users === 0) {
      entry.installation.close();
    }
  }

  private closeIdle(): void {
    const now = Date.now();
    for (const [key, entry] of this.entries) {
      if (
        entry.users === 0 &&
        !entry.listeners.wanted &&
        now - entry.usedAt > entry.installation.options.idleHours * MS_PER_HOUR
      ) {
        this.retire(key);
      }
    }
  }
}

/** @param former whose history goes on where both read the same Sidekiq; @throws Fault `settings` */
function serviceOf(settings: Settings, administration: Administration, former: Service | undefined): Service {
  const { options, secrets } = settings;
  if (options.replayFile === '') {
    return new Installation(settings, { administration, former: former instanceof Installation ? former : undefined });
  }
  const replay = new ReplayService(administration.recording('replayFile', options.replayFile), options);
  return Object.assign(replay, { administration, secrets });
}

function settingsOf(stored: DataSourceInstanceSettings) {
  const secrets: Secrets = {};
  for (const name of SECRET_NAMES) {
    const value = stored.decryptedSecureJsonData[name];
    if (value) {
      secrets[name] = value;
    }
  }
  refuseVisiblePassword(stored.url, secrets);
  return parseSettings({ url: stored.url, username: stored.user, options: parseJson(stored.jsonData), secrets });
}

/** Grafana shows the URL of a data source to everyone who may see it. @throws Fault `settings` */
function refuseVisiblePassword(url: string, { password }: Secrets): void {
  if (holdsPassword(url, password)) {
    throw new Fault({
      kind: 'settings',
      message: 'The setting "url" holds a password, which everyone who may see this data source can read.',
      remedy: 'Move it to "Password" (secureJsonData.password) and its user to "User", and change it in Redis.',
    });
  }
}

function parseJson(bytes: Buffer): unknown {
  if (bytes.length === 0) {
    return {};
  }
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw new Fault({
      kind: 'settings',
      message: 'The data source’s jsonData is not JSON.',
      remedy: 'Save the settings again, or correct the provisioning file.',
      cause: error,
    });
  }
}
