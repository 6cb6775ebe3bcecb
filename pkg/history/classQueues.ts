import type { Snapshot } from '../sidekiq/snapshot';

/**
 * Which queue a job class runs from, learned by watching: Sidekiq's job metrics know classes only. A class
 * that was seen in several queues belongs to the one it was seen in last.
 */
export class ClassQueues {
  private readonly queueByClass = new Map<string, string>();

  observe({ work, queues }: Snapshot): void {
    for (const { name, next } of queues) {
      if (next) {
        this.queueByClass.set(next.metricsClass, name);
      }
    }
    for (const { metricsClass, queue } of work) {
      this.queueByClass.set(metricsClass, queue);
    }
  }

  /** @returns the queue's name, or `undefined` for a class not seen yet */
  queueOf(metricsClass: string): string | undefined {
    return this.queueByClass.get(metricsClass);
  }
}
