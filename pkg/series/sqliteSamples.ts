import { crc32 } from 'node:zlib';
import {
  addSamples,
  decodeParts,
  decodeTimes,
  decodeValues,
  encodeParts,
  encodeTimes,
  encodeValues,
  noParts,
  type Parts,
} from './chunk';
import { OpenGroup } from './openGroup';
import { checksumColumn, dataVersion, type Database } from './sqliteDatabase';
import type { Turns } from '../turns';
import { sampledSeconds, type Points } from './store';
import { VarintReader, VarintWriter } from './varints';

/** Samples of a group: an hour at the usual pace. */
const GROUP_SAMPLES = 360;
/** Of a slow pace a group ends earlier: what is older than it is kept is dropped group by group. */
const GROUP_SECONDS = 6 * 3600;
/** Fewer where there are very many series, so that what is open stays small. */
const OPEN_VALUES = 1_000_000;
const FEWEST_SAMPLES = 30;
/** The newest samples stay open: another process may add some that are a little older. */
const NEWEST_SAMPLES = 6;
/** Series that are put into chunks, or of which old chunks are dropped, at once: it comes between two readings. */
const SERIES_TOGETHER = 25;
const GROUPS_REMEMBERED = 1000;

/** Samples in the order of time with a column for each series. */
export interface Columns {
  readonly at: readonly number[];
  readonly series: readonly number[];
  column: (series: number) => ArrayLike<number> | undefined;
}

/** Where a group of chunks lies in time; instants are epoch seconds. */
interface Group {
  /** Milliseconds of its first instant; names it. */
  start: number;
  /** Later instants of it do not count. */
  to: number;
  /** Decoded when it is first needed. */
  at?: number[];
  /** 1 where some of its instants do not count, which its parts still have. */
  cut: number;
}

interface Sealing {
  group: Columns;
  left: number[];
  done: () => void;
}

/** CRC-32 of a row of readings: of its values and its instant. */
function checksumOf(at: number, body: Uint8Array): number {
  return crc32(String(at), crc32(body));
}

/** Earlier versions had no checksum, or one of the values alone. */
function isSound(at: number, body: Uint8Array, crc: number | null): boolean {
  return crc === null || crc === checksumOf(at, body) || crc === crc32(body);
}

/**
 * Samples in SQLite: new ones as a row per reading, older ones in chunks of an hour per series, with their five minutes
 * beside them. The rows of a group become chunks in steps; it counts from the last step on, and until then its samples are
 * read from the rows, so that a process that is killed in between loses nothing.
 *
 * Another process may write to the same file: what it added is noticed at the next use.
 */
export class SqliteSamples {
  private readonly open = new OpenGroup();
  private readonly openIds: number[] = [];
  private groups: Group[] = [];
  private sealing: Sealing | undefined;
  /** Of series of which chunks before {@link pruneBefore} are to be dropped. */
  private toPrune: number[] = [];
  private pruneBefore = 0;
  private version = -1;
  private readonly crc: ReturnType<typeof checksumColumn>;

  constructor(private readonly database: Database) {
    database.exec('CREATE TABLE IF NOT EXISTS readings (id INTEGER PRIMARY KEY AUTOINCREMENT, at REAL, body BLOB)');
    // Beside the row, so that a process of schema 2 which has the file open reads the same rows; it leaves it out.
    this.crc = checksumColumn(database, 'readings');
    database.exec('CREATE TABLE IF NOT EXISTS groups (start INTEGER PRIMARY KEY, until REAL, cut INTEGER, times BLOB)');
    for (const table of ['chunks', 'parts']) {
      database.exec(
        `CREATE TABLE IF NOT EXISTS ${table} (series INTEGER, start INTEGER, body BLOB, PRIMARY KEY (series, start)) WITHOUT ROWID`
      );
    }
    this.refresh();
    // The first panel over all of it would have to.
    this.groups.slice(-GROUPS_REMEMBERED).forEach((group) => this.timesOf(group));
  }

  /** Epoch seconds of the oldest sample, `null` for none. */
  oldest(): number | null {
    this.refresh();
    const [group] = this.groups;
    return group ? group.start / 1000 : (this.open.at[0] ?? null);
  }

