import { Fault } from '../faults/fault';
import { unreachable } from '../findings/table';
import { log } from '../log';
import type { Source } from '../source/source';
import type { FindingLogView, LoggedFinding } from '../watch/findingLog';
import { Announcements } from './announcements';
import { post, type Send } from './delivery';
import { bodyOf } from './message';
import type { NotifiedAddress } from './settings';
import type { NotificationStore } from './store';

/** Announcements of one message at most. */
const MESSAGE_ANNOUNCEMENTS = 500;
const FIRST_PAUSE_SECONDS = 15;
const LONGEST_PAUSE_SECONDS = 900;

/** What is notified about. */
export interface Notified {
  /** As the configuration names it, or the address of Redis. */
  name: string;
  source: Pick<Source, 'state' | 'now' | 'options'>;
}

/**
 * Tells one receiver which findings of an installation begin and end. What is told is saved before it is sent, and taken
 * from what waits only once the receiver has taken it: a message may come twice, and none is lost.
 */
export class Notifier {
  private readonly announcements: Announcements;
  private last: FindingLogView = { open: [], ended: [] };
  private outage: LoggedFinding | null = null;
  /** By how much the clock of Redis is ahead of this process'. */
  private aheadSeconds = 0;
  private pauseSeconds = 0;
  private nextAt = -Infinity;
  private readonly ending = new AbortController();
  private sending: Promise<void> | null = null;
  /** The last message could not be delivered. */
  private failing = false;

  constructor(
    private readonly notified: Notified,
    private readonly address: NotifiedAddress,
    private readonly store: NotificationStore,
    private readonly send: Send = post
  ) {
    this.announcements = new Announcements(address);
    const saved = store.load(notified.name, address.name);
    if (saved !== null) {
      try {
        this.announcements.restore(saved);
      } catch {
        log('warn', 'saved notifications cannot be read; what goes on is told again', { receiver: address.name });
      }
    }
  }

  /**
   * Looks at the present once, and delivers what waits. A delivery that takes longer goes on while the next looks are
   * taken.
   *
   * @param monotonicSeconds a clock that is never set, for the pauses between attempts
   */
  async look(monotonicSeconds: number): Promise<void> {
    const { view, isRead, now } = await this.view();
    if (this.ending.signal.aborted) {
      // What is seen while everything is closed is no outage.
      return;
    }
    if (this.announcements.next(view, now, isRead)) {
      this.save();
    }
    if (this.sending === null && monotonicSeconds >= this.nextAt && this.hasPending()) {
      this.sending = this.deliver(monotonicSeconds)
        .catch((error: unknown) => {
          this.nextAt = monotonicSeconds + LONGEST_PAUSE_SECONDS;
          log('error', 'a notification failed unexpectedly', { receiver: this.address.name, error: String(error) });
        })
        .finally(() => {
          this.sending = null;
        });
    }
  }

  /** Settles once no delivery is under way. */
  async idle(): Promise<void> {
    await this.sending;
  }

  /** Ends a delivery under way; what it held is delivered after the next start. */
  async close(): Promise<void> {
    this.ending.abort();
    await this.idle();
    this.save();
  }

  /** While Redis cannot be read, that is the one thing that changes. Its clock is taken to go on as it went. */
  private async view(): Promise<{ view: FindingLogView; isRead: boolean; now: number }> {
    const { source } = this.notified;
    try {
      const { findingLog, now } = await source.state();
      this.last = findingLog;
      this.outage = null;
      this.aheadSeconds = now - source.now();
      return { view: findingLog, isRead: true, now };
    } catch (error) {
      if (!(error instanceof Fault)) {
        throw error;
      }
      const now = source.now() + this.aheadSeconds;
      const { rule, kind, subject, severity, text } = unreachable(error, now);
      this.outage ??= {
        rule: rule.id,
        kind,
        subject,
        severity,
        text: `${text} ${error.remedy}`,
        beganAt: now,
        endedAt: null,
      };
      return { view: { open: [...this.last.open, this.outage], ended: this.last.ended }, isRead: false, now };
    }
  }

  private hasPending(): boolean {
    const { announcements, dropped } = this.announcements.pending(1);
    return announcements.length > 0 || dropped > 0;
  }

  private async deliver(monotonicSeconds: number): Promise<void> {
    const { name: receiver, url, format } = this.address;
    const { announcements, left, dropped } = this.announcements.pending(MESSAGE_ANNOUNCEMENTS);
    const body = bodyOf(format, { installation: this.notified.name, announcements, dropped });
    const outcome = await this.send(url, body, this.ending.signal);
    if (this.ending.signal.aborted && !outcome.ok) {
      return;
    }
    if (outcome.ok || outcome.refused) {
      this.announcements.delivered(announcements.length, dropped);
      this.save();
      this.pauseSeconds = 0;
      this.nextAt = -Infinity;
    } else {
      this.pauseSeconds = Math.min(LONGEST_PAUSE_SECONDS, this.pauseSeconds * 2 || FIRST_PAUSE_SECONDS);
      const asked = Math.min(LONGEST_PAUSE_SECONDS, outcome.afterSeconds ?? 0);
      this.nextAt = monotonicSeconds + Math.max(this.pauseSeconds, asked);
    }
    if (outcome.ok && this.failing) {
      log('info', 'notifications are delivered again', { receiver });
    } else if (!outcome.ok && outcome.refused) {
      log('error', 'a notification was refused and is not sent again', { receiver, reason: outcome.reason });
    } else if (!outcome.ok && !this.failing) {
      const waiting = announcements.length + left;
      log('warn', 'notifications cannot be delivered yet', { receiver, reason: outcome.reason, waiting });
    }
    this.failing = !outcome.ok && !outcome.refused;
  }

  private save(): void {
    this.store.save(this.notified.name, this.address.name, this.announcements.save());
  }
}
