import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib';
import { describe, expect, test, vi } from 'vitest';
import { linesOf } from '../../../pkg/recording/block';
import { hashedNames } from '../../../pkg/recording/hashNames';
import { openBlocks, openReplay } from '../../../pkg/recording/openReplay';
import { PastStates } from '../../../pkg/recording/pastStates';
import { decodeReading, encodeReading, type Recorded } from '../../../pkg/recording/recordedReading';
import { Recordings } from '../../../pkg/recording/recordings';
import { runQuery } from '../../../pkg/queries/registry';
import type { BlockLimits } from '../../../pkg/recording/retention';
import { ShiftedBlocks } from '../../../pkg/recording/shift';
import type { Block, BlockStore } from '../../../pkg/series/blockStore';
import { FileBlockStore } from '../../../pkg/series/fileBlockStore';
import type { NotRecorded } from '../../../pkg/source/notRecorded';
import { NOTHING_KNOWN } from '../../../pkg/sidekiq/snapshotCodec';
import { optionsSchema } from '../../../pkg/settings/model';
import { StatsdIntake } from '../../../pkg/statsd/intake';
import type { State } from '../../../pkg/watch/state';
import { Watch } from '../../../pkg/watch/watch';
import {
  aCapsule,
  aJob,
  aLock,
  aMinute,
  aProcess,
  aQueue,
  aSnapshot,
  listed,
  MINUTE,
  NOW,
  someWork,
} from '../../support/state';
import fc from '../../support/fastCheck';

const options = optionsSchema.parse({});
const beside = { options, statsd: new StatsdIntake({ series: 1, expireSeconds: 1 }), recorded: true };
const LARGE: BlockLimits = { seconds: 1e9, bytes: 1e9 };

/** A minute of one class with so many executions, the same object for the same count as `Minutes` hands it out. */
const minutes = new Map<string, ReturnType<typeof aMinute>>();
function minuteOf(startsAt: number, executions: number) {
  const key = `${startsAt}:${executions}`;
  const made = minutes.get(key) ?? aMinute(startsAt, { AJob: [executions, 0, executions * 100] });
  minutes.set(key, made);
  return made;
}

/** Ids as random as those of Sidekiq, so that they compress no better. */
function jidOf(at: number, thread: number): string {
  return createHash('md5')
    .update(`${Math.floor(at / 30)}:${thread}`)
    .digest('hex')
    .slice(0, 24);
}

/** A life in which the queue grows by a job a second, and each minute ends with 60 executions. */
function readingAt(at: number, part: Parameters<typeof aSnapshot>[0] = {}): Recorded['reading'] {
  const current = Math.floor(at / 60) * 60;
  const starts = Array.from({ length: 60 }, (_, index) => current - index * 60);
  return {
    snapshot: aSnapshot({
      at,
      queues: listed(aQueue('orders', { size: Math.round(at - NOW) + 1000, latencySeconds: at - NOW })),
      processes: listed(aProcess('web-1:1:a', { beatAt: at, capsules: [aCapsule(5, { orders: 2 })] })),
      work: listed(
        ...Array.from({ length: 20 }, (_, thread) =>
          someWork({ jid: jidOf(at, thread), thread: `t${thread}`, runAt: at - 1, enqueuedAt: at - 4 })
        )
      ),
      minutes: listed(...starts.map((startsAt) => minuteOf(startsAt, Math.min(60, Math.floor(at - startsAt))))),
      durations: starts.slice(0, 4).map((startsAt) => ({
        startsAt,
        jobClass: 'AJob',
        counts: Array.from({ length: 26 }, (_, bucket) => (bucket === 3 ? Math.min(60, Math.floor(at - startsAt)) : 0)),
      })),
      ...part,
    }),
    missed: null,
    notices: [],
    historyFile: null,
  };
}

/** Lives for so many readings. @returns the states as they were live */
function live(recordings: Recordings, count: number, pace = 10, from = NOW, watch = new Watch()): State[] {
  return Array.from({ length: count }, (_, index) => {
    const reading = readingAt(from + index * pace);
    recordings.add({ reading, beside: null }, () => watch.save(), pace);
    return watch.next({ ...reading, info: null, locks: null, usual: null }, beside);
  });
}

