import fc from 'fast-check';
import { expect, test } from 'vitest';
import { renderOpenMetrics, renderText } from '../../../pkg/metrics/exposition';
import { readFamilies } from '../../../pkg/metrics/metric';
import { receiverMetrics } from '../../../pkg/metrics/statsdMetrics';
import { StatsdIntake } from '../../../pkg/statsd/intake';
import { parseExposition } from '../../support/exposition';
import { runs } from '../../support/runs';
import { NOW } from '../../support/state';

/** A line of the text format, by its grammar (prometheus.io, exposition formats). */
const LINE =
  /^(?:# (?:HELP|TYPE) .*|[a-zA-Z_:][\w:]*(?:\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\"n])*",?)*\})? (?:NaN|[+-]Inf|[-+\d.eE]+))$/;
const WIRES = ['jobs.count', 'jobs.perform', 'jobs.failure', 'sidekiq.busy', 'batch.duration', 'other'];
const noise = fc.string({ unit: fc.constantFrom(...'a1:|#,@=[]"\\{}\n\r\0é🚀 -.eE'), maxLength: 12 });
/** A line that is nearly right, so that its odd parts arrive in the text. */
const line = fc
  .record({
    namespace: fc.oneof(fc.constant('app.'), noise),
    wire: fc.constantFrom(...WIRES),
    value: fc.oneof(fc.integer().map(String), fc.double().map(String), noise),
    type: fc.constantFrom('c', 'g', 'ms', 'd', 'h', 's', ''),
    rate: fc.oneof(
      fc.constant(''),
      fc.double({ min: 0, max: 1 }).map((rate) => `|@${rate}`)
    ),
    tags: fc.array(fc.tuple(noise, noise), { maxLength: 4 }),
  })
  .map(
    ({ namespace, wire, value, type, rate, tags }) =>
      `${namespace}${wire}:${value}|${type}${rate}|#${tags.map(([name, text]) => `${name}:${text}`).join(',')}`
  );

test('whatever arrives, the text is one that Prometheus takes, and no counter falls', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(line, noise), { maxLength: 30 }), (lines) => {
      const statsd = new StatsdIntake({ series: 20, expireSeconds: 600 });
      statsd.listening.push('127.0.0.1:9125');
      const before = new Map<string, number>();
      for (const packet of lines) {
        statsd.receive(packet, NOW);
        const families = readFamilies(
          receiverMetrics(statsd.registry.namespaces),
          { statsd, arrivedBy: NOW },
          500,
          new Map()
        );
        const text = renderText(families);
        expect(text.split('\n').filter((each) => each !== '' && !LINE.test(each))).toEqual([]);
        const { samples, types } = parseExposition(text);
        const names = samples.map(({ name, labels }) => `${name}${JSON.stringify(Object.entries(labels).sort())}`);
        expect(new Set(names).size).toBe(names.length);
        samples.forEach(({ name, value }, index) => {
          if (types.get(name) === 'counter') {
            expect(value).toBeGreaterThanOrEqual(before.get(names[index]!) ?? 0);
            before.set(names[index]!, value);
          }
        });
        expect(renderOpenMetrics(families).endsWith('# EOF\n')).toBe(true);
      }
    }),
    { numRuns: runs(300) }
  );
});
