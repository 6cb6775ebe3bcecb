import { expect, test } from 'vitest';
import { renderOpenMetrics, renderText } from '../../../pkg/metrics/exposition';
import { readFamilies } from '../../../pkg/metrics/metric';
import { receiverMetrics } from '../../../pkg/metrics/statsdMetrics';
import { StatsdIntake } from '../../../pkg/statsd/intake';
import { parseExposition } from '../../support/exposition';
import { NOW } from '../../support/state';
import { sendPacket } from '../../support/statsd';
import fc, { runs } from '../../support/fastCheck';

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

const decimal = fc.oneof(
  fc.nat().map(String),
  fc.tuple(fc.nat(99_999), fc.nat(9999)).map(([whole, part]) => `${whole}.${part}`),
  fc.constantFrom('0', '0.1', '007.250', '1.', '.5', '1.5.5', '+3', '1e3', '123456789012345.6', '99999999999999999999')
);
/** Lines that differ in little but their value, and in tags in the name that hold a colon. */
const usual = fc
  .tuple(
    fc.constantFrom(
      ...['a.jobs.count:', 'a.jobs.perform:', 'a.jobs.count#worker=b:', 'a.jobs.count#worker=b:c:'],
      ...['a.jobs.count[worker=b:5]:', 'a.jobs.perform,worker=1:2:']
    ),
    decimal,
    fc.constantFrom('|c', '|ms', '|c|#worker:A', '|ms|#worker:A', '|ms|@0.5|#worker:A', '|c|#worker:B\r', '')
  )
  .map((parts) => parts.join(''));

test('a line that was seen before counts as when it was new', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(usual, usual, line), { maxLength: 20 }),
      fc.array(fc.nat(19), { maxLength: 60 }),
      (lines, order) => {
        const remembering = new StatsdIntake({ series: 50, expireSeconds: 600 });
        const forgetting = new StatsdIntake({ series: 50, expireSeconds: 600 });
        for (const index of order) {
          const packet = lines[index % Math.max(1, lines.length)] ?? '';
          forgetting.registry.generation += 1;
          expect(sendPacket(remembering, packet, NOW)).toEqual(sendPacket(forgetting, packet, NOW));
        }
        expect(textOf(remembering)).toBe(textOf(forgetting));
        expect(remembering.counts).toEqual(forgetting.counts);
      }
    ),
    { numRuns: runs(300) }
  );
});

function textOf(statsd: StatsdIntake): string {
  return renderText(
    readFamilies(receiverMetrics(statsd.registry.namespaces), { statsd, arrivedBy: NOW }, 500, new Map())
  );
}

test('whatever arrives, the text is one that Prometheus takes, and no counter falls', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(line, noise), { maxLength: 30 }), (lines) => {
      const statsd = new StatsdIntake({ series: 20, expireSeconds: 600 });
      statsd.listening.push('127.0.0.1:9125');
      const before = new Map<string, number>();
      for (const packet of lines) {
        sendPacket(statsd, packet, NOW);
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
