import { Dice } from '../../pkg/engine/dice';
import { isSudden, type Changes } from '../../pkg/outlook/sudden';
import { learnt } from './heldOut';

const SLOT = 300;
const DAY = 86_400;
const PER_DAY = DAY / SLOT;
const PER_HOUR = 3600 / SLOT;
/** A Monday. */
const STARTS_AT = Date.UTC(2026, 9, 5) / 1000;
const DAYS = 35;
const HELD_OUT_DAYS = 4;
const SEEDS = [1, 2, 3];
/** Fewer executions more or less in five minutes are no finding. */
const LEAST = 20 / SLOT;

interface ClassKind {
  name: string;
  /** Executions in each slot. */
  make(dice: Dice, slots: number): Float64Array;
}

/** Calls by day, with a level that varies over hours. */
const byDay = (peak: number, noise: number): ClassKind => ({
  name: `${peak} a second at noon, a level that varies by ${Math.round(noise * 100)}%`,
  make(dice, slots) {
    const kept = Math.exp(-SLOT / 10_800);
    let level = 0;
    return Float64Array.from({ length: slots }, (_, index) => {
      level = kept * level + Math.sqrt(1 - kept * kept) * dice.normal();
      const hour = (index / PER_HOUR) % 24;
      const daily = 0.2 + 0.8 * Math.max(0, Math.cos(((hour - 13) / 24) * 2 * Math.PI)) ** 0.7;
      return dice.count(peak * SLOT * daily * Math.exp(noise * level));
    });
  },
});

/** A scheduler's runs, of which one in ten comes in the slot before. */
const scheduled = (minutes: number): ClassKind => ({
  name: `120 to 280 executions each ${minutes} min`,
  make(dice, slots) {
    const every = (minutes * 60) / SLOT;
    const made = new Float64Array(slots);
    for (let run = every; run < slots; run += every) {
      made[run - Number(dice.between(0, 1) < 0.1)] = dice.count(dice.between(120, 280));
    }
    return made;
  },
});

/** Imports that somebody starts: 0.5 to 20 executions a second for up to half an hour. */
const started = (timesADay: number): ClassKind => ({
  name: `imports, ${timesADay} a day`,
  make(dice, slots) {
    const made = Float64Array.from({ length: slots }, () => dice.count(0.1 * SLOT));
    for (let slot = 0; slot < slots; slot += 1) {
      if (dice.between(0, 1) < timesADay / PER_DAY) {
        const each = 10 ** dice.between(-0.3, 1.3) * SLOT;
        const end = Math.min(slots, slot + 1 + Math.floor(dice.between(0, 6)));
        made.subarray(slot, end).forEach((count, index, run) => (run[index] = count + each));
      }
    }
    return made;
  },
});

const KINDS: readonly ClassKind[] = [
  ...[0.05, 0.2, 1, 5].flatMap((peak) => [0.1, 0.3].map((noise) => byDay(peak, noise))),
  ...[15, 30, 60].map(scheduled),
  ...[0.3, 3].map(started),
];

/** Sudden changes of classes as the finding _unusual_ tells them; nothing here passes or fails. */
export async function benchUsualClasses(): Promise<string[]> {
  const lines = [
    '## Sudden changes of a class',
    '',
    `Simulated classes by five minutes, ${SEEDS.length} of each kind over ${DAYS} days, of which the last ${HELD_OUT_DAYS} are held out. The model is fitted again each day. An alarm is an hour with a sudden change of 20 executions or more where nothing was changed. Each held-out day is lived once more with a tripling from 14:00 to 15:00.`,
    '',
    '| class | alarms in 200 series-days | triplings seen within 5 min, 1 h |',
    '| -- | -- | -- |',
  ];
  for (const kind of KINDS) {
    lines.push(await measured(kind));
  }
  return lines;
}

async function measured({ name, make }: ClassKind): Promise<string> {
  let [alarms, soon, late] = [0, 0, 0];
  for (const seed of SEEDS) {
    const values = make(new Dice(seed), DAYS * PER_DAY).map((count) => count / SLOT);
    for (let day = DAYS - HELD_OUT_DAYS; day < DAYS; day += 1) {
      const from = day * PER_DAY;
      const usual = await learnt({ startsAt: STARTS_AT, seconds: SLOT, values }, from);
      const changes = (await usual.changes(STARTS_AT + (from + PER_DAY + 1) * SLOT))!;
      const tells = (lived: Float64Array, slot: number) =>
        Math.abs(lived[slot]! - (usual.at(STARTS_AT + slot * SLOT)?.usual ?? NaN)) >= LEAST &&
        tellsSudden(changes, lived, slot);
      for (let hour = 0; hour < 24; hour += 1) {
        alarms += Number(slotsOf(from + hour * PER_HOUR).some((slot) => tells(values, slot)));
      }
      const incident = slotsOf(from + 14 * PER_HOUR);
      const tripled = values.slice();
      incident.forEach((slot) => (tripled[slot] = tripled[slot]! * 3));
      soon += Number(tells(tripled, incident[0]!));
      late += Number(incident.some((slot) => tells(tripled, slot)));
    }
  }
  const seriesDays = SEEDS.length * HELD_OUT_DAYS;
  return `| ${name} | ${((200 * alarms) / seriesDays).toFixed(1)} | ${soon}, ${late} of ${seriesDays} |`;
}

function tellsSudden(changes: Changes, values: Float64Array, slot: number): boolean {
  const first = Math.round((changes.startsAt - STARTS_AT) / SLOT);
  return isSudden(changes, (back) => values[slot - back] ?? null, slot - first);
}

const slotsOf = (first: number) => Array.from({ length: PER_HOUR }, (_, index) => first + index);
