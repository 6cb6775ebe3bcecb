import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Fault } from '../../../pkg/faults/fault';
import type { SeriesValue } from '../../../pkg/series/figures';
import { MemoryStore } from '../../../pkg/series/memoryStore';
import { Recorder } from '../../../pkg/series/recorder';
import type { HistoryStore } from '../../../pkg/series/store';

const value = (figure: string, number: number, key = ''): SeriesValue => ({
  scope: 'total',
  key,
  figure,
  value: number,
});

describe('the store in memory', () => {
  test('keeps what it is given, series by series, and nothing out of the order of time', () => {
    const store = new MemoryStore();
    store.append(10, [value('a', 1), { scope: 'queue', key: 'q', figure: 'a', value: 7 }]);
    store.append(20, [value('a', 2), value('b', 5)]);
    store.append(20, [value('a', 99)]);
    store.append(15, [value('a', 99)]);
    expect(store.read('total', 'a', 0, 100)).toEqual([{ key: '', at: [10, 20], values: [1, 2] }]);
    expect(store.read('total', 'b', 0, 100)).toEqual([{ key: '', at: [20], values: [5] }]);
    expect(store.read('queue', 'a', 0, 100)).toEqual([{ key: 'q', at: [10], values: [7] }]);
    expect(store.read('queue', 'b', 0, 100)).toEqual([]);
    expect([store.keys('total', 'a'), store.keys('queue', 'a'), store.keys('queue', 'b')]).toEqual([[''], ['q'], []]);
    expect(store.read('queue', 'a', 0, 100, 'q')).toHaveLength(1);
    expect(store.read('queue', 'a', 0, 100, 'other')).toEqual([]);
    expect(store.oldest()).toBe(10);
    expect(store.size).toBe(2 + 3);
  });

  test('gives the range with the point before it, which a rate needs', () => {
    const store = new MemoryStore();
    [10, 20, 30, 40].forEach((at) => store.append(at, [value('a', at)]));
    expect(store.read('total', 'a', 25, 35)[0]!.at).toEqual([20, 30]);
    expect(store.read('total', 'a', 20, 30)[0]!.at).toEqual([10, 20, 30]);
    expect(store.read('total', 'a', 0, 10)[0]!.at).toEqual([10]);
    expect(store.read('total', 'a', 50, 60)[0]!.at).toEqual([40]);
    expect(store.read('total', 'a', 0, 5)).toEqual([]);
  });

  test('is empty at first and after it is closed', () => {
    const store = new MemoryStore();
    expect(store.oldest()).toBeNull();
    store.append(10, [value('a', 1)]);
    store.close();
    expect(store.oldest()).toBeNull();
    expect(store.loadState()).toBeNull();
  });

  test('keeps six hours whole and a week by the minute, of a simulated month', () => {
    const store = new MemoryStore();
    const month = 30 * 86_400;
    const values = Array.from({ length: 40 }, (_, index) => value(`f${index}`, index));
    for (let at = 0; at <= month; at += 10) {
      store.append(at, values);
    }
    expect(store.size).toBeLessThan(3_000_000);
    expect(store.read('total', 'f7', month - 6 * 3600, month)[0]!.at).toHaveLength(2162);
    expect(store.oldest()).toBe(month - 7 * 86_400);
    const [week] = store.read('total', 'f7', 0, month - 6 * 3600 - 60);
    expect(week!.at[1]! - week!.at[0]!).toBe(60);
  });

  test.each([0, 30])('keeps every sample of waits, which come every five minutes (from second %i on)', (first) => {
    const store = new MemoryStore();
    const day = 86_400;
    for (let at = 0; at <= day; at += 10) {
      const isDue = at >= first && (at - first) % 300 === 0;
      store.append(at, [value('busy', 1), ...(isDue ? [value('waited', at), value('begun', at)] : [])]);
    }
    expect(store.read('total', 'waited', 0, day)[0]!.at).toHaveLength(Math.floor((day - first) / 300) + 1);
    expect(store.read('total', 'begun', 0, day)[0]!.values.slice(0, 2)).toEqual([first, first + 300]);
  });

  test('drops nothing for its age while a clock is ahead', () => {
    const store = new MemoryStore();
    [0, 60].forEach((at) => store.append(at, [value('a', 1)]));
    store.append(10 * 86_400, [value('a', 2)], 120);
    expect(store.read('total', 'a', 0, 100)[0]!.at).toEqual([0, 60]);
    store.append(10 * 86_400 + 1, [value('a', 2)]);
    expect(store.read('total', 'a', 0, 100)).toEqual([]);
  });

  test('drops the oldest samples, not the newest, where more series come than fit', () => {
    const store = new MemoryStore({ numbers: 1000 });
    for (let at = 0; at < 1000; at += 10) {
      store.append(
        at,
        Array.from({ length: 50 }, (_, index) => value(`f${index}`, at))
      );
    }
    expect(store.size).toBe(1000);
    expect(store.read('total', 'f0', 0, 1000)[0]!.at).toHaveLength(20);
    expect(store.read('total', 'f0', 0, 1000)[0]!.at.at(-1)).toBe(990);
  });

  test('drops the thinned samples before the whole ones', () => {
    const store = new MemoryStore({ numbers: 10, fullSeconds: 50, thinnedEverySeconds: 20 });
    for (let at = 0; at <= 200; at += 10) {
      store.append(at, [value('a', at)]);
    }
    expect(store.read('total', 'a', 0, 200)[0]!.at).toEqual([80, 100, 120, 140, 150, 160, 170, 180, 190, 200]);
  });

  test('forgets series of ever new queues with their samples', () => {
    const store = new MemoryStore({ numbers: 10_000, fullSeconds: 100 });
    for (let step = 0; step < 30_000; step += 1) {
      store.append(step * 10, [value('steady', step), value('size', step, `job-${step}`)]);
    }
    expect(store.size).toBeLessThanOrEqual(10_000 + 4000);
    expect(store.read('total', 'steady', 299_900, 300_000)[0]!.values.at(-1)).toBe(29_999);
    expect(store.read('total', 'size', 299_990, 300_000).at(-1)).toMatchObject({ key: 'job-29999', values: [29_999] });
  });
});

