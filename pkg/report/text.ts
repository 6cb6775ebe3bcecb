import { durationText, shareText } from '../findings/texts';
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
      return Math.abs(value) >= 0.0995 || value === 0 ? shareText(value) : `${numberText(value * 100)}%`;
    case 'count':
      return Math.round(value).toLocaleString('en');
    default:
      return numberText(value);
  }
}

/** Three digits that count. */
export function numberText(value: number): string {
  return value.toLocaleString('en', {
    maximumSignificantDigits: Math.abs(value) >= 1000 ? 15 : 3,
    maximumFractionDigits: 3,
  });
}
