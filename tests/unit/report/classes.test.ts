import { expect, it } from 'vitest';
import { classRuns, classSections } from '../../../pkg/report/classes';
import { MemoryStore } from '../../../pkg/series/memoryStore';

const DAY = 86_400;
const FROM = Date.UTC(2026, 10, 20) / 1000;

it('counts what classes did over a range by their counters, and nothing before or after', async () => {
  const store = new MemoryStore({ fullSeconds: 10 * DAY, keepSeconds: 10 * DAY });
  // Half an execution a second, one of ten of which fails; the others take two seconds.
  for (let at = FROM - DAY; at <= FROM + 2 * DAY; at += 300) {
    const executions = (at - FROM + DAY) / 2;
    const of = (figure: string, value: number) => ({ scope: 'class', key: 'AJob', figure, value }) as const;
    store.append(at, [
      of('processedRate', executions),
      of('failedRate', executions / 10),
      of('load', executions * 0.9 * 2),
    ]);
  }
  const [run] = await classRuns(store, { from: FROM, to: FROM + DAY }, FROM + 2 * DAY, 10);
  expect(run).toEqual({
    name: 'AJob',
    executions: expect.closeTo(43_200, 0) as number,
    failed: expect.closeTo(4320, 0) as number,
    threadSeconds: expect.closeTo(77_760, 0) as number,
  });
});

it('counts of the first and the last five minutes the part that lies within the range', async () => {
  const store = new MemoryStore();
  for (let at = FROM; at <= FROM + 900; at += 300) {
    store.append(at, [{ scope: 'class', key: 'AJob', figure: 'processedRate', value: at - FROM }]);
  }
  const [run] = await classRuns(store, { from: FROM + 290, to: FROM + 600 }, FROM + 900, 10);
  expect(run!.executions).toBeCloseTo(310, 6);
});

it('ranks classes by thread time, by mean run time and by the share of failures, without those that hardly ran', () => {
  const run = (name: string, executions: number, failed: number, threadSeconds: number) => ({
    name,
    executions,
    failed,
    threadSeconds,
  });
  const sections = classSections(
    [run('Busy', 1000, 10, 990), run('Slow', 20, 10, 500), run('Rare', 2, 2, 0), run('Fine', 100, 0, 1)],
    'x'
  );
  const named = (id: string) => sections.find((section) => section.id === id)!.table!.rows.map(([name]) => name);
  expect(named('busiest')).toEqual(['Busy', 'Slow', 'Fine', 'Rare']);
  expect(named('slowest').slice(0, 2)).toEqual(['Slow', 'Busy']);
  expect(named('failing')).toEqual(['Slow', 'Busy']);
  expect(sections[0]!.texts[0]).toBe('1,122 executions of 4 classes, 2% failed.');
});