// JSON has no negative zero.
const finite = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
const text = fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', '\u0000', '\ud800', 'é🚀', '"\\\n'));
const orNull = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null });
const snapshots = fc
  .record({
    queues: fc.array(fc.record({ name: text, size: orNull(fc.nat()), latencySeconds: orNull(finite), jid: text })),
    processes: fc.array(fc.record({ identity: text, labels: fc.array(text), queue: text, weight: finite })),
    classes: fc.dictionary(text, fc.tuple(fc.nat(), fc.nat(), finite)),
    refused: fc.array(fc.tuple(text, fc.nat())),
    whole: fc.boolean(),
    leader: orNull(text),
  })
  .map(({ queues, processes, classes, refused, whole, leader }) =>
    aSnapshot({
      queues: {
        items: queues.map(({ jid, ...queue }) => aQueue(queue.name, { ...queue, next: aJob({ jid }) })),
        whole,
      },
      processes: listed(
        ...processes.map(({ identity, labels, queue, weight }) =>
          aProcess(identity, { labels, queues: [queue], capsules: [aCapsule(null, { [queue]: weight }, 'weighted')] })
        )
      ),
      minutes: listed(aMinute(MINUTE, classes)),
      refused: new Map(refused),
      leader,
    })
  );

test('a reading is read back equal, whatever its names and figures are', () => {
  fc.assert(
    fc.property(snapshots, (snapshot) => {
      const reading: Recorded['reading'] = {
        snapshot,
        missed: { minutes: snapshot.minutes.items, durations: snapshot.durations },
        notices: [{ severity: 'info', text: 'x' }],
        historyFile: true,
      };
      const decoded = decodeReading(encodeReading({ reading, beside: null }, NOTHING_KNOWN), NOTHING_KNOWN);
      expect(decoded).toStrictEqual({ reading, beside: null });
    })
  );
});

