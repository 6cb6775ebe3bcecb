import type { Fault } from '../faults/fault';
import type { Options } from '../settings/model';
import { keptOf, type Kept, type Source } from '../source/source';
import type { Range, Reads } from '../source/reads';
import { StatsdIntake } from '../statsd/intake';
import type { State } from '../watch/state';
import { NotRecorded } from '../source/notRecorded';
import { openReplay } from './openReplay';
import { basename } from 'node:path';

type Opened = Awaited<ReturnType<typeof openReplay>>;

/**
 * A recording in place of an installation, for as long as its settings name one. It is opened by the first question, and
 * tried again by the next where that failed; its time stands at its end.
 */
export class ReplayService implements Source {
  readonly statsd = new StatsdIntake({ series: 1, expireSeconds: 1 }, '');
  readonly droppedSeries = new Map<string, number>();
  readonly address: string;
  private opening: Promise<Opened> | undefined;
  private opened: Opened | undefined;
  private closed = false;

  constructor(
    private readonly path: string,
    readonly options: Options
  ) {
    this.address = basename(path);
  }

  async state(asOf?: number, present?: boolean): Promise<State> {
    const { source } = await this.open();
    return source.state(asOf, present);
  }

  now(): number {
    return this.opened?.source.now() ?? Date.now() / 1000;
  }

  get recorded(): Range | null {
    return this.opened?.source.recorded ?? null;
  }

  async kept(fault: Fault): Promise<Kept> {
    return keptOf(fault, { now: this.now(), options: this.options, last: null });
  }

  /** @throws Fault where the recording could not be opened */
  reads(signal?: AbortSignal, state?: State): Reads {
    if (!this.opened) {
      throw new NotRecorded(`The recording ${this.address} is not open.`, 'Check the setting "replayFile".');
    }
    return this.opened.source.reads(signal, state);
  }

  close(): void {
    this.closed = true;
    this.opened?.close();
  }

  private async open(): Promise<Opened> {
    this.opening ??= openReplay(this.path, this.options, { speed: 0 }).then(
      (opened) => {
        this.opened = opened;
        if (this.closed) {
          opened.close();
        }
        return opened;
      },
      (error: unknown) => {
        this.opening = undefined;
        throw error;
      }
    );
    return this.opening;
  }
}
