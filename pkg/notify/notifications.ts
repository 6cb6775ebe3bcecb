import { log } from '../log';
import { Notifier, type Notified } from './notifier';
import type { NotificationSettings } from './settings';
import { NotificationStore } from './store';

/** No installation is looked at more often. */
const LOOK_LEAST_SECONDS = 1;

/** Notifies receivers of the findings of installations until it is closed. */
export class Notifications {
  private readonly timers = new Set<NodeJS.Timeout>();
  private readonly notifiers: readonly Notifier[];
  private closed = false;

  /** @throws Fault `settings` where the state file cannot be used */
  constructor({ stateFile, addresses }: NotificationSettings, installations: readonly Notified[]) {
    const store = new NotificationStore(stateFile);
    if (stateFile === undefined && addresses.length > 0) {
      log('warn', 'notifications are kept in memory; set notifications.stateFile or a history file to keep them', {});
    }
    const all = installations.flatMap((notified) =>
      addresses.map((address) => ({ notified, notifier: new Notifier(notified, address, store) }))
    );
    this.notifiers = all.map(({ notifier }) => notifier);
    all.forEach(({ notified, notifier }) =>
      this.lookLater(notifier, Math.max(LOOK_LEAST_SECONDS, notified.source.options.sampleSeconds))
    );
  }

  /** Ends deliveries under way; what they held is sent after the next start. A look under way is not waited for. */
  async close(): Promise<void> {
    this.closed = true;
    this.timers.forEach((timer) => clearTimeout(timer));
    await Promise.all(this.notifiers.map(async (notifier) => notifier.close()));
  }

  private lookLater(notifier: Notifier, seconds: number): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      void notifier
        .look(performance.now() / 1000)
        .catch((error: unknown) => log('error', 'notifications failed unexpectedly', { error: String(error) }))
        .finally(() => {
          if (!this.closed) {
            this.lookLater(notifier, seconds);
          }
        });
    }, seconds * 1000).unref();
    this.timers.add(timer);
  }
}
