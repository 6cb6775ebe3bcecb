import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import initMstl, { MSTL } from '@bsull/augurs/mstl';
import { deviationOf, Usual } from '../../pkg/outlook/usual';
import type { Band } from '../../pkg/outlook/usualModel';
import { UTC } from '../../pkg/sidekiq/schedule/zone';
import { robustBands } from './robustRules';
import { alarmsOf } from './heldOut';
import { coarser, KINDS, madeSeries, type Incident, type MadeSeries } from './seasons';

// The package names it in none of its exports.
const MSTL_WASM = join(__dirname, '../../node_modules/@bsull/augurs/mstl_bg.wasm');

const HOUR = 3600;
const DAY = 24 * HOUR;
/** A Monday. */
const STARTS_AT = Date.UTC(2026, 9, 5) / 1000;
const SEEDS = [1, 2, 3];
const WEEKS = 3;
const HELD_OUT_DAYS = 7;
const HELD_OUT = { from: STARTS_AT + WEEKS * 7 * DAY, to: STARTS_AT + (WEEKS * 7 + HELD_OUT_DAYS) * DAY };
/** Of the rules of another project, which this one does not ship. */
const RULES_FILE = process.env['ROBUST_RULES'];

/** What a method says of a value in a slot of the time that is held out. */
interface Said {
  band: Band;
  isAlarm: boolean;
}

type Method = (made: MadeSeries, place: number) => Promise<(at: number, value: number) => Said | null>;

/** The usual band beside other methods on the same series; nothing here passes or fails. */
export async function benchUsualMethods(): Promise<string[]> {
  await initMstl({ module_or_path: readFileSync(MSTL_WASM) });
  const minutes = KINDS.flatMap((kind) =>
    SEEDS.map((seed) => {
      const at = HELD_OUT.from + 2 * DAY + (9 + seed) * HOUR;
      const incident: Incident = { from: at, to: at + HOUR, times: 3 };
      const made = madeSeries(kind, { startsAt: STARTS_AT, seconds: 60, weeks: WEEKS + 1, seed }, [incident]);
      return { made, incident };
    })
  );
  const lines = [
    '## What is usual, beside other methods',
    '',
    `The same kinds of series, ${SEEDS.length} of each, with a tripling for an hour in the fourth week, which is held out; ours and MSTL are fitted again each day. MSTL is that of augurs with ETS for the trend. The robust rules are those of grafana/promql-anomaly-detection, evaluated by Prometheus; their alarm is that the median of an hour lies outside, that of MSTL a value that lies outside by the width of the band, ours is that of the finding _unusual_.`,
    '',
    '| method | slots | within the band | scaled error | alarms in 200 series-days | triplings seen within 5 min, 1 h |',
    '| -- | -- | -- | -- | -- | -- |',
  ];
  const row = async (name: string, seconds: number, method: Method) => {
    lines.push(await measured(name, seconds, minutes, method));
  };
  await row('ours', 300, ours);
  if (RULES_FILE === undefined) {
    lines.push('| robust rules | – | not run: ROBUST_RULES names no file | | | |');
  } else {
    const bands = await robustBands(
      RULES_FILE,
      minutes.map(({ made }) => made),
      HELD_OUT
    );
    await row('robust rules', 300, async (_, place) => (at, _value) => {
      const slot = (at - HELD_OUT.from) / 300;
      const { lower, upper, level } = bands[place]!;
      const [low, high, now] = [lower[slot]!, upper[slot]!, level[slot]!];
      return Number.isNaN(low) || Number.isNaN(high)
        ? null
        : { band: { lower: low, upper: high, usual: (low + high) / 2 }, isAlarm: now < low || now > high };
    });
  }
  await row('ours', HOUR, ours);
  await row('MSTL', HOUR, mstl);
  return lines;
}

