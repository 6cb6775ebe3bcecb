import type { Process } from './model';

/** Such queues that are asked for; a process may name as many as it likes. */
const ASKED = 1000;

/**
 * Plans which queues a snapshot asks for beside those of the set of queues: those that a process serves. Nobody has pushed to them
 * yet, or a producer of another language pushes without SADD, or they were deleted in the Web UI and a stopping process put its
 * jobs back. Remembers their names, as the processes are read in the same round trip as the queues.
 */
export class ServedQueues {
  private names: readonly string[] = [];

  /** @param pushed the queues of the set */
  beside(pushed: ReadonlySet<string>): string[] {
    return this.names.filter((name) => !pushed.has(name));
  }

  /**
   * Takes what the processes serve now.
   *
   * @param sizes of the queues that were asked for
   * @returns `unread`: those that were not asked for; `left`: those that nobody serves any more, and in which no job waits. While
   * jobs wait in one, nothing else tells of them.
   */
  settle(
    processes: readonly Process[],
    pushed: ReadonlySet<string>,
    sizes: ReadonlyMap<string, number | null>,
    includes: (name: string) => boolean
  ): { unread: string[]; left: ReadonlySet<string> } {
    const all = new Set(processes.flatMap(({ queues }) => queues));
    const served = [...all]
      .filter((name) => includes(name) && !pushed.has(name))
      .sort()
      .slice(0, ASKED);
    const now = new Set(served);
    const left = new Set(this.beside(pushed).filter((name) => !now.has(name) && sizes.get(name) === 0));
    this.names = [...new Set([...served, ...this.beside(pushed)])].filter((name) => !left.has(name)).slice(0, ASKED);
    return { unread: served.filter((name) => !sizes.has(name)), left };
  }
}