describe('recordings in memory', () => {
  test('give the state of the last reading before an instant, as it was live', async () => {
    const recordings = new Recordings({ memory: LARGE, file: LARGE });
    const states = live(recordings, 100);
    await recordings.settled();
    for (const [index, state] of states.entries()) {
      const past = await recordings.at(NOW + index * 10 + 7, beside);
      expect(past?.state).toEqual(state);
    }
  });

  test('give nothing before the first reading, nor where none stands for the instant', async () => {
    const recordings = new Recordings({ memory: LARGE, file: LARGE });
    live(recordings, 40);
    const end = NOW + 390;
    expect(await recordings.at(NOW - 1, beside)).toBeNull();
    expect((await recordings.at(end + 60, beside))?.state.now).toBe(end);
    expect(await recordings.at(end + 61, beside)).toBeNull();
    expect(recordings.time).toEqual({ from: NOW, to: end });
  });

  test('are thinned from the oldest on, and keep the whole time before anything is dropped', async () => {
    const whole = new Recordings({ memory: LARGE, file: LARGE });
    live(whole, 720);
    await whole.settled();
    const bytes = whole.bytes / 2;
    const recordings = new Recordings({ memory: { seconds: 1e9, bytes }, file: LARGE });
    live(recordings, 720);
    await recordings.settled();
    expect(recordings.bytes).toBeLessThan(bytes);
    expect(recordings.time!.from).toBe(NOW);
    const first = await recordings.at(NOW + 100, beside);
    expect(first!.state.now).toBe(NOW);
    // Counters of the thinned past are those that were live: every minute was counted.
    const late = await recordings.at(NOW + 3000, beside);
    expect(late!.state.classTotals.get('AJob')!.processed).toBe(late!.state.now - NOW);
  });

  test('beyond their age are dropped', async () => {
    const recordings = new Recordings({ memory: { seconds: 1800, bytes: 1e9 }, file: LARGE });
    live(recordings, 360);
    await recordings.settled();
    expect(NOW + 3590 - recordings.time!.from).toBeLessThanOrEqual(1800 + 600);
    expect(NOW + 3590 - recordings.time!.from).toBeGreaterThanOrEqual(1800);
  });

  test('tell the minutes of a pause to whoever asks for nothing after it', async () => {
    const recordings = new Recordings({ memory: LARGE, file: LARGE }, () => null);
    live(recordings, 240);
    // Minutes further back than a reading tells of are read beside the first one.
    const [paused, long] = [NOW + 4800, NOW + 40_000];
    live(recordings, 120, 10, paused);
    const missed = Array.from({ length: 300 }, (_, index) =>
      minuteOf(MINUTE + 60 * (1 + Math.floor((long - MINUTE) / 60) - 400 + index), 60)
    );
    recordings.add(
      { reading: { ...readingAt(long), missed: { minutes: missed, durations: [] } }, beside: null },
      () => ({}),
      10
    );
    await recordings.settled();
    const told = async (from: number, to: number) =>
      (await recordings.minutes({ from, to })).minutes.map(({ startsAt }) => startsAt);
    expect(await told(NOW + 2820, NOW + 4000)).toEqual(
      Array.from({ length: 21 }, (_, index) => MINUTE + 60 * (47 + index)).filter(
        (at) => at + 60 > NOW + 2820 && at <= NOW + 4000
      )
    );
    expect((await told(long - 20_000, long - 15_000)).length).toBeGreaterThanOrEqual(82);
    // As in Redis: the minute in which a range begins, and not the one that begins where it ends.
    const at = MINUTE + 3000;
    expect(await told(at, at + 300)).toEqual([0, 60, 120, 180, 240].map((seconds) => at + seconds));
    expect(await told(at + 30, at + 301)).toEqual([0, 60, 120, 180, 240, 300].map((seconds) => at + seconds));
    expect(await told(at, at)).toEqual([at]);
  });

  test('keep both stretches of time where a clock was put back, and the later one answers', async () => {
    const recordings = new Recordings({ memory: LARGE, file: LARGE });
    const watch = new Watch();
    live(recordings, 60, 10, NOW, watch);
    live(recordings, 3, 10, NOW + 100, watch);
    await recordings.settled();
    expect((await recordings.at(NOW + 125, beside))?.state.now).toBe(NOW + 120);
    expect((await recordings.at(NOW + 500, beside))?.state.now).toBe(NOW + 500);
  });

  test('tell of each time once, however clocks were set, and end with the present', async () => {
    const recordings = new Recordings({ memory: LARGE, file: LARGE });
    const watch = new Watch();
    live(recordings, 60, 10, NOW, watch);
    live(recordings, 30, 10, NOW + 86_400, watch);
    live(recordings, 60, 10, NOW + 900, watch);
    await recordings.settled();
    expect(recordings.time).toEqual({ from: NOW, to: NOW + 1490 });
    const told: number[] = [];
    await recordings.each({ from: -Infinity, to: Infinity }, beside, ({ state }) => void told.push(state.now - NOW));
    const tens = (from: number, count: number) => Array.from({ length: count }, (_, index) => from + 10 * index);
    expect(told).toEqual([...tens(0, 60), ...tens(900, 60)]);
  });

  test('of two processes tell of each time once', async () => {
    const blocks: Block[] = [];
    const [one, other] = [0, 1].map(() => new Recordings({ memory: LARGE, file: LARGE }, () => storeOf(blocks)));
    for (let part = 0; part < 4; part += 1) {
      live(one!, 20, 10, NOW + 200 * part);
      await one!.settled();
      live(other!, 20, 10, NOW + 200 * part + 103);
      await other!.settled();
    }
    one!.flush();
    other!.flush();
    const told: number[] = [];
    await one!.each({ from: -Infinity, to: Infinity }, beside, ({ state }) => void told.push(state.now - NOW));
    expect(told.length).toBeGreaterThan(80);
    expect([...new Set(told)].sort((a, b) => a - b)).toEqual(told);
  });

  test('tell of an instant without a reading where there are some', async () => {
    const recordings = new Recordings({ memory: LARGE, file: LARGE });
    live(recordings, 6, 10, NOW + 0.7);
    live(recordings, 6, 10, NOW + 1200);
    const states = new PastStates(recordings, () => Promise.reject(new Error('not asked')), beside);
    const told = async (at: number) => states.at(at).then(String, (error: NotRecorded) => error.remedy);
    const text = (at: number) => new Date(at * 1000).toISOString().slice(0, 19).replace('T', ' ') + ' UTC';
    expect(await told(NOW + 0.2)).toBe(`Recordings begin at ${text(NOW + 1)}.`);
    expect(await told(NOW + 600)).toBe(
      `Recordings reach from ${text(NOW + 1)} to ${text(NOW + 1250)}, with a gap after ${text(NOW + 50.7)}.`
    );
    expect(await told(NOW + 9000)).toBe(`Recordings end at ${text(NOW + 1250)}.`);
    // Of a gap within a block too.
    const within = new Recordings({ memory: LARGE, file: LARGE });
    live(within, 3, 10, NOW);
    live(within, 2, 10, NOW + 150);
    const error = await new PastStates(within, () => Promise.reject(new Error('not asked')), beside)
      .at(NOW + 120)
      .catch((reason: NotRecorded) => reason);
    expect(error).toMatchObject({
      before: NOW + 20,
      remedy: expect.stringContaining(`a gap after ${text(NOW + 20)}.`),
    });
  });

  test.each([
    ['', 'Recordings begin with the first reading of this process; a history file keeps them over a restart.'],
    ['/data/a.db', 'The history file holds no readings, or cannot be used; the health check says why.'],
  ])('say where there is nothing whether a history file %s would help', async (historyFile, remedy) => {
    const recordings = new Recordings({ memory: LARGE, file: LARGE });
    const options = { ...beside.options, historyFile };
    const states = new PastStates(recordings, () => Promise.reject(new Error('not asked')), { ...beside, options });
    await expect(states.at(NOW)).rejects.toMatchObject({ remedy });
  });

  test('know every minute that has ended for good, with its durations', async () => {
    const recordings = new Recordings({ memory: LARGE, file: LARGE });
    live(recordings, 360);
    await recordings.settled();
    const { minutes: found, durations } = await recordings.minutes({ from: MINUTE + 60, to: MINUTE + 1860 - 1 });
    expect(found.map(({ startsAt }) => startsAt)).toEqual(Array.from({ length: 30 }, (_, m) => MINUTE + 60 * (m + 1)));
    expect(found.every(({ classes }) => classes.get('AJob')!.processed === 60)).toBe(true);
    expect(durations).toHaveLength(30);
    expect(durations.every(({ counts }) => counts[3] === 60)).toBe(true);
  });

  test('a damaged block answers nothing, and the others do', async () => {
    const told = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const blocks: Block[] = [];
    const recordings = new Recordings({ memory: LARGE, file: LARGE }, () => storeOf(blocks));
    live(recordings, 90);
    await recordings.settled();
    blocks[0] = { ...blocks[0]!, body: Buffer.from('garbage'), minutes: Buffer.from('garbage') };
    expect(await recordings.at(NOW + 100, beside)).toBeNull();
    expect((await recordings.at(NOW + 500, beside))?.state.now).toBe(NOW + 500);
    await expect(recordings.minutes({ from: NOW, to: NOW + 900 })).resolves.toBeDefined();
    expect(String(told.mock.calls[0]?.[0])).toContain('a block of a recording cannot be read');
    told.mockRestore();
  });
});