const logged: string[] = [];
beforeEach(() => {
  logged.length = 0;
  vi.spyOn(process.stderr, 'write').mockImplementation((line) => {
    logged.push((JSON.parse(String(line)) as Record<string, string>)['@message']!);
    return true;
  });
});
afterEach(() => vi.restoreAllMocks());

describe('the recorder', () => {
  /** A file that fails when it is told to. */
  function aFile() {
    const memory = new MemoryStore();
    const states = new Map<string, string>();
    const file = {
      broken: false,
      /** It can be read. */
      full: false,
      closed: 0,
      store: undefined as unknown as HistoryStore,
    };
    const guarded = <T>(work: () => T): T => {
      if (file.broken) {
        throw new Error('disk I/O error');
      }
      return work();
    };
    const written = <T>(work: () => T): T => {
      if (file.full) {
        throw new Error('database or disk is full');
      }
      return guarded(work);
    };
    file.store = {
      blocks: null,
      append: (at, values) => written(() => memory.append(at, values)),
      keys: (...args) => guarded(() => memory.keys(...args)),
      read: (...args) => guarded(() => memory.read(...args)),
      oldest: () => guarded(() => memory.oldest()),
      newest: () => guarded(() => memory.newest()),
      secondsAfter: (at) => guarded(() => memory.secondsAfter(at)),
      forgetAfter: (at) => written(() => memory.forgetAfter(at)),
      loadState: (name) => guarded(() => states.get(name) ?? null),
      saveState: (name, state) => written(() => void states.set(name, state())),
      close: () => {
        file.closed += 1;
        guarded(() => undefined);
      },
    };
    return file;
  }

  test('without a file keeps everything in memory, and nothing to say', async () => {
    const recorder = new Recorder();
    expect(await recorder.ready(1000)).toBe(false);
    recorder.append(10, [value('a', 1)]);
    recorder.saveState('x', () => {
      throw new Error('asked for');
    });
    expect(recorder.read('total', 'a', 0, 20)[0]!.values).toEqual([1]);
    expect(recorder.oldest()).toBe(10);
    expect(recorder.loadState('x')).toBeNull();
    expect(recorder.notices).toEqual([]);
  });

  test('with a file keeps it there, and says once that it was opened', async () => {
    const file = aFile();
    const recorder = new Recorder(async () => file.store);
    expect(await recorder.ready(1000)).toBe(true);
    expect(await recorder.ready(2000)).toBe(false);
    recorder.append(10, [value('a', 1)]);
    recorder.saveState('x', () => 'state');
    expect(file.store.read('total', 'a', 0, 20)[0]!.values).toEqual([1]);
    expect(recorder.loadState('x')).toBe('state');
    expect(recorder.oldest()).toBe(10);
    recorder.close();
    expect(file.closed).toBe(1);
  });

  test('goes on in memory where the file cannot be opened, says so, and tries again once a minute', async () => {
    const file = aFile();
    let tries = 0;
    let fault: Error | undefined = new Fault({ kind: 'settings', message: 'No such folder.', remedy: 'Make it.' });
    const recorder = new Recorder(async () => {
      tries += 1;
      if (fault) {
        throw fault;
      }
      return file.store;
    });
    expect(await recorder.ready(1000)).toBe(false);
    expect(recorder.notices).toEqual([
      {
        severity: 'warning',
        text: 'No such folder. Make it. The history is kept in memory until the file can be used.',
      },
    ]);
    recorder.append(10, [value('a', 1)]);
    expect(recorder.read('total', 'a', 0, 20)[0]!.values).toEqual([1]);
    await recorder.ready(1059);
    expect(tries).toBe(1);
    await recorder.ready(1060);
    fault = undefined;
    expect(await recorder.ready(1120)).toBe(true);
    expect(recorder.notices).toEqual([]);
    expect(tries).toBe(3);
    // Once, however often it is tried.
    expect(logged).toEqual([
      'the history file cannot be used; figures and readings are kept in memory until it can',
      'the history file is used again',
    ]);
  });

  test('gives a file that failed what came meanwhile, once each and in order, and at its end at the latest', async () => {
    const file = aFile();
    const recorder = new Recorder(async () => file.store);
    await recorder.ready(1000);
    recorder.append(10, [value('a', 1)]);
    file.broken = true;
    for (let at = 20; at <= 3010; at += 10) {
      recorder.append(at, [value('a', at)]);
    }
    file.broken = false;
    recorder.append(3080, [value('a', 3080)]);
    const held = () => file.store.read('total', 'a', 0, 4000)[0]!.values;
    // Not all at once: each append takes a moment.
    expect(held()).toHaveLength(201);
    recorder.close();
    expect(held()).toEqual([1, ...Array.from({ length: 300 }, (_, index) => 20 + index * 10), 3080]);
  });

  test.each<[string, (recorder: Recorder) => unknown]>([
    ['a sample is appended', (recorder) => recorder.append(20, [value('a', 2)])],
    ['a state is saved', (recorder) => recorder.saveState('x', () => '')],
  ])('goes on in memory where the file fails later as %s, and reads the file as before', async (_, use) => {
    const file = aFile();
    const recorder = new Recorder(async () => file.store);
    await recorder.ready(1000);
    recorder.append(10, [value('a', 1)]);
    file.full = true;
    use(recorder);
    expect(recorder.notices.map(({ text }) => text)).toEqual([
      'The history file failed: database or disk is full. What is new is kept in memory until the file takes it.',
    ]);
    recorder.append(30, [value('a', 3), value('a', 4, 'k')]);
    const [points, other] = recorder.read('total', 'a', 0, 40);
    expect([points!.at[0], points!.at.at(-1)]).toEqual([10, 30]);
    expect(points!.values).toEqual(points!.at.map((at) => at / 10));
    expect(other).toEqual({ key: 'k', at: [30], values: [4] });
    expect(recorder.keys('total', 'a')).toEqual(['', 'k']);
    expect([recorder.oldest(), file.closed]).toEqual([10, 0]);
    file.full = false;
    recorder.append(100, [value('a', 10)]);
    expect(recorder.notices).toEqual([]);
    const again = recorder.read('total', 'a', 0, 100)[0]!;
    expect(again).toEqual(file.store.read('total', 'a', 0, 100)[0]);
    expect(again.values).toEqual(again.at.map((at) => at / 10));
  });

  test('tries a file to which another process writes with the next sample', async () => {
    const file = aFile();
    const recorder = new Recorder(async () => file.store);
    await recorder.ready(1000);
    const { append } = file.store;
    file.store.append = () => {
      throw new Error('database is locked');
    };
    recorder.append(10, [value('a', 1)]);
    expect(recorder.usesFile).toBe(false);
    file.store.append = append;
    recorder.append(20, [value('a', 2)]);
    expect(recorder.usesFile).toBe(true);
    expect(file.store.read('total', 'a', 0, 40)[0]!.values).toEqual([1, 2]);
  });

  test('logs each reason for which a file fails once', async () => {
    const file = aFile();
    const recorder = new Recorder(async () => file.store);
    await recorder.ready(1000);
    file.full = true;
    recorder.append(10, [value('a', 1)]);
    recorder.append(20, [value('a', 2)]);
    file.full = false;
    file.broken = true;
    recorder.append(80, [value('a', 3)]);
    recorder.append(90, [value('a', 4)]);
    expect(logged).toHaveLength(2);
  });

  test('opens a file that can only be read anew once a minute, and asks for no state of it', async () => {
    const refusal = new Error('attempt to write a readonly database');
    const files = [aFile(), aFile(), aFile()];
    files.slice(0, 2).forEach((file) => (file.store = { ...file.store, refusal }));
    let opened = 0;
    const recorder = new Recorder(async () => files[opened++]!.store);
    expect(await recorder.ready(1000)).toBe(true);
    expect(recorder.notices.map(({ text }) => text)).toEqual([
      'The history file failed: attempt to write a readonly database. What is new is kept in memory until the file takes it.',
    ]);
    recorder.append(10, [value('a', 1)]);
    expect(files[0]!.store.oldest()).toBeNull();
    expect(await recorder.ready(1059)).toBe(false);
    expect(opened).toBe(1);
    // The one that is read stays, since the other is no better.
    expect(await recorder.ready(1060)).toBe(false);
    expect([opened, files[0]!.closed, files[1]!.closed]).toEqual([2, 0, 1]);
    // An hour back: the file is tried again all the same.
    expect(await recorder.ready(1060 - 3600)).toBe(false);
    expect([opened, files[0]!.closed]).toEqual([3, 1]);
    expect(recorder.notices).toEqual([]);
    recorder.append(20, [value('a', 2)]);
    expect(files[2]!.store.read('total', 'a', 0, 40)[0]!.values).toEqual([1, 2]);
  });

  test('is not opened by an attempt that ends after the recorder was closed', async () => {
    const file = aFile();
    let give: (store: HistoryStore) => void = () => undefined;
    const recorder = new Recorder(() => new Promise((resolve) => (give = resolve)));
    const opening = recorder.ready(1000);
    recorder.close();
    give(file.store);
    expect(await opening).toBe(false);
    expect(file.closed).toBe(1);
  });

  // Found by a review: the file passed over all samples until the time that it had dated ahead.
  test('drops what a clock that was put back has left in the file as soon as the file can be written', async () => {
    const file = aFile();
    const recorder = new Recorder(async () => file.store);
    await recorder.ready(1);
    const watch = (from: number, to: number, ahead: number) => {
      for (let real = from; real < to; real += 10) {
        recorder.follow(1_000_000 + real + ahead, real);
        recorder.append(1_000_000 + real + ahead, [value('a', real)]);
      }
    };
    watch(0, 600, 86_400);
    file.full = true;
    watch(600, 1800, 0);
    const instants = () => recorder.read('total', 'a', 1_000_000, 1_200_000)[0]!.at;
    expect(instants()).toEqual(Array.from({ length: 120 }, (_, index) => 1_000_600 + 10 * index));
    expect(recorder.notices.map(({ text }) => text)).toEqual([expect.stringContaining('disk is full')]);
    file.full = false;
    watch(1800, 3600, 0);
    expect(instants()).toEqual(Array.from({ length: 300 }, (_, index) => 1_000_600 + 10 * index));
    expect(file.store.read('total', 'a', 0, 2_000_000)[0]!.at).toEqual(instants());
    expect(recorder.notices.map(({ text }) => text)).toEqual([expect.stringContaining('were dropped')]);
  });

  test.each<[string, (recorder: Recorder) => unknown]>([
    ['read', (recorder) => recorder.read('total', 'a', 0, 30)],
    ['asked for its oldest sample', (recorder) => recorder.oldest()],
    ['asked for a state', (recorder) => recorder.loadState('x')],
  ])('goes on in memory where the file fails as it is %s', async (_, use) => {
    const file = aFile();
    const recorder = new Recorder(async () => file.store);
    await recorder.ready(1000);
    file.broken = true;
    expect(() => use(recorder)).not.toThrow();
    expect(recorder.notices[0]!.text).toMatch(
      /^The history file failed: disk I\/O error\. The history is kept in memory/
    );
    recorder.append(30, [value('a', 3)]);
    expect(recorder.read('total', 'a', 25, 40)[0]!.values.at(-1)).toBe(3);
    expect(file.closed).toBeGreaterThan(0);
  });

  test('is closed although its file has failed', async () => {
    const file = aFile();
    const recorder = new Recorder(async () => file.store);
    await recorder.ready(1000);
    file.broken = true;
    expect(() => recorder.close()).not.toThrow();
    expect(file.closed).toBe(1);
  });
});