  newest(): number | null {
    this.refresh();
    return this.open.at.at(-1) ?? this.groups.at(-1)?.to ?? null;
  }

  /** Forgets what is not in the file, after a transaction that was rolled back. */
  reload(): void {
    this.sealing = undefined;
    this.dropOpen(this.openIds.length);
    this.groups = [];
    this.version = -1;
  }

  /**
   * Adds a sample that is later than all others, and does the next step of what is to be done. Within a transaction.
   *
   * @param at of {@link roundedAt}
   */
  append(at: number, values: ReadonlyMap<number, number>): void {
    this.refresh();
    if (!this.isNewest(at)) {
      return;
    }
    const writer = new VarintWriter();
    writer.unsigned(values.size);
    for (const series of values.keys()) {
      writer.unsigned(series);
    }
    const numbers = new Uint8Array(Float64Array.from(values.values()).buffer);
    const body = Buffer.concat([writer.written, numbers]);
    this.run('INSERT INTO readings (at, body, crc) VALUES (?, ?, ?)', at, body, checksumOf(at, body));
    const [row] = this.all<{ id: number }>('SELECT last_insert_rowid() AS id');
    this.open.add(at, values);
    this.openIds.push(row!.id);
    this.sealFull();
    this.sealStep();
    this.pruneStep();
  }

  /** Begins to put samples into chunks, some series at each {@link append}. @param done within the transaction of the last */
  seal(group: Columns, done: () => void): void {
    this.sealing = { group, left: [...group.series], done };
  }

  get isSealing(): boolean {
    return this.sealing !== undefined;
  }

  /** Drops groups that end before an instant; their chunks go in steps. @param series all of them */
  prune(before: number, series: Iterable<number>): void {
    this.refresh();
    const old = this.groups.filter(({ to }) => to < before);
    const last = old.at(-1);
    if (last) {
      this.run('DELETE FROM groups WHERE start <= ?', last.start);
      this.groups = this.groups.slice(old.length);
      this.pruneBefore = last.start;
      this.toPrune = [...series];
    }
    const { open } = this;
    const first = open.at.findIndex((at) => at >= before);
    const gone = first < 0 ? open.at.length : first;
    if (gone > 0) {
      // After a pause.
      this.sealing = undefined;
      this.run('DELETE FROM readings WHERE id <= ?', this.openIds[gone - 1]!);
      this.dropOpen(gone);
    }
  }

  secondsAfter(after: number): number {
    this.refresh();
    const at = this.groupsIn(after, Infinity).flatMap((group) =>
      this.timesOf(group).filter((each) => each <= group.to)
    );
    return sampledSeconds([...at, ...this.open.at], after);
  }

  /** Drops what is later than an instant. */
  forgetAfter(after: number): void {
    this.refresh();
    this.sealing = undefined;
    this.run('DELETE FROM readings WHERE at > ?', after);
    this.run('DELETE FROM groups WHERE start > ?', after * 1000);
    this.run('UPDATE groups SET until = ?, cut = 1 WHERE until > ?', after, after);
    this.open.dropAfter(after);
    this.openIds.length = this.open.at.length;
    this.loadGroups();
  }

  /** Points of a series in a range with the one before it. */
  read(series: number, key: string, from: number, to: number): Points {
    this.refresh();
    const points: Points = { key, at: [], values: [] };
    const found = this.groupsIn(from, to);
    const bodies = this.bodies('chunks', series, found);
    for (const group of found) {
      const at = this.timesOf(group);
      addPoints(points, at, valuesIn(bodies.get(group.start), at.length), from, Math.min(to, group.to));
    }
    addPoints(points, this.open.at, this.open.column(series), from, to);
    return points;
  }

  /** The same by parts: groups that lie wholly within the range are not decoded sample by sample. */
  async readParts(series: number, key: string, from: number, to: number, turns: Turns): Promise<Parts> {
    this.refresh();
    const parts = noParts(key);
    const found = this.groupsIn(from, to);
    // Between turns they may become a group that is not among these.
    const openAt = [...this.open.at];
    const column = this.open.column(series);
    const bodies = this.bodies('parts', series, found);
    for (const group of found) {
      await turns.give();
      const at = this.timesOf(group);
      const body = bodies.get(group.start);
      const whole = group.cut === 0 && group.start / 1000 >= from && group.to <= to;
      if (!whole || !body || !tryParts(body, at, parts)) {
        addParts(parts, at, valuesIn(this.chunk(series, group), at.length), from, Math.min(to, group.to));
      }
    }
    addParts(parts, openAt, column, from, to);
    return parts;
  }