// Found by a review: a file that was opened anew while it was read was empty for all questions after it.
test('minutes that could not be read once are read again', async () => {
  const told = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const blocks: Block[] = [];
  const store = storeOf(blocks);
  let isAway = false;
  const file: BlockStore = {
    ...store,
    get all() {
      return store.all;
    },
    read: (id) => {
      if (isAway) {
        throw new Error('database is closed');
      }
      return store.read(id);
    },
  };
  const recordings = new Recordings({ memory: LARGE, file: LARGE }, () => file);
  live(recordings, 360);
  await recordings.settled();
  const found = async () => (await recordings.minutes({ from: NOW, to: NOW + 3600 })).minutes.length;
  isAway = true;
  const few = await found();
  isAway = false;
  expect(await found()).toBeGreaterThan(few + 40);
  told.mockRestore();
});

test('a file that takes nothing more is told once, and bounds the memory all the same', async () => {
  const told = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const refuse = () => {
    throw new Error('attempt to write a readonly database');
  };
  const file: BlockStore = { all: [], bytes: 0, add: refuse, read: refuse, replace: refuse, remove: refuse };
  const recordings = new Recordings({ memory: { seconds: 600, bytes: 1e9 }, file: LARGE }, () => file);
  live(recordings, 720);
  await recordings.settled();
  expect(NOW + 7190 - recordings.time!.from).toBeLessThanOrEqual(800);
  recordings.flush();
  expect(told.mock.calls.filter(([line]) => String(line).includes('could not be'))).toHaveLength(1);
  told.mockRestore();
});

test('what goes wrong with whoever takes the states of a range is no damaged block', async () => {
  const recordings = new Recordings({ memory: LARGE, file: LARGE });
  live(recordings, 60);
  const taken: number[] = [];
  const take = ({ state }: { state: State }) => {
    taken.push(state.now);
    if (state.now >= NOW + 300) {
      throw new Error('of the one who asks');
    }
  };
  await expect(recordings.each({ from: NOW + 290, to: NOW + 590 }, beside, take)).rejects.toThrow(
    'of the one who asks'
  );
  expect(taken).toEqual([NOW + 290, NOW + 300]);
});

