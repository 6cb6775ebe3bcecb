import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openReplay } from '../../pkg/recording/openReplay';
import { findingSections } from '../../pkg/report/findings';
import type { Section } from '../../pkg/report/model';
import { toHtml } from '../../pkg/report/html';
import { toObject } from '../../pkg/report/json';
import { makeReport, summaryOf } from '../../pkg/report/report';
import { optionsSchema } from '../../pkg/settings/model';

/** See incident.test.ts: forty minutes of a real Sidekiq, with the times that the script of the trouble wrote down. */
const FILE = join(__dirname, 'data/incident-7.3.10.rec');
const END = Date.parse('2026-11-28T00:17:11Z') / 1000;

async function reportOf(from: number, to: number) {
  const options = optionsSchema.parse({
    workerTypes: [{ name: 'Push', queues: ['push'], latencyObjectiveSeconds: 60 }],
  });
  const { source, close } = await openReplay(FILE, options, { speed: 0 });
  try {
    return await makeReport(source, { from, to });
  } finally {
    close();
  }
}

it('a report tells the trouble of a real Sidekiq: what, for how long, and what its own counters say', async () => {
  const report = await reportOf(END - 2400, END);
  const sections = new Map(toObject(report).sections.map((section) => [section.id, section]));
  const wrong = sections.get('findings')!.rows!;
  const unserved = wrong.find(({ finding }) => String(finding).startsWith('No process serves push'))!;
  // Seven minutes by the script's own clock.
  expect(Math.abs(Number(unserved['seconds']) - 420)).toBeLessThanOrEqual(25);
  expect(unserved).toMatchObject({ severity: 'critical', times: 1, goesOn: 'over' });
  expect(wrong.map(({ finding }) => finding)).toContainEqual(expect.stringContaining('vanished with 1 job'));
  // Sidekiq's counters stat:processed and stat:failed of the recording: 188 to 5,315 and 0 to 226; minutes are whole.
  const classes = sections.get('busiest')!.rows!;
  const sum = (name: string) => classes.reduce((total, row) => total + Number(row[name]), 0);
  expect(Math.abs(sum('executions') - (5315 - 188))).toBeLessThanOrEqual(160);
  expect(sum('failed')).toBe(226);
  expect(sections.get('failing')!.rows!.map((row) => row['class'])).toEqual(['MailJob']);
  expect(sections.get('objectives')!.rows).toContainEqual(
    expect.objectContaining({ workerType: 'Push', state: 'spent' })
  );
  // A comparison takes 35 minutes on each side; the recording has forty in all.
  expect(sections.get('deploys')!.rows).toMatchObject([{ changes: 'too little time around it' }]);
  expect(summaryOf(report)).toContain('2 of 4 objectives are missed.');
});

it.each([
  ['to come', END + 3600, END + 7200],
  ['turned around', END, END - 600],
])('a report on a time that is %s is refused', async (_, from, to) => {
  await expect(reportOf(from, to)).rejects.toThrow(/^There is no time from .* that has passed\.$/);
});

it('a report on an hour before the trouble knows nothing of it', async () => {
  const quiet = Date.parse('2026-11-27T23:41:00Z') / 1000;
  const { sections } = toObject(await reportOf(quiet - 240, quiet));
  expect(sections.find(({ id }) => id === 'findings')!.texts).toEqual(['Nothing was found.']);
});

it('a report on a time that was not recorded does not say that nothing was wrong', async () => {
  const range = { from: 1000, to: 2000 };
  const texts = (missing: number) => findingSections({ open: [], ended: [] }, range, missing)[0]!.texts;
  expect(texts(0)).toEqual(['Nothing was found.']);
  expect(texts(600)).toEqual(['Nothing was found in what was recorded.']);
  expect(texts(1000)).toEqual(['It is not known what was wrong: the time range was not recorded.']);
});

it('a report counts no time of a finding that was not recorded', async () => {
  const finding = { rule: 'queueLate', kind: 'queue', subject: 'q', severity: 'warning', text: 'q is late.' } as const;
  const log = {
    open: [{ ...finding, beganAt: 1000, endedAt: null }],
    ended: [{ ...finding, beganAt: 100, endedAt: 300 }],
  };
  const secondsOf = (...gaps: Array<{ from: number; to: number }>) => {
    const [{ table }] = findingSections(log, { from: 200, to: 5000 }, 3500, gaps) as [Section];
    return table!.rows[0]![table!.columns.findIndex(({ name }) => name === 'seconds')];
  };
  // From 200 to 300, and from 1000 to 5000.
  expect(secondsOf()).toBe(4100);
  expect(secondsOf({ from: 1100, to: 4600 })).toBe(600);
  expect(secondsOf({ from: 250, to: 1200 }, { from: 4900, to: 5000 })).toBe(4100 - 50 - 200 - 100);
});

it('a report says how much of its range was not recorded, and nothing where all was', async () => {
  const overview = async (from: number) =>
    toObject(await reportOf(from, END)).sections.find(({ id }) => id === 'overview')!.texts;
  expect(await overview(END - 1800)).toEqual(['The time range was recorded.']);
  // The recording has forty minutes.
  expect(await overview(END - 7200)).toEqual([
    expect.stringMatching(/^Readings are recorded since 2026-11-27 23:3\d:\d\d UTC\.$/),
    expect.stringMatching(/^Of the time range 1 h (?:19|2\d) min were not recorded; nothing is known of them\.$/),
  ]);
});

it('the pictures show the queue that nobody served', async () => {
  const html = toHtml(await reportOf(END - 2400, END));
  expect(html.match(/<figure>/g)).toHaveLength(3);
  expect(html).toMatch(/<\/i>push<\/span>/);
});

// Found by a review: with a reading every five minutes, and with a clock that is ahead, it said that no time was recorded whole.
it('of a time between two readings there is no report', async () => {
  const told = await Promise.all(
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((before) =>
      reportOf(END - 60 - before, END - 60 - before + 0.5).then(
        ({ range }) => (range.from < range.to ? 'of some time' : 'of no time'),
        (error: Error) => error.message
      )
    )
  );
  expect(told).not.toContain('of no time');
  expect(told).toContainEqual(expect.stringMatching(/^There is no time from .* that has passed\.$/));
});
