import { log } from '../log';
import { readBeside, readBesideOf, type BesideReads, type OfBeside } from '../recording/besideReads';
import type { Options } from '../settings/model';
import type { Reads } from '../source/reads';
import type { Reading } from '../watch/reading';
import type { State } from '../watch/state';
import type { Memory } from './memory';

/** Errors and INFO are recorded so often. */
const BESIDE_SECONDS = 60;
/** By which share of its pace a reading may be early and still be recorded. */
const EARLY = 0.8;

/** Records the readings of an installation at the pace of its sampler, with what is read beside them at a slower one. */
export class PacedRecording {
  private recordedAt = -Infinity;
  /** What was read last, when that was begun, and whether a recorded reading has taken it along. */
  private beside: BesideReads | null = null;
  private besideAt = -Infinity;
  private taken = true;

  constructor(
    private readonly memory: Pick<Memory, 'recordings' | 'recorder' | 'watch'>,
    private readonly options: Pick<Options, 'recordHours' | 'sampleSeconds'>
  ) {}

  /** What a reading takes of what was last read beside. */
  get lastRead(): OfBeside {
    return readBesideOf(this.beside);
  }

  /** Records a reading, before the fold takes it. */
  add(reading: Reading): void {
    const { recordHours, sampleSeconds } = this.options;
    const { at } = reading.snapshot;
    const sinceLast = at - this.recordedAt;
    // Readings of viewers come at their own pace. A clock that was put back counts anew.
    const early = sinceLast >= 0 && sinceLast < sampleSeconds * EARLY && !reading.missed;
    if (recordHours === 0 || early) {
      return;
    }
    this.recordedAt = at;
    const { recordings, recorder, watch } = this.memory;
    const { info: _, locks: _locks, usual: _usual, ...recorded } = reading;
    const beside = this.taken ? null : this.beside;
    this.taken = true;
    try {
      recordings.add({ reading: recorded, beside }, () => watch.save(), sampleSeconds, recorder.agedBy);
    } catch (error) {
      // What cannot be recorded is answered all the same.
      log('error', 'a reading could not be recorded', { error: String(error) });
    }
  }

  /** Reads what is recorded at the slower pace, where that is due; the next reading that is recorded takes it along. */
  readBeside(state: State, reads: Reads): void {
    if (this.options.recordHours === 0 || Math.abs(state.now - this.besideAt) < BESIDE_SECONDS) {
      return;
    }
    this.besideAt = state.now;
    void readBeside(state, reads, this.beside)
      .then((beside) => {
        this.beside = beside;
        this.taken = false;
      })
      .catch((error: unknown) => log('warn', 'what is recorded beside a reading failed', { error: String(error) }));
  }
}
