import { tz, type MomentZone } from 'moment-timezone';

/** A time zone. Instants are epoch seconds. */
export interface Zone {
  /** Tells zones apart. */
  readonly name: string;
  /** Seconds by which its clocks are ahead of UTC. */
  offsetAt(at: number): number;
  /** The first instant after another at which its clocks may be changed; infinite where they never are. */
  changesAfter(at: number): number;
}

/** A zone of a constant offset. @param seconds ahead of UTC */
export function fixedZone(seconds: number): Zone {
  return { name: String(seconds), offsetAt: () => seconds, changesAfter: () => Infinity };
}

export const UTC: Zone = fixedZone(0);

const zones = new Map<string, Zone | null>();
const ZONES_KEPT = 1000;

/** A zone by its name in the IANA database (`Europe/Berlin`, `EST5EDT`); `null` where fugit knows none. */
export function zoneOf(name: string): Zone | null {
  if (name === 'Factory') {
    return UTC;
  }
  return PLAIN.test(name) || PLACE.test(name) ? anyZone(name) : null;
}

/** A zone by any name of the IANA database, in any case; `null` where it has none. */
export function anyZone(name: string): Zone | null {
  let zone = zones.get(name);
  if (zone === undefined) {
    zone = readZone(name);
    if (zones.size >= ZONES_KEPT) {
      zones.clear();
    }
    zones.set(name, zone);
  }
  return zone;
}

/** Names without a place; the database has further ones, by which other programs mean other zones. */
const PLAIN =
  /^(?:CET|CST6CDT|Cuba|EET|EST|EST5EDT|Egypt|Eire|GB|GB-Eire|GMT|GMT[+-]?0|Greenwich|HST|Hongkong|Iceland|Iran|Israel|Jamaica|Japan|Kwajalein|Libya|MET|MST|MST7MDT|NZ|NZ-CHAT|Navajo|PRC|PST8PDT|Poland|Portugal|ROC|ROK|Singapore|Turkey|UCT|UTC|Universal|W-SU|WET|Zulu)$/;

/** Names with a place, as fugit takes them. */
const PLACE = /^(?:Etc\/[A-Z]|(?:US|[A-Z][a-z]+)\/[A-Z][a-z])/;

/** By a library's data, as those of a runtime are as old as the runtime: rules of zones change some times a year. */
function readZone(name: string): Zone | null {
  const zone = tz.zone(name);
  return (
    zone && {
      name: zone.name,
      // Ahead of UTC, where the library tells how far behind a zone is; in minutes, with fractions long ago.
      offsetAt: remembering((at) => Math.round(-60 * zone.utcOffset(at * 1000)) || 0),
      changesAfter: (at) => zone.untils[firstUntil(zone, at)]! / 1000,
    }
  );
}

/** The last of them is infinite. */
function firstUntil({ untils }: Pick<MomentZone, 'untils'>, at: number): number {
  return untils.findIndex((until) => until > at * 1000);
}

/** Noon of Monday 2018-12-31, from which weeks are counted (et-orbi, `rweek_ref`). */
export const FIRST_MONDAY = Date.UTC(2018, 11, 31, 12) / 1000;
/** Zones whose clocks were the same since then, and on that Monday, are one. */
const SINCE = Date.UTC(2024, 0, 1) / 1000;

let told: readonly Zone[] | undefined;

/**
 * Every zone of the IANA database whose clocks differ from those of the others since 2024, the likely ones first: UTC, in which
 * containers run, then those of most names.
 */
export function everyZone(): readonly Zone[] {
  if (!told) {
    const names = new Map<string, string[]>();
    for (const name of tz.names()) {
      const zone = tz.zone(name)!;
      const from = firstUntil(zone, SINCE);
      const clocks = JSON.stringify([
        zone.utcOffset(FIRST_MONDAY * 1000),
        zone.untils.slice(from),
        zone.offsets.slice(from),
      ]);
      const known = names.get(clocks);
      if (known) {
        known.push(name);
      } else {
        names.set(clocks, [name]);
      }
    }
    const many = (group: string[]) => (group.includes('Etc/UTC') ? Infinity : group.length);
    told = [...names.values()].sort((one, other) => many(other) - many(one)).map(([name]) => anyZone(name!)!);
  }
  return told;
}

