import { Fault } from '../faults/fault';
import type { Notice } from '../sidekiq/model';
import type { HistoryScope, SeriesValue } from './figures';
import { MemoryStore } from './memoryStore';
import type { HistoryStore, Points } from './store';

/** Opens the store that outlives the process. @throws Fault when it cannot be used */
export type OpenStore = () => Promise<HistoryStore>;

const RETRY_SECONDS = 60;

/**
 * Keeps figures over time in a file, or in memory where there is none or the file fails. Never throws: a history that
 * cannot be kept says so by a notice, and everything else goes on. A file that failed is tried again once a minute.
 */
export class Recorder {
  private readonly memory = new MemoryStore();
  private file: HistoryStore | undefined;
  private failure: string | undefined;
  private triedAt = -Infinity;
  private opening: Promise<void> | undefined;

  /** @param open absent where the history is kept in memory */
  constructor(private readonly open?: OpenStore) {}

  /** Why the history file is not used, where one is set. */
  get notice(): Notice | undefined {
    return this.failure === undefined
      ? undefined
      : { severity: 'warning', text: `${this.failure} The history is kept in memory until the file can be used.` };
  }

  /** Opens the file where that is due. @param now epoch seconds; @returns whether it was opened just now */
  async ready(now: number): Promise<boolean> {
    if (!this.open || this.file || now - this.triedAt < RETRY_SECONDS) {
      await this.opening;
      return false;
    }
    this.triedAt = now;
    let opened = false;
    this.opening = this.open()
      .then((store) => {
        this.file = store;
        this.failure = undefined;
        opened = true;
      })
      .catch((error: unknown) => this.fail(error));
    await this.opening;
    return opened;
  }

  append(at: number, values: readonly SeriesValue[]): void {
    const kept = this.use((file) => {
      file.append(at, values);
      return true;
    }, false);
    if (!kept) {
      this.memory.append(at, values);
    }
  }

  read(scope: HistoryScope, figure: string, from: number, to: number, only?: string): Points[] {
    return (
      this.use((file) => file.read(scope, figure, from, to, only), undefined) ??
      this.memory.read(scope, figure, from, to, only)
    );
  }

  keys(scope: HistoryScope, figure: string): string[] {
    return this.use((file) => file.keys(scope, figure), undefined) ?? this.memory.keys(scope, figure);
  }

  oldest(): number | null {
    return this.use((file) => file.oldest(), undefined) ?? this.memory.oldest();
  }

  loadState(name: string): string | null {
    return this.use((file) => file.loadState(name), null);
  }

  /** Keeps a state where it can outlive the process; in memory it is not asked for. */
  saveState(name: string, state: () => string): void {
    this.use((file) => file.saveState(name, state), undefined);
  }

  close(): void {
    this.use((file) => file.close(), undefined);
    this.file = undefined;
    this.memory.close();
  }

  private use<T>(work: (file: HistoryStore) => T, otherwise: T): T {
    if (!this.file) {
      return otherwise;
    }
    try {
      return work(this.file);
    } catch (error) {
      const { file } = this;
      this.file = undefined;
      try {
        file.close();
      } catch {
        // The file is gone or broken, which was told already.
      }
      this.fail(error);
      return otherwise;
    }
  }

  private fail(error: unknown): void {
    this.failure = error instanceof Fault ? error.explanation : `The history file failed: ${(error as Error).message}.`;
  }
}
