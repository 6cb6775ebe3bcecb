import type { BlockStore } from '../series/blockStore';
import { compressed, linesOf, orBroken, thinned } from './block';

/** What a store keeps at most; the thinner, the older. */
export interface BlockLimits {
  seconds: number;
  bytes: number;
}

/** The paces to which old blocks are thinned, one after the other, before they are dropped. */
const PACES = [60, 300];

/** Drops the blocks of a store that are too old, and thins the oldest others until it is within its bytes. */
export async function shrink(store: BlockStore, { seconds, bytes }: BlockLimits, now: number): Promise<void> {
  for (const { id, to } of store.all) {
    if (to < now - seconds) {
      store.remove(id);
    }
  }
  while (store.bytes > bytes && store.all.length > 0) {
    await thinOldest(store);
  }
}

/** The oldest block of the densest pace that can be thinned, else the oldest is dropped. */
async function thinOldest(store: BlockStore): Promise<void> {
  for (const paceSeconds of PACES) {
    const oldest = store.all.find((block) => block.paceSeconds < paceSeconds && block.readings > 1);
    if (oldest) {
      const kept = await orBroken(async () => {
        const { body, minutes } = store.read(oldest.id);
        return { ...(await thinned(await linesOf({ body }), paceSeconds)), minutes };
      });
      // Damaged, or another process was faster.
      if (!kept || !store.all.some(({ id }) => id === oldest.id)) {
        store.remove(oldest.id);
        return;
      }
      const { lines, to, minutes } = kept;
      const span = { from: oldest.from, to, readings: lines.length - 1, paceSeconds };
      store.replace(oldest.id, { ...span, body: await compressed(lines.join('\n')), minutes });
      return;
    }
  }
  store.remove(store.all[0]!.id);
}