test('a file that fails while a wide range is read from it is given up, and the answer comes from memory', async () => {
  const memory = new MemoryStore();
  const store: HistoryStore = Object.assign(Object.create(MemoryStore.prototype) as MemoryStore, memory, {
    parts: () => Promise.reject(new Error('disk I/O error')),
  });
  const recorder = new Recorder(async () => store);
  await recorder.ready(1000);
  expect(await recorder.parts('total', 'a', 0, 20, '')).toBeNull();
  expect(recorder.usesFile).toBe(false);
  expect(recorder.notices[0]!.text).toMatch(/^The history file failed: disk I\/O error\./);
  expect(await new Recorder().parts('total', 'a', 0, 20, '')).toBeNull();
});

describe('a clock of Redis that is set', () => {
  const value = (amount: number) => [{ scope: 'total' as const, key: '', figure: 'a', value: amount }];
  /** Reads every ten seconds, by a clock that is so many seconds apart from the true one. */
  function watch(recorder: Recorder, from: number, to: number, apart = 0) {
    for (let real = from; real < to; real += 10) {
      recorder.follow(1_000_000 + real + apart, real);
      recorder.append(1_000_000 + real + apart, value(real));
    }
  }
  const instants = (recorder: Recorder) => recorder.read('total', 'a', 0, 1e9)[0]!.at.map((at) => at - 1_000_000);

  test('40 days ahead for seconds takes nothing away and dates nothing', () => {
    const recorder = new Recorder();
    watch(recorder, 0, 600);
    watch(recorder, 600, 620, 40 * 86_400);
    expect(recorder.notices.map(({ text }) => text)).toEqual([
      expect.stringMatching(/clock of Redis went forward by 3456000 s\. No figure is added/),
    ]);
    watch(recorder, 620, 700);
    expect(recorder.notices).toEqual([]);
    expect(instants(recorder)).toHaveLength(68);
    expect(instants(recorder).at(-1)).toBe(690);
  });

  test.each([
    [3600, 3600],
    [86_400, 7200],
    [1_000_000, 7200],
  ])('back by %i s takes away no more than has come since', (seconds, lost) => {
    const recorder = new Recorder();
    watch(recorder, 0, 7200);
    watch(recorder, 7200, 7200 + lost - 20, -seconds);
    expect(recorder.notices.map(({ text }) => text)).toEqual([expect.stringMatching(`back by ${seconds} s`)]);
    const { memory } = recorder as unknown as { memory: MemoryStore };
    expect(memory.read('total', 'a', 0, 1e9)[0]!.at).toHaveLength(720);
    watch(recorder, 7200 + lost - 20, 7200 + lost + 20, -seconds);
    expect(recorder.notices.map(({ text }) => text)).toEqual([
      expect.stringMatching(
        new RegExp(
          `put back at ${new Date((1_007_200 - seconds) * 1000).toISOString().slice(0, 19)}Z by ${seconds} s\\. Figures .* were dropped`
        )
      ),
    ]);
    const all = instants(recorder);
    expect(all.filter((at) => at >= 7200 - seconds)).toEqual(
      Array.from({ length: lost / 10 + 2 }, (_, index) => 7200 - seconds + 10 * index)
    );
    expect([...all].sort((a, b) => a - b)).toEqual(all);
    expect(recorder.agedBy).toBe(1_000_000 + all.at(-1)!);
    watch(recorder, 7220 + lost, 7230 + lost + 86_400, -seconds);
    expect(recorder.notices).toEqual([]);
  });

  test('back tells nothing of the time since until it is believed: an incident of hours ago is none of now', () => {
    const recorder = new Recorder();
    watch(recorder, 0, 7200);
    watch(recorder, 7200, 8000, -3600);
    const now = 1_000_000 + 7990 - 3600;
    expect(recorder.read('total', 'a', now - 300, now)).toEqual([]);
    expect(recorder.read('total', 'a', now - 1200, now)[0]!.at.at(-1)).toBe(1_000_000 + 3600);
  });

  test('back keeps every sample since', () => {
    const recorder = new Recorder();
    watch(recorder, 0, 600);
    watch(recorder, 600, 930, -300);
    expect(instants(recorder)).toEqual([
      ...Array.from({ length: 30 }, (_, index) => 10 * index),
      ...Array.from({ length: 33 }, (_, index) => 300 + 10 * index),
    ]);
  });

  test('back while the file is away is held against the file when it is there again', async () => {
    const store = new MemoryStore();
    let isAway = true;
    const recorder = new Recorder(async () => {
      if (isAway) {
        throw new Error('the disk is gone');
      }
      return store;
    });
    for (let at = 0; at < 3600; at += 10) {
      store.append(1_000_000 + at, value(at));
    }
    await recorder.ready(1);
    watch(recorder, 3600, 3720, -3000);
    isAway = false;
    await recorder.ready(100);
    watch(recorder, 3720, 3900, -3000);
    expect(recorder.notices.map(({ text }) => text)).toEqual([expect.stringMatching(/went back by \d+ s/)]);
    watch(recorder, 3900, 3720 + 3010, -3000);
    expect(instants(recorder).at(-1)).toBe(3720 + 3000 - 3000);
  });

  test('back with very many series keeps as many samples as memory allows', () => {
    const recorder = new Recorder();
    const many = Array.from({ length: 1000 }, (_, index) => ({
      ...value(1)[0]!,
      key: `q${index}`,
      scope: 'queue' as const,
    }));
    watch(recorder, 0, 7200);
    for (let real = 7200; real < 7200 + 5000; real += 10) {
      recorder.follow(1_000_000 + real - 7000, real);
      recorder.append(1_000_000 + real - 7000, many);
    }
    const held = (recorder as unknown as { doubted: unknown[] }).doubted;
    expect(held).toHaveLength(400);
  });

  test('back by a minute goes on after a minute', () => {
    const recorder = new Recorder();
    watch(recorder, 0, 7200);
    watch(recorder, 7200, 7280, -60);
    expect(instants(recorder).at(-1)).toBe(7270 - 60);
  });

  test('back for some minutes, then right again, takes nothing away', () => {
    const recorder = new Recorder();
    watch(recorder, 0, 7200);
    watch(recorder, 7200, 10_000, -6000);
    watch(recorder, 10_000, 10_110);
    expect(recorder.notices).toEqual([]);
    const all = instants(recorder);
    expect(all).toHaveLength(720 + 11);
    expect(all.at(-1)).toBe(10_100);
  });

  test('a day ahead for hours makes no recording old that a clock put right again would keep', () => {
    const recorder = new Recorder();
    const day = 86_400;
    watch(recorder, 0, 600);
    expect(recorder.agedBy).toBe(1_000_000 + 590);
    watch(recorder, 600, 630, day);
    expect(recorder.agedBy).toBeNull();
    watch(recorder, 630, 600 + 7200, day);
    // Two hours have passed: what is kept for a day may not be dropped by a clock of the next one.
    expect(recorder.agedBy).toBeLessThanOrEqual(1_000_000 + 600 + 2 * 7200);
    watch(recorder, 7800, 7800 + 7300);
    expect(recorder.agedBy).toBe(1_000_000 + 7800 + 7290);
    watch(recorder, 15_100, 15_100 + 2 * day, day);
    // A clock that stays where it is counts in the end.
    expect(recorder.agedBy).toBe(1_000_000 + 15_100 + 3 * day - 10);
  });

  test('a year back for hours, then right again, leaves what is old to be dropped', () => {
    const recorder = new Recorder();
    watch(recorder, 0, 600);
    watch(recorder, 600, 7200, -365 * 86_400);
    expect(recorder.agedBy).toBe(1_000_000 + 7190 - 365 * 86_400);
    watch(recorder, 7200, 7300);
    expect(recorder.agedBy).toBe(1_000_000 + 7290);
  });

  test('a day ahead and back again leaves no samples of days to come', () => {
    const recorder = new Recorder();
    watch(recorder, 0, 600);
    watch(recorder, 600, 1200, 86_400);
    watch(recorder, 1200, 1820);
    const all = instants(recorder);
    expect(all.filter((at) => at >= 600)).toEqual(Array.from({ length: 62 }, (_, index) => 1200 + 10 * index));
    // Nothing of the time before is thinned: it was not old.
    expect(all.filter((at) => at < 600)).toHaveLength(60);
  });
});
