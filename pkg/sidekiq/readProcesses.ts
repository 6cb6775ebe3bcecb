import type { Listed, Process, Work } from './model';
import { valueOf, type Brought, type Ticket } from './parts/part';
import { beatAge, type ProcessRecord } from './parts/process';

interface AskedProcess {
  identity: string;
  record: Ticket<ProcessRecord>;
  expiry: Ticket<number | null>;
  work: Array<Ticket<Listed<Work>>>;
}

/** @param whole the names of all processes are known */
export function readProcesses(two: Brought, asked: readonly AskedProcess[], whole: boolean, at: number) {
  const processes: Process[] = [];
  const ghosts: string[] = [];
  const work: Work[] = [];
  let unknown = 0;
  let workWhole = whole;
  for (const { identity, record, expiry, work: tickets } of asked) {
    const read = two.read(record);
    if (!read.ok || read.value === 'unreadable') {
      unknown += 1;
    } else if (read.value === 'ghost') {
      ghosts.push(identity);
      continue;
    } else {
      processes.push({ ...read.value, beatAgeSeconds: beatAge(valueOf(two.read(expiry)), read.value.beatAt, at) });
    }
    for (const ticket of tickets) {
      const found = two.read(ticket);
      workWhole &&= found.ok && found.value.whole;
      if (found.ok) {
        work.push(...found.value.items);
      }
    }
  }
  const known = whole && unknown === 0;
  return {
    processes: { items: processes, whole: known },
    ghosts: { items: ghosts, whole: known },
    work: { items: work.sort((a, b) => (a.runAt ?? Infinity) - (b.runAt ?? Infinity)), whole: workWhole },
  };
}
