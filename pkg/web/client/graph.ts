import uPlot from 'uplot';
import type { Graph, Line } from '../model';
import { element } from './table';

const COLOURS = ['#3f8ae0', '#e0823d', '#3aa76d', '#a06ee1', '#d8496b', '#c2a21b', '#2aa3a3', '#8a8f98'];
const HEIGHT = 180;
const HALF_HOUR = 1800;

/** Of what the values of a graph are. */
export interface Unit {
  /** Prints a value of the axis and of the legend. */
  print(value: number): string;
  /** The axis reaches to this value at least. */
  least: number;
  /** From one label of the axis to the next; powers of ten, twice and five times those where it is left out. */
  steps?: number[];
}

/** Steps of an axis of whole numbers. */
export const WHOLE_STEPS = Array.from({ length: 12 }, (_, power) =>
  [1, 2, 5].map((digit) => digit * 10 ** power)
).flat();
/** Steps of an axis of seconds: whole minutes, hours and days. */
export const DURATION_STEPS = [
  ...[0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800],
  ...[1, 2, 3, 6, 12, 24, 48, 96, 240, 480, 1200, 2400, 4800].map((hours) => hours * 3600),
];
/** Seconds from one label of time to the next, which have no seconds. */
const TIME_STEPS = [60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400];

/** One graph of the page, kept and given new data. */
export class GraphView {
  private plot: uPlot | undefined;
  private names = '';

  constructor(
    private readonly section: HTMLElement,
    private readonly unit: Unit,
    private readonly empty: string
  ) {
    new ResizeObserver(() => this.resize()).observe(section);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      this.names = '';
    });
  }

  show({ lines, problem }: Graph): void {
    const body = this.section.querySelector<HTMLElement>('.body')!;
    const drawn = lines.filter(({ values }) => values.some((value) => value !== null));
    if (problem !== undefined || drawn.length === 0) {
      this.plot?.destroy();
      this.plot = undefined;
      body.replaceChildren(element('p', problem ?? this.empty, problem === undefined ? 'empty' : 'problem'));
      return;
    }
    const data = alignedData(drawn);
    const names = drawn.map(({ name }) => name).join('\n');
    if (this.plot && names === this.names) {
      this.plot.setData(data);
      this.showLast();
      return;
    }
    this.names = names;
    this.plot?.destroy();
    body.replaceChildren();
    this.plot = new uPlot(this.options(drawn, body.clientWidth), data, body);
    this.plot.over.addEventListener('mouseleave', () => this.showLast());
  }

  /** While nobody points at an instant, the legend tells the last one. */
  private showLast(): void {
    if (this.plot && (this.plot.cursor.left ?? -1) < 0) {
      const [, ...lines] = this.plot.data;
      // Where a range ends in an instant of which nothing is known yet, the one before it.
      const last = lines.reduce((most, values) => Math.max(most, lastKnown(values)), 0);
      this.plot.setLegend({ idx: last });
    }
  }

  private options(lines: readonly Line[], width: number): uPlot.Options {
    const style = getComputedStyle(document.documentElement);
    const axis = {
      stroke: style.getPropertyValue('--quiet'),
      grid: { stroke: style.getPropertyValue('--line'), width: 1 },
      ticks: { show: false },
      font: '12px system-ui',
    };
    const print = (value: number | null) => (value === null ? '–' : this.unit.print(value));
    return {
      width,
      height: HEIGHT,
      // As all times of the page.
      tzDate: (at) => uPlot.tzDate(new Date(at * 1000), 'Etc/UTC'),
      cursor: { y: false },
      hooks: { ready: [() => this.showLast()] },
      scales: {
        x: { range: (_plot, from, to) => (to > from ? [from, to] : [from - HALF_HOUR, to + HALF_HOUR]) },
        y: { range: (_plot, _least, most) => [0, Math.max(most * 1.1, this.unit.least)] },
      },
      axes: [
        { ...axis, values: '{HH}:{mm}', incrs: TIME_STEPS },
        {
          ...axis,
          size: 88,
          ...(this.unit.steps && { incrs: this.unit.steps }),
          values: (_plot, values) => values.map(print),
        },
      ],
      series: [
        { label: 'Time (UTC)', value: '{HH}:{mm}' },
        ...lines.map(({ name }, index) => ({
          label: name,
          stroke: COLOURS[index % COLOURS.length]!,
          width: 1.5,
          // A single value has no line.
          points: { show: (plot: uPlot) => hasOne(plot.data[index + 1]!) },
          value: (_plot: uPlot, value: number | null) => print(value),
        })),
      ],
    };
  }

  private resize(): void {
    const width = this.section.querySelector<HTMLElement>('.body')?.clientWidth ?? 0;
    if (this.plot && width > 0 && width !== this.plot.width) {
      this.plot.setSize({ width, height: HEIGHT });
    }
  }
}

function hasOne(values: ArrayLike<number | null | undefined>): boolean {
  return Array.from(values).filter((value) => value != null).length === 1;
}

function lastKnown(values: ArrayLike<number | null | undefined>): number {
  let last = values.length - 1;
  while (last > 0 && values[last] == null) {
    last -= 1;
  }
  return last;
}

/** Lines on one axis of time, as uPlot takes them; a gap where a line has no value. */
function alignedData(lines: readonly Line[]): uPlot.AlignedData {
  const known = lines.map((line) => new Map(line.at.map((time, index) => [time, line.values[index] ?? null])));
  const times = [...new Set(lines.flatMap((line) => line.at))].sort((a, b) => a - b);
  // Before anything was seen there is nothing to draw.
  const at = times.slice(times.findIndex((time) => known.some((line) => typeof line.get(time) === 'number')));
  return [at, ...known.map((line) => at.map((time) => line.get(time) ?? null))] as uPlot.AlignedData;
}
