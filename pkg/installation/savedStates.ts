import type { Memory } from './memory';

/** Something that outlives the process in the history file, by the name that it has there. */
interface Saved {
  name: string;
  /** Nothing was learnt yet: there is nothing to save, and what another process has saved may take its place. */
  isNew: boolean;
  save(): unknown;
  restore(saved: unknown): void;
}

const CLASS_TOTALS = 'class totals';

function savedOf({ watch, locks }: Pick<Memory, 'watch' | 'locks'>): Saved[] {
  const { classQueueTotals, findingLog } = watch;
  const { classTotals, disabledEntries, processLog } = watch.observers;
  return [
    {
      name: CLASS_TOTALS,
      isNew: classTotals.lastAt === 0,
      save: () => classTotals.save(),
      restore: (saved) => classTotals.restore(saved),
    },
    {
      name: 'class totals by queue',
      isNew: classQueueTotals.isEmpty,
      save: () => classQueueTotals.save(),
      restore: (saved) => classQueueTotals.restore(saved),
    },
    {
      name: 'process log',
      isNew: processLog.view().since === null,
      save: () => processLog.save(),
      restore(saved) {
        processLog.restore(saved);
        processLog.pause();
      },
    },
    {
      name: 'finding log',
      isNew: findingLog.isEmpty,
      save: () => findingLog.save(),
      restore: (saved) => findingLog.restore(saved),
    },
    {
      name: 'disabled entries',
      isNew: disabledEntries.view().size === 0,
      save: () => disabledEntries.save(),
      restore: (saved) => disabledEntries.restore(saved),
    },
    {
      name: 'lock looks',
      isNew: locks.isEmpty,
      save: () => locks.save(),
      restore: (saved) => locks.restore(saved),
    },
  ];
}

/** Goes on with what another process has saved, where this one has learnt nothing yet. */
export function restoreStates(memory: Pick<Memory, 'watch' | 'locks' | 'recorder'>): void {
  for (const { name, restore } of savedOf(memory).filter(({ isNew }) => isNew)) {
    const saved = memory.recorder.loadState(name);
    if (saved !== null) {
      try {
        restore(JSON.parse(saved));
      } catch {
        // What cannot be read is counted anew from here.
      }
    }
  }
}

/** Takes over the counts of a process that began at the same moment and has counted more. */
export function adoptTotals({ watch, recorder }: Pick<Memory, 'watch' | 'recorder'>): void {
  const saved = recorder.loadState(CLASS_TOTALS);
  try {
    if (saved !== null) {
      watch.observers.classTotals.adopt(JSON.parse(saved));
    }
  } catch {
    // What cannot be read is saved anew.
  }
}

/** Saves what was learnt, in the history file where there is one. */
export function saveStates(memory: Pick<Memory, 'watch' | 'locks' | 'recorder'>): void {
  for (const { name, save } of savedOf(memory).filter(({ isNew }) => !isNew)) {
    memory.recorder.saveState(name, () => JSON.stringify(save()));
  }
}
