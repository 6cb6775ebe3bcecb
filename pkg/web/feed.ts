import type { ServerResponse } from 'node:http';
import type { Source } from '../source/source';
import { log } from '../log';
import { OneByOne } from './oneByOne';
import { pageData } from './pageData';
import { whatIfData, type Asked } from './whatIfData';

const EVERY_MS = 5000;
/** Pages that are open at once; a further one is asked to come back. */
const MOST = 100;
/** A reader that has taken nothing for so long is gone, though its connection is open. */
const STALLED_MS = 60_000;

/**
 * Sends the page's data to everyone who has it open, as server-sent events
 * (https://html.spec.whatwg.org/multipage/server-sent-events.html). It is made once however many watch, and not at all
 * while nobody does.
 */
export class Feed {
  /** Those that watch, and since when (milliseconds of the monotonic clock) one has taken nothing. */
  private readonly watchers = new Map<ServerResponse, number | null>();
  private timer: NodeJS.Timeout | undefined;
  private making = false;
  private latest: string | undefined;
  private readonly questions = new OneByOne();

  constructor(private readonly source: Source) {}

  /** Answers with events until the watcher goes. @returns false where too many watch */
  watch(response: ServerResponse): boolean {
    if (this.watchers.size >= MOST) {
      return false;
    }
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    this.watchers.set(response, null);
    response.on('close', () => this.leave(response));
    if (this.timer) {
      response.write(this.latest ?? ':\n\n');
    } else {
      this.timer = setInterval(() => void this.send(), EVERY_MS);
      void this.send();
    }
    return true;
  }

  /**
   * The data of the page as of an instant (epoch seconds) as JSON, one after the other however many ask.
   *
   * @returns `undefined` where too many wait
   */
  async past(asOf: number): Promise<string | undefined> {
    return this.questions.ask(async () => JSON.stringify(await pageData(this.source, asOf)));
  }

  /** The answer to "What if" as JSON, in the same order. @returns `undefined` where too many wait */
  async whatIf(asked: Asked, signal: AbortSignal): Promise<string | undefined> {
    return this.questions.ask(async () => JSON.stringify(await whatIfData(this.source, asked, signal)));
  }

  close(): void {
    clearInterval(this.timer);
    this.timer = undefined;
    this.watchers.forEach((_, response) => response.end());
    this.watchers.clear();
  }

  private leave(response: ServerResponse): void {
    this.watchers.delete(response);
    if (this.watchers.size === 0) {
      clearInterval(this.timer);
      this.timer = undefined;
      this.latest = undefined;
    }
  }

  /** One that has not taken the last data gets none until it has: so each holds one message at most. */
  private sendTo(response: ServerResponse, data: string): void {
    const since = this.watchers.get(response);
    if (!response.writableNeedDrain) {
      this.watchers.set(response, null);
      response.write(data);
    } else if (since === null) {
      this.watchers.set(response, performance.now());
    } else if (since !== undefined && performance.now() - since > STALLED_MS) {
      response.destroy();
    }
  }

  private async send(): Promise<void> {
    if (this.making) {
      return;
    }
    this.making = true;
    try {
      this.latest = `data: ${JSON.stringify(await pageData(this.source))}\n\n`;
      [...this.watchers.keys()].forEach((response) => this.sendTo(response, this.latest!));
    } catch (error) {
      log('error', 'the page could not be made', { error: String(error) });
    } finally {
      this.making = false;
    }
  }
}