/** A store that holds blocks as they are. */
function storeOf(blocks: Block[]): BlockStore {
  return {
    get all() {
      return blocks.map((block, id) => ({ ...block, id, bytes: block.body.length + block.minutes.length }));
    },
    bytes: 0,
    add: (block) => blocks.push(block),
    read: (id) => blocks[id]!,
    replace: (id, block) => (blocks[id] = block),
    remove: () => undefined,
  };
}

test.each([
  ['while it goes on', 75],
  ['at its end', 0],
])('blocks that the file did not take come into it %s, in their order', async (_, readingsAfter) => {
  const told = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const blocks: Block[] = [];
  let full = false;
  const store = storeOf(blocks);
  const file: BlockStore = {
    ...store,
    get all() {
      return store.all;
    },
    add(block) {
      if (full) {
        throw new Error('database or disk is full');
      }
      store.add(block);
    },
  };
  const recordings = new Recordings({ memory: LARGE, file: LARGE }, () => file);
  const watch = new Watch();
  live(recordings, 50, 10, NOW, watch);
  await recordings.settled();
  full = true;
  live(recordings, 75, 10, NOW + 500, watch);
  await recordings.settled();
  expect((await recordings.at(NOW + 900, beside))?.state.now).toBe(NOW + 900);
  full = false;
  live(recordings, readingsAfter, 10, NOW + 1250, watch);
  await recordings.settled();
  if (readingsAfter === 0) {
    recordings.flush();
  }
  // All readings, one block after the other, each once.
  const spans = blocks.map(({ from, to, readings }) => [from - NOW, to - NOW, readings]);
  expect(spans.slice(0, 5)).toEqual([0, 1, 2, 3, 4].map((block) => [block * 200, block * 200 + 190, 20]));
  expect((await recordings.at(NOW + 900, beside))?.state.now).toBe(NOW + 900);
  told.mockRestore();
});

test('minutes of a block in memory are its own, though the file that is away has one of the same number', async () => {
  // As SQLite and the memory number them.
  const first = new Recordings({ memory: LARGE, file: LARGE });
  const other = new Recordings({ memory: LARGE, file: LARGE });
  live(first, 100);
  live(other, 100, 10, NOW + 7200);
  await Promise.all([first.settled(), other.settled()]);
  const { memory: file } = first as unknown as { memory: BlockStore };
  let away = false;
  const recordings = new Recordings({ memory: LARGE, file: LARGE }, () => (away ? null : file));
  const before = { from: NOW, to: NOW + 990 };
  const told = await recordings.minutes(before);
  away = true;
  live(recordings, 100, 10, NOW + 7200);
  await recordings.settled();
  const after = { from: NOW + 7200, to: NOW + 8190 };
  expect(await recordings.minutes(after)).toEqual(await other.minutes(after));
  away = false;
  expect(await recordings.minutes(before)).toEqual(told);
});

describe('a block of somebody else', () => {
  test.each([
    ['nested without an end', '['.repeat(5_000_000)],
    ['nested with values between', '[1,'.repeat(1_000_000)],
    ['of lines without an end', '{}\n'.repeat(1_000_000)],
  ])('%s is refused before it is parsed', async (_, text) => {
    const body = brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } });
    await expect(linesOf({ body })).rejects.toThrow('a shape that is never written');
  });

  test('may hold any bracket within a text', async () => {
    const line = JSON.stringify({ text: `"\\${'['.repeat(500)}` });
    expect(await linesOf({ body: brotliCompressSync(line) })).toEqual([line]);
  });
});

const directory = mkdtempSync(join(tmpdir(), 'jobwatch-recording-'));
let files = 0;
function newFile(): string {
  files += 1;
  return join(directory, `${files}.rec`);
}

/** A recording of one block that is empty. */
function ofHeader(part: object): string {
  const header = JSON.stringify({ from: NOW, to: NOW, readings: 1, paceSeconds: 10, body: 0, minutes: 0, ...part });
  return `JOBWATCH RECORDING 1\n${String.fromCharCode(header.length)}\0\0\0${header}`;
}

async function recordedFile(count = 90): Promise<string> {
  const path = newFile();
  const file = FileBlockStore.create(path);
  const recordings = new Recordings({ memory: LARGE, file: LARGE }, () => file);
  live(recordings, count);
  await recordings.settled();
  recordings.flush();
  file.close();
  return path;
}

