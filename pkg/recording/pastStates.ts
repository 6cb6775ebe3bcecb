import { LRUCache } from 'lru-cache';
import { instantText } from '../source/instants';
import { NotRecorded } from '../source/notRecorded';
import type { FigureReads } from '../series/store';
import type { FailuresRecorded, Range, Reads } from '../source/reads';
import type { State } from '../watch/state';
import type { Beside } from '../watch/watch';
import type { Past } from './block';
import { PastReads } from './pastReads';
import type { Recordings } from './recordings';

/** Instants whose states are held: the panels of a dashboard ask about the same. */
const STATES_HELD = 6;

/** The states of the past as a source answers them, each made once for all who ask at a time. */
export class PastStates {
  private readonly held = new LRUCache<number, Promise<Past | null>>({ max: STATES_HELD });
  private readonly pasts = new WeakMap<State, Past>();

  constructor(
    readonly recordings: Recordings,
    readonly history: () => Promise<FigureReads>,
    private readonly beside: Beside
  ) {}

  /**
   * The state of the last reading before an instant (epoch seconds).
   *
   * @throws NotRecorded where none stands for it
   */
  async at(asOf: number): Promise<State> {
    const past = await this.pastAt(asOf);
    if (!past) {
      throw await this.nothingAt(asOf);
    }
    return this.know(past);
  }

  /** The failures that were recorded before an instant; `null` where they were not. */
  async failuresAt(asOf: number): Promise<FailuresRecorded | null> {
    const { failures, at } = (await this.pastAt(asOf))?.beside ?? {};
    return failures && at !== undefined ? { at, ...failures } : null;
  }

  /** Where there is no state: the figures over time alone. */
  readsOfNothing(): Reads {
    return new PastReads(null, this);
  }

  /** Makes a state known, so that it has its reads. */
  know(past: Past): State {
    this.pasts.set(past.state, past);
    return past.state;
  }

  /**
   * The reads of a state that {@link at} gave; `undefined` for another.
   *
   * @param live of the present, for what carries its dates itself
   */
  reads(state: State, live?: Reads): Reads | undefined {
    const past = this.pasts.get(state);
    return past && new PastReads(past, this, live);
  }

  private async pastAt(asOf: number): Promise<Past | null> {
    let making = this.held.get(asOf);
    if (!making) {
      making = this.recordings.at(asOf, this.beside);
      this.held.set(asOf, making);
    }
    const past = await making;
    if (!past) {
      this.held.delete(asOf);
    }
    return past;
  }

  private async nothingAt(asOf: number): Promise<NotRecorded> {
    const { time } = this.recordings;
    const before = await this.recordings.lastBefore(asOf, this.beside);
    const { historyFile, recordHours, samplerEnabled } = this.beside.options;
    const remedy =
      time !== null
        ? recordedText(time, asOf, before)
        : recordHours === 0 || !samplerEnabled
          ? 'Recording is switched off in the settings ("recordHours", "samplerEnabled").'
          : historyFile !== ''
            ? 'The history file holds no readings, or cannot be used; the health check says why.'
            : 'Recordings begin with the first reading of this process; a history file keeps them over a restart.';
    return new NotRecorded(`Nothing was recorded at ${instantText(asOf)}.`, remedy, before);
  }
}

/** What may be asked instead of an instant of which there is nothing. */
function recordedText({ from, to }: Range, asOf: number, before: number | null): string {
  if (asOf < from) {
    // To the second, the first reading may lie in the one that was asked for.
    return `Recordings begin at ${instantText(Math.ceil(from))}.`;
  }
  if (asOf > to || before === null) {
    return `Recordings end at ${instantText(to)}.`;
  }
  return `Recordings reach from ${instantText(Math.ceil(from))} to ${instantText(to)}, with a gap after ${instantText(before)}.`;
}
