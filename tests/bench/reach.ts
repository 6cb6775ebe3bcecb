interface Figure {
  what: string;
  measured: number;
  most: number;
  unit: string;
}

const figures: Figure[] = [];

/** Notes a figure beside what the project wants of it: `most` or less. */
export function reach(what: string, measured: number, most: number, unit: string): void {
  figures.push({ what, measured, most, unit });
}

/** What was wanted of this run, the misses first. */
export function reached(): string[] {
  const sorted = [...figures].sort((a, b) => Number(b.measured > b.most) - Number(a.measured > a.most));
  return [
    '## Reached and missed',
    '',
    'What the project wants, against this run. [Where the time goes](performance.md) tells why the misses are as they are.',
    '',
    '| Figure | Measured | Wanted | |',
    '| --- | --- | --- | --- |',
    ...sorted.map(
      ({ what, measured, most, unit }) =>
        `| ${what} | ${textOf(measured)} ${unit} | ≤ ${textOf(most)} ${unit} | ${measured > most ? '**missed**' : 'reached'} |`
    ),
  ];
}

function textOf(value: number): string {
  return value >= 10 ? value.toFixed(0) : String(Number(value.toPrecision(2)));
}
