import type { Redis } from 'ioredis';

/** Fills a Redis with so many queues and processes, in the form of Sidekiq 8.1. */
export async function writeFleet(redis: Redis, queues: number, processes: number, busyThreads = 0): Promise<void> {
  const now = Date.now() / 1000;
  const names = Array.from({ length: queues }, (_, index) => `queue_${index}`);
  const pipeline = redis.pipeline();
  pipeline
    .sadd('queues', ...names)
    .set('stat:processed', 100)
    .set('stat:failed', 3);
  for (const name of names) {
    pipeline.lpush(`queue:${name}`, job('PlainJob', name, (now - 5) * 1000));
  }
  for (let index = 0; index < processes; index += 1) {
    const identity = `host-${index}:${index}:abcdef`;
    const info = {
      hostname: `host-${index}`,
      started_at: now - 60,
      pid: index,
      tag: '',
      queues: names.slice(0, 10),
      labels: [],
      identity,
      version: '8.1.7',
    };
    pipeline
      .sadd('processes', identity)
      .hset(identity, {
        info: JSON.stringify(info),
        busy: String(busyThreads),
        beat: String(now),
        concurrency: '10',
        quiet: 'false',
        rss: '1000',
        rtt_us: '100',
      })
      .expire(identity, 60);
    for (let thread = 0; thread < busyThreads; thread += 1) {
      const work = {
        queue: names[0],
        payload: job('PlainJob', names[0]!, now * 1000, { jid: `${index}-${thread}` }),
        run_at: Math.floor(now),
      };
      pipeline.hset(`${identity}:work`, `t${thread}`, JSON.stringify(work));
    }
  }
  await pipeline.exec();
}

export function job(jobClass: string, queue: string, enqueuedAtMs: number, more: Record<string, unknown> = {}): string {
  return JSON.stringify({
    class: jobClass,
    queue,
    args: [1],
    jid: 'a'.repeat(24),
    retry: true,
    created_at: enqueuedAtMs,
    enqueued_at: enqueuedAtMs,
    ...more,
  });
}