/** Offsets change at quarters of an hour at most. */
const QUARTER = 900;
const QUARTERS_KEPT = 5000;

function remembering(read: (at: number) => number): (at: number) => number {
  const known = new Map<number, number>();
  return (at) => {
    const quarter = Math.floor(at / QUARTER);
    let offset = known.get(quarter);
    if (offset === undefined) {
      offset = read(quarter * QUARTER);
      if (known.size >= QUARTERS_KEPT) {
        known.clear();
      }
      known.set(quarter, offset);
    }
    return offset;
  };
}

/** Names of Windows that have no blank (et-orbi, `ZONE_ALIASES`), and UTC with an offset of nothing. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ['UTC-11', 'Etc/GMT+11'],
  ['UTC-02', 'Etc/GMT+2'],
  ['UTC+12', 'Etc/GMT-12'],
  ['CST5CDT', 'CST6CDT'],
  ['UTC+0', 'Etc/UTC'],
  ['UTC-0', 'Etc/UTC'],
]);

/**
 * The first zone of the IANA database that has an abbreviation at an offset in minutes, for `JST+9`; found with et-orbi
 * for the abbreviations in use.
 */
const BY_ABBREVIATION: ReadonlyMap<string, string> = new Map([
  ['EST-300', 'America/Atikokan'],
  ['EST-360', 'EST'],
  ['EDT-240', 'America/Detroit'],
  ['CST-360', 'America/Bahia_Banderas'],
  ['CST480', 'Asia/Chongqing'],
  ['MST-420', 'America/Boise'],
  ['PST-480', 'America/Ensenada'],
  ['PDT-420', 'America/Ensenada'],
  ['AKST-540', 'America/Anchorage'],
  ['HST-600', 'America/Adak'],
  ['GMT0', 'Africa/Abidjan'],
  ['BST60', 'Europe/Belfast'],
  ['CET60', 'Africa/Algiers'],
  ['CEST120', 'Africa/Ceuta'],
  ['EET120', 'Africa/Cairo'],
  ['MSK180', 'Europe/Kirov'],
  ['CAT120', 'Africa/Blantyre'],
  ['SAST120', 'Africa/Johannesburg'],
  ['WAT60', 'Africa/Bangui'],
  ['PKT300', 'Asia/Karachi'],
  ['IST330', 'Asia/Calcutta'],
  ['WIB420', 'Asia/Jakarta'],
  ['HKT480', 'Asia/Hong_Kong'],
  ['JST540', 'Asia/Tokyo'],
  ['KST540', 'Asia/Pyongyang'],
  ['AEST600', 'Antarctica/Macquarie'],
  ['NZST720', 'Antarctica/McMurdo'],
]);

function zoneByAbbreviation(written: string): string | undefined {
  const [, name, sign, hours, minutes = '0'] = /^([A-Z]{3,5})([+-])(\d{1,2}):?(\d\d)?$/.exec(written) ?? [];
  const offset = (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
  return name === undefined ? undefined : BY_ABBREVIATION.get(`${name}${offset}`);
}

/** A zone as it ends a cron line: `Asia/Tokyo`, `UTC`, `+09:00`, `-0500`. `null` where fugit knows none by that text. */
export function zoneOfLine(written: string): Zone | null {
  if (written === 'Z') {
    return UTC;
  }
  const [, hours, minutes = '0'] = /^([+-][01]?\d):?([0-5]\d)?$/.exec(written) ?? [];
  if (hours !== undefined) {
    const whole = Number(hours);
    return Math.abs(whole) > 11 ? null : fixedZone(whole * 3600 + (whole < 0 ? -1 : 1) * Number(minutes) * 60);
  }
  const other = ALIASES.get(written) ?? zoneByAbbreviation(written);
  if (other !== undefined) {
    return zoneOf(other);
  }
  if (/^UTC[+-]\d/.test(written)) {
    return null;
  }
  // et-orbi leaves out what follows a name that it knows.
  for (let name = written; name !== ''; name = name.slice(0, -1)) {
    const zone = zoneOf(name);
    if (zone) {
      return zone;
    }
  }
  return null;
}
