import { noCounts, sumDurations, type Durations, type MinuteCounts } from './jobMetrics';
import type { Notice } from './model';
import { histogram } from './parts/histogram';
import { warning, type Brought, type Ticket, type Trip } from './parts/part';

/** Histograms read in one snapshot at most: a class has one a minute. */
const DURATIONS_CAP = 2000;
/** Sidekiq writes counters and histograms of one heartbeat apart, so a changed one is looked at again for so long. */
const SETTLES_SECONDS = 20;

interface Known extends Durations {
  /** Executions of the minute when the durations were last read. */
  readonly processed: number;
  readonly changedAt: number;
}

interface Due {
  known: Known;
  tickets: Array<Ticket<number[]>>;
}

/**
 * Plans which durations a snapshot reads: those of the minutes that may still change, and of them only the classes
 * that ran since they were last read, so that a quiet installation costs nothing. Holds those minutes only.
 */
export class ChangingDurations {
  private known: ReadonlyMap<string, Known> = new Map();

  /** Adds to the trip what is due. @param now epoch seconds */
  ask(trip: Trip, minutes: readonly MinuteCounts[], now: number): { due: Due[]; kept: Known[]; notices: Notice[] } {
    const due: Due[] = [];
    const kept: Known[] = [];
    let left = DURATIONS_CAP;
    let delayed = 0;
    for (const { startsAt, classes, shapes } of minutes) {
      for (const [jobClass, { processed }] of classes) {
        const before = this.known.get(keyOf({ startsAt, jobClass }));
        const changed = before?.processed !== processed;
        if (before && !changed && now - before.changedAt > SETTLES_SECONDS) {
          kept.push(before);
        } else if (left <= 0) {
          delayed += 1;
          if (before) {
            kept.push(before);
          }
        } else {
          const changedAt = changed || !before ? now : before.changedAt;
          const tickets = (shapes.get(jobClass) ?? []).map((shape) =>
            trip.ask(histogram, { jobClass, startsAt, shape })
          );
          left -= tickets.length;
          due.push({
            known: { startsAt, jobClass, processed, changedAt, counts: before?.counts ?? noCounts() },
            tickets,
          });
        }
      }
    }
    const notices =
      delayed > 0
        ? [warning(`${delayed} job durations were not read this time: more than ${DURATIONS_CAP} changed at once.`)]
        : [];
    return { due, kept, notices };
  }

  /** Takes what the trip brought. A duration that was refused keeps what was known, and is due again. */
  settle(planned: { due: readonly Due[]; kept: readonly Known[] }, brought: Brought): Durations[] {
    const read = planned.due.map(({ known, tickets }): Known => {
      const reads = tickets.map((ticket) => brought.read(ticket));
      return reads.every(({ ok }) => ok)
        ? {
            ...known,
            counts: sumOf(
              reads.map((each) => (each.ok ? each.value : [])),
              known.counts
            ),
          }
        : { ...known, processed: -1 };
    });
    const all = [...planned.kept, ...read];
    this.known = new Map(all.map((each) => [keyOf(each), each]));
    return all.map(({ startsAt, jobClass, counts }) => ({ startsAt, jobClass, counts }));
  }
}

/** The sum, as the list that was known where nothing has changed: whoever compares need not look inside. */
function sumOf(reads: ReadonlyArray<readonly number[]>, before: readonly number[]): readonly number[] {
  const sum = reads.length === 1 ? reads[0]! : sumDurations(reads);
  return sum.every((count, index) => count === before[index]) ? before : sum;
}

function keyOf({ startsAt, jobClass }: Pick<Durations, 'startsAt' | 'jobClass'>): string {
  return `${startsAt}\0${jobClass}`;
}
