import type { Row } from '../model';

type Cell = Row[string] | undefined;

/** What is not known is a dash, never a zero. */
const UNKNOWN = '–';

export function countText(value: Cell): string {
  return typeof value === 'number' ? value.toLocaleString('en') : UNKNOWN;
}

/** A duration in the two largest units that matter: `1.5 s`, `2 min 5 s`, `3 h 10 min`, `2 d 4 h`. */
export function durationText(seconds: Cell): string {
  if (typeof seconds !== 'number') {
    return UNKNOWN;
  }
  if (seconds > 0 && seconds < 1) {
    return `${Math.round(seconds * 1000)} ms`;
  }
  if (seconds < 60) {
    return `${seconds < 10 ? Math.round(seconds * 10) / 10 : Math.round(seconds)} s`;
  }
  const whole = Math.round(seconds);
  const [large, small, units] =
    whole < 3600
      ? ([Math.floor(whole / 60), whole % 60, ['min', 's']] as const)
      : whole < 86_400
        ? ([Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), ['h', 'min']] as const)
        : ([Math.floor(whole / 86_400), Math.floor((whole % 86_400) / 3600), ['d', 'h']] as const);
  return small === 0 ? `${large} ${units[0]}` : `${large} ${units[0]} ${small} ${units[1]}`;
}

/** How long ago an instant (epoch milliseconds) was. */
export function agoText(at: Cell, now: number): string {
  return typeof at === 'number' ? `${durationText(Math.max(0, now - at / 1000))} ago` : '';
}

/** An instant (epoch seconds) as the backend tells it: `2026-11-27 03:59:58 UTC`. */
export function instantText(at: number): string {
  return `${new Date(at * 1000).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

export function bytesText(value: Cell): string {
  return typeof value === 'number' ? `${Math.round(value / 2 ** 20).toLocaleString('en')} MiB` : UNKNOWN;
}

export function shareText(value: Cell): string {
  return typeof value === 'number' ? `${Math.round(value * 100)}%` : UNKNOWN;
}