async function measured(
  name: string,
  seconds: number,
  minutes: ReadonlyArray<{ made: MadeSeries; incident: Incident }>,
  method: Method
): Promise<string> {
  let [slots, inside, alarms, errors, errorsOfLastWeek, soon, late] = [0, 0, 0, 0, 0, 0, 0];
  for (const [place, { made: fine, incident }] of minutes.entries()) {
    const made = coarser(fine, seconds);
    const say = await method(made, place);
    const first = (HELD_OUT.from - STARTS_AT) / seconds;
    let seenAfter = Infinity;
    for (let index = first; index < made.values.length; index += 1) {
      const at = STARTS_AT + index * seconds;
      const value = made.values[index]!;
      const said = Number.isNaN(value) ? null : say(at, value);
      if (!said) {
        continue;
      }
      const { band, isAlarm } = said;
      if (at + seconds > incident.from && at < incident.to) {
        seenAfter = isAlarm ? Math.min(seenAfter, at + seconds - incident.from) : seenAfter;
      }
      // Its median still holds what was within the hour before.
      if (made.odd[index] === 1 || (at >= incident.from && at < incident.to + HOUR)) {
        continue;
      }
      const before = index - (7 * DAY) / seconds;
      slots += 1;
      inside += Number(value >= band.lower && value <= band.upper);
      alarms += Number(isAlarm);
      if (!Number.isNaN(made.values[before]!) && made.odd[before] === 0) {
        errors += Math.abs(value - band.usual) / made.kind.peak;
        errorsOfLastWeek += Math.abs(value - made.values[before]!) / made.kind.peak;
      }
    }
    soon += Number(seenAfter <= 300);
    late += Number(seenAfter <= HOUR);
  }
  const seriesDays = minutes.length * HELD_OUT_DAYS;
  const share = ((100 * inside) / slots).toFixed(1);
  const seen = seconds === 300 ? `${soon}, ${late} of ${minutes.length}` : `–, ${late} of ${minutes.length}`;
  return `| ${name} | ${seconds / 60} min | ${share}% | ${(errors / errorsOfLastWeek).toFixed(2)} | ${((200 * alarms) / seriesDays).toFixed(1)} | ${seen} |`;
}

const ours: Method = async (made) => {
  const { seconds, values } = made;
  const days: Array<{ usual: Usual; alarms: (index: number) => boolean }> = [];
  for (let day = 0; day < HELD_OUT_DAYS; day += 1) {
    const end = (HELD_OUT.from + day * DAY - STARTS_AT) / seconds;
    const usual = await Usual.of({ startsAt: STARTS_AT, seconds, values: values.slice(0, end) }, UTC, true);
    days.push({ usual, alarms: await alarmsOf({ startsAt: STARTS_AT, seconds, values }, usual, end + DAY / seconds) });
  }
  return (at) => {
    const { usual, alarms } = days[Math.floor((at - HELD_OUT.from) / DAY)]!;
    const band = usual.at(at);
    return band && { band, isAlarm: alarms((at - STARTS_AT) / seconds) };
  };
};

const mstl: Method = async ({ seconds, values }) => {
  const perDay = DAY / seconds;
  const bands: Band[] = [];
  for (let day = 0; day < HELD_OUT_DAYS; day += 1) {
    const model = MSTL.ets([perDay, 7 * perDay], { impute: true });
    model.fit(values.slice(0, (HELD_OUT.from + day * DAY - STARTS_AT) / seconds));
    const { point, intervals } = model.predict(perDay, 0.95);
    point.forEach((usual, slot) =>
      bands.push({ usual, lower: intervals!.lower[slot]!, upper: intervals!.upper[slot]! })
    );
    model.free();
  }
  return (at, value) => {
    const slot = (at - HELD_OUT.from) / seconds;
    const near = [slot - 1, slot, slot + 1].flatMap((each) => bands[each] ?? []);
    return { band: bands[slot]!, isAlarm: Math.abs(deviationOf(near, value, 1 / seconds)!) >= 1 };
  };
};
