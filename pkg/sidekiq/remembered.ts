/** Longer texts are read each time: they are rare, and a few would fill the memory kept for all. */
const LONGEST = 16 * 1024;
/** Characters of one generation. */
const CHARACTERS_KEPT = 8 * 1024 * 1024;
/** A text that was not seen for so long is not written any more. */
const GENERATION_MS = 30_000;

/**
 * A pure reader of texts that remembers what it read. Sidekiq writes the same text from heartbeat to heartbeat (the
 * info of a process, the record of a running job), and reading JSON takes most of a snapshot's time.
 *
 * What is returned is shared and must not be changed. Two generations are kept: what was not seen during a whole one, or
 * during as many characters, is forgotten.
 */
export function remembered<T>(read: (raw: string) => T): (raw: string) => T {
  let young = new Map<string, T>();
  let old = new Map<string, T>();
  let characters = 0;
  let bornAt = 0;
  const keep = (raw: string, value: T): T => {
    const now = performance.now();
    if (characters > CHARACTERS_KEPT || now - bornAt > GENERATION_MS) {
      old = young;
      young = new Map();
      characters = 0;
      bornAt = now;
    }
    young.set(raw, value);
    characters += raw.length;
    return value;
  };
  return (raw) => {
    if (raw.length > LONGEST) {
      return read(raw);
    }
    const known = young.get(raw);
    if (known !== undefined) {
      return known;
    }
    const before = old.get(raw);
    return keep(raw, before === undefined ? read(raw) : before);
  };
}