  /** Begins to seal the oldest open samples where there are enough. */
  private sealFull(): void {
    const { open } = this;
    if (this.sealing) {
      return;
    }
    const most = Math.max(FEWEST_SAMPLES, Math.floor(OPEN_VALUES / Math.max(1, open.series.length)));
    const end = open.at.findIndex((at) => at - open.at[0]! >= GROUP_SECONDS);
    const full = Math.min(GROUP_SAMPLES, most, end < 0 ? Infinity : end);
    if (open.at.length < full + NEWEST_SAMPLES) {
      return;
    }
    const at = open.at.slice(0, full);
    const last = this.openIds[full - 1]!;
    this.seal({ at, series: open.series, column: (series) => open.column(series)?.subarray(0, full) }, () => {
      this.run('DELETE FROM readings WHERE id <= ?', last);
      this.dropOpen(full);
    });
  }

  private sealStep(): void {
    const { sealing } = this;
    if (!sealing) {
      return;
    }
    const { at, series: all, column } = sealing.group;
    const start = Math.round(at[0]! * 1000);
    // Half of a group's time at most, so that very many series do not pile up.
    const together = Math.max(SERIES_TOGETHER, Math.ceil((2 * all.length) / at.length));
    for (const series of sealing.left.splice(0, together)) {
      const values = column(series);
      if (values && Array.prototype.some.call(values, (value) => !Number.isNaN(value))) {
        this.put('chunks', series, start, encodeValues(values));
        const parts = encodeParts(at, values);
        if (parts) {
          this.put('parts', series, start, parts);
        }
      }
    }
    if (sealing.left.length === 0) {
      this.sealing = undefined;
      this.run(
        'INSERT OR REPLACE INTO groups (start, until, cut, times) VALUES (?, ?, 0, ?)',
        start,
        at.at(-1)!,
        encodeTimes(at)
      );
      sealing.done();
      this.loadGroups();
    }
  }

  private pruneStep(): void {
    for (const series of this.toPrune.splice(0, SERIES_TOGETHER)) {
      this.run('DELETE FROM chunks WHERE series = ? AND start <= ?', series, this.pruneBefore);
      this.run('DELETE FROM parts WHERE series = ? AND start <= ?', series, this.pruneBefore);
    }
  }

  private dropOpen(count: number): void {
    this.open.dropFirst(count);
    this.openIds.splice(0, count);
  }

  private put(table: 'chunks' | 'parts', series: number, start: number, body: Uint8Array): void {
    this.run(`INSERT OR REPLACE INTO ${table} (series, start, body) VALUES (?, ?, ?)`, series, start, body);
  }

  /** Takes note of what another process wrote. */
  private refresh(): void {
    const version = dataVersion(this.database);
    if (version === this.version) {
      return;
    }
    this.version = version;
    this.loadGroups();
    const [first] = this.all<{ id: number | null }>('SELECT min(id) AS id FROM readings');
    const gone = first?.id === null ? this.openIds.length : this.openIds.filter((id) => id < (first?.id ?? 0)).length;
    if (gone > 0) {
      // Another process has put them into chunks.
      this.sealing = undefined;
      this.dropOpen(gone);
    }
    for (const { id, at, body, crc } of this.all<{ id: number; at: number; body: Uint8Array; crc: number | null }>(
      `SELECT id, at, body, ${this.crc} FROM readings WHERE id > ? ORDER BY id`,
      this.openIds.at(-1) ?? 0
    )) {
      const values = isSound(at, body, crc) && this.isNewest(at) ? valuesOf(body) : null;
      if (values) {
        this.open.add(at, values);
        this.openIds.push(id);
      }
    }
  }

  /**
   * Samples are in the order of time. One of another process that comes after a later one tells nothing new, and a counter
   * would seem to fall.
   */
  private isNewest(at: number): boolean {
    return at > (this.open.at.at(-1) ?? this.groups.at(-1)?.to ?? -Infinity);
  }

