import { LRUCache } from 'lru-cache';

/** Longer texts are read each time: they are rare, and a few would fill the memory kept for all. */
const LONGEST = 16 * 1024;
const CHARACTERS_KEPT = 8 * 1024 * 1024;

/**
 * A pure reader of texts that remembers what it read. Sidekiq writes the same text from heartbeat to heartbeat (the
 * info of a process, the record of a running job), and reading JSON takes most of a snapshot's time.
 *
 * What is returned is shared and must not be changed. Bounded by the length of the texts, least recently used first.
 */
export function remembered<T>(read: (raw: string) => T): (raw: string) => T {
  const known = new LRUCache<string, { value: T }>({
    maxSize: CHARACTERS_KEPT,
    sizeCalculation: (_, raw) => raw.length + 1,
  });
  return (raw) => {
    if (raw.length > LONGEST) {
      return read(raw);
    }
    const before = known.get(raw);
    if (before) {
      return before.value;
    }
    const value = read(raw);
    known.set(raw, { value });
    return value;
  };
}