describe('a recording in a file', () => {
  test('is a source: of its end, or of any instant in it', async () => {
    const { source, close } = await openReplay(await recordedFile(), options, { speed: 0 });
    expect((await source.state()).now).toBe(NOW + 890);
    expect((await source.state(NOW + 305)).now).toBe(NOW + 300);
    await expect(source.state(NOW - 100)).rejects.toThrow('Nothing was recorded at 2026-11-25 11:58:50 UTC.');
    const state = await source.state();
    const figures = await source.reads(undefined, state).history();
    expect(figures.read('queue', 'enqueued', NOW, NOW + 890, 'orders')[0]!.values).toEqual(
      Array.from({ length: 90 }, (_, index) => 1000 + index * 10)
    );
    close();
  });

  test('that ends within a block is read up to that block', async () => {
    const path = await recordedFile();
    const bytes = readFileSync(path);
    const cutFile = newFile();
    writeFileSync(cutFile, bytes.subarray(0, bytes.length - 10));
    const { source, close } = await openReplay(cutFile, options, { speed: 0 });
    expect((await source.state()).now).toBe(NOW + 790);
    close();
  });

  test('of which a later header is damaged is read up to it', async () => {
    const path = await recordedFile();
    const bytes = readFileSync(path);
    const header = bytes.lastIndexOf('{"from"');
    bytes[header + 2] = 0x58;
    const damaged = newFile();
    writeFileSync(damaged, bytes);
    const { source, close } = await openReplay(damaged, options, { speed: 0 });
    expect((await source.state()).now).toBe(NOW + 790);
    close();
  });

  test.each([
    ['is missing', undefined, 'ENOENT'],
    ['is something else', 'hello', 'it is no recording of Jobwatch'],
    ['is of a later version', 'JOBWATCH RECORDING 12\n', 'a newer version of Jobwatch'],
    ['holds no reading', 'JOBWATCH RECORDING 1\n', 'holds no reading'],
    ['is of no time', ofHeader({ from: 0, to: 1e300 }), 'cannot be read'],
    ['announces more readings than a block has', ofHeader({ readings: 1e9 }), 'cannot be read'],
    ['has a header that is no header', 'JOBWATCH RECORDING 1\n\u0002\u0000\u0000\u0000{}', 'cannot be read'],
  ])('that %s is refused by name', async (_, content, expected) => {
    const path = newFile();
    if (content !== undefined) {
      writeFileSync(path, content);
    }
    await expect(openReplay(path, options, { speed: 0 })).rejects.toThrow(expected);
  });

  test('is shifted to end now, with every instant in it', async () => {
    const path = await recordedFile();
    const now = NOW + 86_400 * 3 + 890 + 17;
    vi.useFakeTimers({ toFake: ['Date'], now: now * 1000 });
    const shifted = await openReplay(path, options, { speed: 0, shift: true });
    vi.useRealTimers();
    const plain = await openReplay(path, options, { speed: 0 });
    // Whole minutes, so that minutes stay minutes.
    const by = 86_400 * 3;
    const [one, other] = await Promise.all([shifted.source.state(NOW + by + 405), plain.source.state(NOW + 405)]);
    expect(one.now - other.now).toBe(by);
    expect(one.queues).toEqual(other.queues);
    expect(one.totals).toEqual(other.totals);
    const times = (state: State) => ({
      work: state.snapshot.work.items.map(({ runAt, enqueuedAt }) => [runAt, enqueuedAt]),
      minutes: state.snapshot.minutes.items.map(({ startsAt }) => [startsAt]),
      durations: state.snapshot.durations.map(({ startsAt }) => [startsAt]),
      processes: state.snapshot.processes.items.map(({ startedAt, beatAt }) => [startedAt, beatAt]),
      events: state.processLog.events.map(({ at }) => [at]),
      findings: state.findingLog.open.map(({ beganAt }) => [beganAt]),
      classes: [...state.classTotals.values()].map(({ lastRunAt }) => [lastRunAt]),
    });
    for (const [name, all] of Object.entries(times(one))) {
      const before = times(other)[name as 'work'];
      expect(all, name).toEqual(before.map((each) => each.map((at) => at! + by)));
      expect(all.length, name).toBeGreaterThan(0);
    }
    expect([...one.classTotals.values()].map(({ processed }) => processed)).toEqual(
      [...other.classTotals.values()].map(({ processed }) => processed)
    );
    const { minutes: final } = await shifted.source
      .reads(undefined, one)
      .recordedMinutes({ from: MINUTE + by, to: NOW + by + 300 });
    expect(final[0]!.startsAt).toBe(MINUTE + by);
    shifted.close();
    plain.close();
  });

  test('that ends in zeros, as after a loss of power, is read up to them', async () => {
    const path = await recordedFile();
    const whole = await openReplay(path, options, { speed: 0 });
    const { now } = await whole.source.state(NOW + 500);
    whole.close();
    const written = readFileSync(path);
    // After the last block, or within the header of one more.
    for (const begun of [0, 3, 6, 40]) {
      writeFileSync(path, Buffer.concat([written, written.subarray(21, 21 + begun), Buffer.alloc(2000)]));
      const cut = await openReplay(path, options, { speed: 0 });
      expect((await cut.source.state(NOW + 500)).now, String(begun)).toBe(now);
      cut.close();
    }
  });

  /** A recording with locks, a finding that goes on, and an error of each kind. */
  async function eventful(): Promise<string> {
    const path = newFile();
    const file = FileBlockStore.create(path);
    const recordings = new Recordings({ memory: LARGE, file: LARGE }, () => file);
    const watch = new Watch();
    const failure = { class: 'Billing', metricsClass: 'Billing', queue: 'orders', message: 'secret', frame: 'f.rb:1' };
    const memory = new Map([
      ['used_memory', '500'],
      ['maxmemory', '1000'],
    ]);
    const counted = { looked: 2, total: 2, broken: 0, oversized: 0 };
    for (let index = 0; index < 90; index += 1) {
      const at = NOW + index * 10;
      const reading = readingAt(at, {
        queues: listed(aQueue('orders', { size: 50, latencySeconds: 2000 + index * 10 })),
      });
      const failures = ['Acme::Customer4711Error', 'Net::ReadTimeout', 'CustomerError', 'KeyError'].map(
        (errorClass) => ({
          ...{ ...failure, errorClass, source: 'retry' as const },
          ...{ firstAt: at - 60, lastAt: at - 5, count: 1 },
        })
      );
      const lock = aLock({
        digest: 'uniquejobs:abc',
        class: 'Billing',
        place: 'nowhere',
        nowhereSince: NOW - 300,
        since: NOW - 400,
      });
      const read = {
        ...{ at, info: memory, backlog: null, profiles: null, usual: null },
        failures: { retry: { failures, ...counted }, dead: { failures: [], ...counted } },
        locks: { locks: [lock], digests: 1, notices: [] },
      };
      recordings.add({ reading, beside: index % 6 === 0 ? read : null }, () => watch.save(), 10);
      watch.next({ ...reading, info: memory, locks: read.locks, usual: null }, beside);
    }
    recordings.flush();
    await recordings.settled();
    file.close();
    return path;
  }

  /** The texts of all blocks of a file. */
  async function textsOf(path: string): Promise<string> {
    const blocks = await openBlocks(path);
    const texts = blocks.all.flatMap(({ id }) => {
      const { body, minutes: final } = blocks.read(id);
      return [brotliDecompressSync(body).toString(), brotliDecompressSync(final).toString()];
    });
    blocks.close();
    return texts.join('\n');
  }

  test('with hashed names is read whatever is recorded, tells the same findings, and names no error of the application', async () => {
    const path = await eventful();
    const out = newFile();
    const [from, to, names] = [await openBlocks(path), FileBlockStore.create(out), hashedNames()];
    for (const { id, bytes: _, ...span } of from.all) {
      to.add(await names.block({ ...span, ...from.read(id) }));
    }
    from.close();
    to.close();
    const texts = await textsOf(out);
    for (const name of ['orders', 'Billing', 'Customer', 'secret', 'f.rb']) {
      expect(texts).not.toContain(name);
    }
    expect(texts).toContain('Net::ReadTimeout');
    const [plain, hashed] = [
      await openReplay(path, options, { speed: 0 }),
      await openReplay(out, options, { speed: 0 }),
    ];
    const told = async ({ source }: typeof plain) => {
      const { findingLog, locks } = await source.state(NOW + 880);
      const findings = ({ rule, kind, beganAt, endedAt }: (typeof findingLog.open)[number]) => [
        rule,
        kind,
        beganAt,
        endedAt,
      ];
      return { open: findingLog.open.map(findings), ended: findingLog.ended.map(findings), locks: locks?.locks.length };
    };
    expect(await told(hashed)).toEqual(await told(plain));
    expect((await told(plain)).open.length).toBeGreaterThan(0);
    plain.close();
    hashed.close();
  });

  test('that is shifted holds no instant of before', async () => {
    const path = await eventful();
    const by = 86_400 * 30;
    const shifted = new ShiftedBlocks(await openBlocks(path), by);
    const texts = shifted.all.flatMap(({ id }) => {
      const { body, minutes: final } = shifted.read(id);
      return [brotliDecompressSync(body).toString(), brotliDecompressSync(final).toString()];
    });
    shifted.close();
    const numbers = [...texts.join('\n').matchAll(/\d{10}(?:\.\d+)?/g)].map(([digits]) => Number(digits));
    const old = numbers.filter((number) => Math.abs(number - NOW) < 86_400);
    expect(old).toEqual([]);
    expect(numbers.filter((number) => Math.abs(number - NOW - by) < 86_400).length).toBeGreaterThan(1000);
  });

  test.each(['events', 'lost'])(
    '%s of a time that was not recorded are told as known later, and that is said',
    async (type) => {
      const path = newFile();
      const file = FileBlockStore.create(path);
      const recordings = new Recordings({ memory: LARGE, file: LARGE }, () => file);
      live(recordings, 60);
      live(recordings, 60, 10, NOW + 3600);
      recordings.flush();
      await recordings.settled();
      file.close();
      const { source, close } = await openReplay(path, options, { speed: 0 });
      const told = async (from: number, to: number) => {
        const request = { range: { from: NOW + from, to: NOW + to }, intervalSeconds: 60, alerting: false };
        const [frame] = await runQuery({ queryType: type }, source, request);
        return (frame!.meta?.notices ?? []).map(({ text }) => text).filter((text) => text.includes('known by now'));
      };
      expect(await told(1800, 2400)).toEqual([
        expect.stringMatching(/Nothing was recorded.*What is known by now is shown\.$/),
      ]);
      expect(await told(0, 400)).toEqual([]);
      close();
    }
  );

  test('never overwrites a file', async () => {
    const path = await recordedFile(2);
    expect(() => FileBlockStore.create(path)).toThrow('the file exists');
  });

  test.each([
    ['8.1.7', true],
    ['7.0.0.beta1', true],
    ['acme-internal', false],
    ['1.2.3-acme', false],
  ])('with hashed names has the version %s as it is: %s', async (version, isKept) => {
    const file = FileBlockStore.create(newFile());
    const recordings = new Recordings({ memory: LARGE, file: LARGE }, () => file);
    const processes = listed(aProcess('web-1:1:a', { version }));
    recordings.add({ reading: readingAt(NOW, { processes }), beside: null }, () => ({}), 10);
    recordings.flush();
    const [stored] = file.all;
    const { bytes: _, id, ...span } = stored!;
    const { body } = await hashedNames().block({ ...span, ...file.read(id) });
    file.close();
    expect(brotliDecompressSync(body).toString().includes(version)).toBe(isKept);
  });

  test('with hashed names holds none of them, and answers the same figures', async () => {
    const path = await recordedFile();
    const from = await openBlocks(path);
    const out = newFile();
    const to = FileBlockStore.create(out);
    const names = hashedNames();
    for (const { id, bytes: _, ...span } of from.all) {
      to.add(await names.block({ ...span, ...from.read(id) }));
    }
    from.close();
    const texts = to.all.flatMap(({ id }) => {
      const { body, minutes: final } = to.read(id);
      return [brotliDecompressSync(body).toString(), brotliDecompressSync(final).toString()];
    });
    to.close();
    for (const name of ['orders', 'web-1', 'AJob', 'shop']) {
      expect(texts.join('\n')).not.toContain(name);
    }
    const plain = await openReplay(path, options, { speed: 0 });
    const hashed = await openReplay(out, options, { speed: 0 });
    const figures = async ({ source }: typeof plain) => {
      const { queues, classTotals, totals, processLog } = await source.state(NOW + 500);
      return {
        queues: queues.map(({ size, waitSeconds, busy, inRate }) => ({ size, waitSeconds, busy, inRate })),
        classes: [...classTotals.values()],
        totals: {
          ...totals,
          lastHour: [...(totals.lastHour?.values() ?? [])],
          recent: [...(totals.recent?.values() ?? [])],
        },
        events: processLog.events.length,
      };
    };
    expect(await figures(hashed)).toEqual(await figures(plain));
    plain.close();
    hashed.close();
  });
});