  private loadGroups(): void {
    const known = new Map(this.groups.map((group) => [group.start, group]));
    this.groups = this.all<{ start: number; until: number; cut: number }>(
      'SELECT start, until, cut FROM groups ORDER BY start'
    ).map(({ start, until, cut }) => ({ ...known.get(start), start, to: until, cut }));
    if (this.groups.length > GROUPS_REMEMBERED) {
      this.groups.forEach((group) => delete group.at);
    }
  }

  /** Groups that touch a range, and the one before. */
  private groupsIn(from: number, to: number): Group[] {
    const first = this.groups.findIndex((group) => group.to >= from);
    const begin = first < 0 ? this.groups.length : first;
    return this.groups.slice(Math.max(0, begin - 1)).filter(({ start }) => start / 1000 <= to);
  }

  private timesOf(group: Group): number[] {
    if (!group.at) {
      const [row] = this.all<{ times: Uint8Array }>('SELECT times FROM groups WHERE start = ?', group.start);
      try {
        group.at = row ? decodeTimes(row.times) : [];
      } catch {
        // A damaged group is a gap, and the rest answers.
        group.at = [];
      }
    }
    return group.at;
  }

  private bodies(table: 'chunks' | 'parts', series: number, groups: readonly Group[]): Map<number, Uint8Array> {
    if (groups.length === 0) {
      return new Map();
    }
    const rows = this.all<{ start: number; body: Uint8Array }>(
      `SELECT start, body FROM ${table} WHERE series = ? AND start BETWEEN ? AND ?`,
      series,
      groups[0]!.start,
      groups.at(-1)!.start
    );
    return new Map(rows.map(({ start, body }) => [start, body]));
  }

  private chunk(series: number, { start }: Group): Uint8Array | undefined {
    return this.all<{ body: Uint8Array }>('SELECT body FROM chunks WHERE series = ? AND start = ?', series, start)[0]
      ?.body;
  }

  private run(sql: string, ...values: Array<string | number | Uint8Array>): void {
    this.database.prepare(sql).run(...values);
  }

  private all<T>(sql: string, ...values: Array<string | number>): T[] {
    return this.database.prepare(sql).all(...values) as T[];
  }
}

/** Values of one reading by series. */
function valuesOf(body: Uint8Array): Map<number, number> {
  const reader = new VarintReader(body);
  const count = reader.unsigned();
  const numbers = new Float64Array(Uint8Array.from(body.subarray(body.length - 8 * count)).buffer);
  return new Map(Array.from(numbers, (value) => [reader.unsigned(), value]));
}

/** `null` for a chunk that is not there or is damaged: a gap, and the rest answers. */
function valuesIn(body: Uint8Array | undefined, instants: number): Float64Array | null {
  try {
    return body ? decodeValues(body, instants) : null;
  } catch {
    return null;
  }
}

/** Adds the points of a range, and begins with the last before it. */
function addPoints(
  { at: ats, values: all }: Points,
  at: readonly number[],
  values: ArrayLike<number> | null | undefined,
  from: number,
  to: number
): void {
  for (let index = 0; values && index < at.length && at[index]! <= to; index += 1) {
    const value = values[index]!;
    if (!Number.isNaN(value)) {
      const slot = at[index]! < from ? 0 : ats.length;
      ats[slot] = at[index]!;
      all[slot] = value;
    }
  }
}

function addParts(
  parts: Parts,
  at: readonly number[],
  values: ArrayLike<number> | null | undefined,
  from: number,
  to: number
): void {
  const points: Points = { key: '', at: [], values: [] };
  addPoints(points, at, values, from, to);
  if (points.at[0]! < from) {
    // What came earlier is not the last before the range.
    truncate(parts, 0);
  }
  addSamples(parts, points);
}

/** @returns whether the parts could be read; what is damaged is read sample by sample */
function tryParts(body: Uint8Array, at: readonly number[], into: Parts): boolean {
  const before = into.count.length;
  try {
    decodeParts(body, at, into);
    return true;
  } catch {
    truncate(into, before);
    return false;
  }
}

function truncate(parts: Parts, length: number): void {
  for (const column of Object.values(parts)) {
    if (Array.isArray(column)) {
      column.length = length;
    }
  }
}
