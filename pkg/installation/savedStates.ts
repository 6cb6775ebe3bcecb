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
const CLASS_QUEUE_TOTALS = 'class totals by queue';

/** Each process divides the counters by what it has seen, so that each has its own. */
function classQueueTotalsOf({ watch: { classQueueTotals }, servedAt }: Pick<Memory, 'watch' | 'servedAt'>): Saved {
  return {
    name: servedAt === '' ? CLASS_QUEUE_TOTALS : `${CLASS_QUEUE_TOTALS} at ${servedAt}`,
    isNew: classQueueTotals.isEmpty,
    save: () => classQueueTotals.save(),
    restore: (saved) => classQueueTotals.restore(saved),
  };
}

function savedOf(memory: Pick<Memory, 'watch' | 'locks' | 'servedAt'>): Saved[] {
  const { watch, locks } = memory;
  const { findingLog } = watch;
  const { classQueues, classShares, classTotals, disabledEntries, processLog } = watch.observers;
  return [
    {
      name: CLASS_TOTALS,
      isNew: classTotals.lastAt === 0,
      save: () => classTotals.save(),
      restore: (saved) => classTotals.restore(saved),
    },
    classQueueTotalsOf(memory),
    {
      name: 'class queues',
      isNew: classQueues.view().size === 0,
      save: () => classQueues.save(),
      restore: (saved) => classQueues.restore(saved),
    },
    {
      name: 'class shares',
      isNew: classShares.view().size === 0,
      save: () => classShares.save(),
      restore: (saved) => classShares.restore(saved),
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
export function restoreStates(memory: Pick<Memory, 'watch' | 'locks' | 'servedAt' | 'recorder'>): void {
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
export function saveStates(memory: Pick<Memory, 'watch' | 'locks' | 'servedAt' | 'recorder'>): void {
  saveAll(memory.recorder, savedOf(memory));
}

/** Saves counters by class and queue alone; those by class are found out again. */
export function saveClassQueueTotals(memory: Pick<Memory, 'watch' | 'servedAt' | 'recorder'>): void {
  saveAll(memory.recorder, [classQueueTotalsOf(memory)]);
}

function saveAll(recorder: Memory['recorder'], states: readonly Saved[]): void {
  for (const { name, save } of states.filter(({ isNew }) => !isNew)) {
    recorder.saveState(name, () => JSON.stringify(save()));
  }
}
