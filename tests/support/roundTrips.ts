import { startProxy, type Proxy } from './proxy';

/** A proxy before Redis that counts how often the client waited for an answer. */
export interface CountingProxy extends Proxy {
  /** Bursts of requests, each answered before the next began. */
  roundTrips(): number;
  /** What was sent in each of them. */
  sent(): Buffer[];
  reset(): void;
}

export async function startCountingProxy(redisPort: number): Promise<CountingProxy> {
  const trips: Buffer[][] = [];
  let asking = false;
  const proxy = await startProxy(
    redisPort,
    (bytes, send) => {
      if (!asking) {
        asking = true;
        trips.push([]);
      }
      trips.at(-1)?.push(bytes);
      send(bytes);
    },
    (bytes, send) => {
      asking = false;
      send(bytes);
    }
  );
  return {
    ...proxy,
    roundTrips: () => trips.length,
    sent: () => trips.map((parts) => Buffer.concat(parts)),
    reset: () => trips.splice(0),
  };
}
