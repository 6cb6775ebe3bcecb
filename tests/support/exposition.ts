/** One sample of Prometheus' text format. */
export interface ExpositionSample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

/** What an endpoint answered. */
export interface Exposition {
  samples: ExpositionSample[];
  types: Map<string, string>;
  /** The value of the one sample with this name and just these labels. */
  value(name: string, labels?: Record<string, string>): number | undefined;
}

/** Reads Prometheus' text format well enough to compare two of them. */
export function parseExposition(text: string): Exposition {
  const samples: ExpositionSample[] = [];
  const types = new Map<string, string>();
  for (const line of text.split('\n')) {
    const type = /^# TYPE (\S+) (\S+)/.exec(line);
    if (type) {
      types.set(type[1]!, type[2]!);
    }
    const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/.exec(line);
    if (match && !line.startsWith('#')) {
      const labels = [...(match[2] ?? '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, value]) => [key, value]);
      samples.push({
        name: match[1]!,
        labels: Object.fromEntries(labels),
        value: Number(match[3]!.replace('Inf', 'Infinity')),
      });
    }
  }
  const key = (name: string, labels: Record<string, string>) => JSON.stringify([name, Object.entries(labels).sort()]);
  const byKey = new Map(samples.map(({ name, labels, value }) => [key(name, labels), value]));
  return { samples, types, value: (name, labels = {}) => byKey.get(key(name, labels)) };
}
