import { scaleLinear, scaleUtc } from 'd3-scale';
import { line } from 'd3-shape';
import type { Picture } from './model';
import { numberText } from './text';

const WIDTH = 720;
const HEIGHT = 200;
const MARGIN = { top: 8, right: 8, bottom: 22, left: 58 };
const COLOURS = ['#3274d9', '#e0752d', '#56a64b', '#a352cc', '#c4162a'];

/** Ticks of a longer range are days. */
const TIMES_SECONDS = 2 * 86_400;
const SCALES = [
  { seconds: 86_400, unit: ' d' },
  { seconds: 3600, unit: ' h' },
  { seconds: 60, unit: ' min' },
] as const;
const PLAIN = { seconds: 1, unit: '' } as const;

/** A figure over time as an SVG element, legend included; `escape` makes names harmless. */
export function toSvg({ title, unit, range, lines }: Picture, escape: (text: string) => string): string {
  const values = lines.flatMap(({ values: each }) => each.flatMap((value) => value ?? []));
  const scale = unit === 'seconds' ? scaleOf(Math.max(0, ...values)) : PLAIN;
  const x = scaleUtc()
    .domain([range.from * 1000, range.to * 1000])
    .range([MARGIN.left, WIDTH - MARGIN.right]);
  const y = scaleLinear()
    .domain([Math.min(0, ...values), Math.max(0, ...values) || scale.seconds].map((value) => value / scale.seconds))
    .nice(4)
    .range([HEIGHT - MARGIN.bottom, MARGIN.top]);
  const across = y.ticks(4).map((value) => {
    const at = y(value).toFixed(1);
    return `<line class="grid" x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${at}" y2="${at}"/><text x="${MARGIN.left - 6}" y="${at}" dy="0.32em" text-anchor="end">${escape(numberText(value) + scale.unit)}</text>`;
  });
  const withDays = range.to - range.from > TIMES_SECONDS;
  const along = x.ticks(6).map((at) => {
    const left = x(at).toFixed(1);
    return `<text x="${left}" y="${HEIGHT - 6}" text-anchor="middle">${timeText(at, withDays)}</text>`;
  });
  const drawn = lines.map(({ at, values: each }, index) => {
    const path = line<number | null>()
      .defined((value) => value !== null)
      .x((_, point) => x(at[point]! * 1000))
      .y((value) => y((value ?? 0) / scale.seconds))(each);
    return `<path d="${path ?? ''}" stroke="${COLOURS[index % COLOURS.length]}"/>`;
  });
  const legend = lines.map(
    ({ name }, index) => `<span><i style="background:${COLOURS[index % COLOURS.length]}"></i>${escape(name)}</span>`
  );
  return `<figure><figcaption>${escape(title)}</figcaption><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escape(title)}">${across.join('')}${along.join('')}${drawn.join('')}</svg><div class="legend">${legend.join('')}</div></figure>`;
}

/** The unit of an axis that reaches to so many seconds. */
function scaleOf(seconds: number) {
  return SCALES.find((scale) => seconds >= 2 * scale.seconds) ?? { seconds: 1, unit: ' s' };
}

/** In UTC, as all times of a report. */
function timeText(at: Date, withDays: boolean): string {
  const iso = at.toISOString();
  const time = iso.slice(11, 16);
  return withDays ? (time === '00:00' ? iso.slice(5, 10) : `${iso.slice(5, 10)} ${time}`) : time;
}
