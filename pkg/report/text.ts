import { durationText } from '../findings/texts';
import { instantText } from '../source/instants';
import type { Cell, CellKind } from './model';

/** A value as people read it; a dash where it is not known. */
export function cellText(value: Cell, kind: CellKind): string {
  if (value === null || typeof value === 'string') {
    return value === null ? '–' : value;
  }
  switch (kind) {
    case 'instant':
      return instantText(value);
    case 'seconds':
      return value === 0 || Math.abs(value) >= 60 ? durationText(value) : `${numberText(value)} s`;
    case 'share':
      return shareOf(value);
    case 'count':
      return Math.round(value).toLocaleString('en');
    default:
      return numberText(value);
  }
}

/** A share in percent: three digits that count, those of what is missing from 100% where little is. */
function shareOf(value: number): string {
  const missing = (1 - value) * 100;
  if (value > 0.9 && missing > 0) {
    const digits = Math.min(MOST_DIGITS, Math.max(0, 2 - Math.floor(Math.log10(missing) + ROUNDING)));
    return `${(value * 100).toLocaleString('en', { maximumFractionDigits: digits })}%`;
  }
  return Math.abs(value) >= 0.0995 || value === 0
    ? `${Math.round(value * 100).toLocaleString('en')}%`
    : `${numberText(value * 100)}%`;
}

const MOST_DIGITS = 6;
const ROUNDING = 1e-9;

/** Three digits that count. */
export function numberText(value: number): string {
  return value.toLocaleString('en', {
    maximumSignificantDigits: Math.abs(value) >= 1000 ? 15 : 3,
    maximumFractionDigits: 3,
  });
}
