import { describe, expect, test } from 'vitest';
import { events } from '../../../pkg/queries/events';
import { askState, noticesOf, rowsOfState } from '../../support/ask';
import { noPermission } from '../../support/fakeRedis';
import { columnsOf } from '../../support/queryRows';
import { aState, MINUTE, NOW } from '../../support/state';

/** Nine hundred seconds before an event to as many after its end. */
const around = (from: number, to: number) => `/d/sidekiq-incident?&from=${from * 1000}&to=${to * 1000}`;

describe('events', () => {
  const state = aState({
    processLog: {
      since: NOW - 3600,
      vanished: [],
      vanishedByHost: new Map(),
      lostJobsTotal: 0,
      events: [
        { kind: 'vanished', at: NOW - 100, endsAt: NOW - 40, title: 'a:1:x vanished', host: 'a' },
        { kind: 'start', at: NOW - 200, title: 'b:1:x started', host: 'b' },
        { kind: 'stop', at: NOW - 9999, title: 'long ago', host: 'c' },
        { kind: 'leader', at: NOW - 10, title: 'a new leader', host: '' },
      ],
    },
  });
  test('tell findings from their beginning to their end; one that goes on lasts to the end of the range', async () => {
    const finding = { kind: 'queue', rule: 'queueLate', severity: 'critical', text: 'mail is late.' } as const;
    const found = aState({
      findingLog: {
        ended: [{ ...finding, subject: 'mail', beganAt: NOW - 900, endedAt: NOW - 300 }],
        open: [
          { ...finding, subject: 'orders', beganAt: NOW - 60, endedAt: null },
          { ...finding, severity: 'warning', subject: 'mild', beganAt: NOW - 50, endedAt: null },
        ],
      },
    });
    const ofSeverity = async (severity: string) => {
      const filters = [{ field: 'severity', operator: '=', values: [severity] }];
      return (await rowsOfState(events, found, { query: { kinds: ['finding'], filters } })).map(
        (row) => row['subject']
      );
    };
    expect([await ofSeverity('warning'), await ofSeverity('critical')]).toEqual([['mild'], ['orders', 'mail']]);
    const rows = await rowsOfState(events, found, { query: { kinds: ['finding'] } });
    // A person reads that it goes on, and not an end.
    const read = await rowsOfState(events, found, { query: { kinds: ['finding'] }, request: { reader: true } });
    expect(read.map(({ title, timeEnd, path }) => [String(title), timeEnd, path])).toEqual(
      rows.map(({ title, timeEnd, path }) => [title, String(title).endsWith('Ongoing.') ? null : timeEnd, path])
    );
    expect(rows[2]!['path']).toBe(
      `/d/sidekiq-queue?var-queue=mail&from=${(NOW - 1800) * 1000}&to=${(NOW + 600) * 1000}`
    );
    expect(rows.map((row) => [row['subject'], row['time'], row['timeEnd'], row['tags']])).toEqual([
      ['mild', (NOW - 50) * 1000, NOW * 1000, 'sidekiq,finding,warning'],
      ['orders', (NOW - 60) * 1000, NOW * 1000, 'sidekiq,finding,critical'],
      ['mail', (NOW - 900) * 1000, (NOW - 300) * 1000, 'sidekiq,finding,critical'],
    ]);
  });

  test('come the worst first where that is asked, findings of one subject as one row', async () => {
    const finding = { kind: 'queue', rule: 'queueLate', severity: 'critical', text: 'mail is late.' } as const;
    const found = aState({
      ...state,
      findingLog: {
        ended: [
          { ...finding, severity: 'warning', subject: 'mail', beganAt: NOW - 9000, endedAt: NOW - 3000 },
          { ...finding, subject: 'mail', text: 'mail is very late.', beganAt: NOW - 900, endedAt: NOW - 800 },
          { ...finding, severity: 'warning', subject: 'mail', beganAt: NOW - 700, endedAt: NOW - 690 },
          { ...finding, severity: 'warning', subject: 'long', beganAt: NOW - 2000, endedAt: NOW - 10 },
        ],
        open: [{ ...finding, subject: 'orders', text: 'orders is late.', beganAt: NOW - 60, endedAt: null }],
      },
    });
    const request = { range: { from: NOW - 3600, to: NOW }, reader: true };
    const rows = await rowsOfState(events, found, { query: { order: 'worst' }, request, answers });
    expect(rows.map(({ title, time, timeEnd, lasted, count }) => [title, time, timeEnd, lasted, count])).toEqual([
      // 600 s of the first lie in the range.
      ['mail is very late.', (NOW - 9000) * 1000, (NOW - 690) * 1000, 710, 3],
      ['orders is late. Ongoing.', (NOW - 60) * 1000, null, 60, 1],
      ['mail is late.', (NOW - 2000) * 1000, (NOW - 10) * 1000, 1990, 1],
      ['a:1:x vanished', (NOW - 100) * 1000, (NOW - 40) * 1000, 60, 1],
      ['a1b2c3d', Date.parse('2026-11-25T11:55:00Z'), null, null, 1],
      ['a new leader', (NOW - 10) * 1000, null, null, 1],
      ['b:1:x started', (NOW - 200) * 1000, null, null, 1],
    ]);
  });

  test('of one subject that overlap last for the time in which there was one', async () => {
    const finding = { kind: 'class', rule: 'jobStuck', severity: 'warning', subject: 'C', text: 'C runs.' } as const;
    const found = aState({
      findingLog: {
        ended: [{ ...finding, severity: 'critical', beganAt: NOW - 2000, endedAt: NOW - 1000 }],
        // It began anew, and says since when it runs.
        open: [{ ...finding, beganAt: NOW - 3000, endedAt: null }],
      },
    });
    const request = { range: { from: NOW - 3600, to: NOW }, reader: true };
    const [row] = await rowsOfState(events, found, { query: { kinds: ['finding'], order: 'worst' }, request });
    expect(row).toMatchObject({
      // At its worst it had ended; it goes on.
      title: 'C runs. Ongoing.',
      time: (NOW - 3000) * 1000,
      timeEnd: null,
      lasted: 3000,
      count: 2,
      severity: 'critical',
    });
  });

  const answers = { 'hgetall 20261125-marks': ['2026-11-25T11:55:00Z', 'a1b2c3d'] };

  test('come the newest first, with tags and, where they last, an end', async () => {
    const rows = await rowsOfState(events, state, { answers });
    expect(rows).toEqual([
      {
        time: (NOW - 10) * 1000,
        path: around(NOW - 910, NOW + 890),
        timeEnd: null,
        title: 'a new leader',
        kind: 'leader',
        host: '',
        severity: '',
        subject: '',
        rule: '',
        tags: 'sidekiq,leader',
        count: 1,
        lasted: null,
      },
      {
        time: (NOW - 100) * 1000,
        path: around(NOW - 1000, NOW + 860),
        timeEnd: (NOW - 40) * 1000,
        title: 'a:1:x vanished',
        kind: 'vanished',
        host: 'a',
        severity: '',
        subject: '',
        rule: '',
        tags: 'sidekiq,vanished,a',
        count: 1,
        lasted: 60,
      },
      {
        time: (NOW - 200) * 1000,
        path: around(NOW - 1100, NOW + 700),
        timeEnd: null,
        title: 'b:1:x started',
        kind: 'start',
        host: 'b',
        severity: '',
        subject: '',
        rule: '',
        tags: 'sidekiq,start,b',
        count: 1,
        lasted: null,
      },
      {
        time: (MINUTE - 300) * 1000,
        path: `/d/sidekiq-deploy?var-deploy=2026-11-25T11:55:00.000Z&from=${(MINUTE - 3900) * 1000}&to=${(MINUTE + 3300) * 1000}`,
        timeEnd: null,
        title: 'a1b2c3d',
        kind: 'deploy',
        host: '',
        severity: '',
        subject: '',
        rule: '',
        tags: 'sidekiq,deploy',
        count: 1,
        lasted: null,
      },
    ]);
    expect(Object.keys(rows[0]!)).toEqual(columnsOf(events));
  });

  test('are of the kinds that are asked for; deploy marks are read only then', async () => {
    const kinds = async (...wanted: string[]) =>
      (
        await rowsOfState(events, state, {
          query: { kinds: wanted },
          answers: { ...answers, hgetall: noPermission('hgetall') },
        })
      ).map((row) => row['kind']);
    expect(await kinds('start', 'stop')).toEqual(['start']);
    await expect(askState(events, state, { query: { kinds: ['nope'] } })).rejects.toThrow(/"kinds.0" is not valid/);
  });

  test('are in a range with their end', async () => {
    const inRange = async (from: number, to: number) =>
      (await rowsOfState(events, state, { query: { kinds: ['vanished'] }, request: { range: { from, to } } })).length;
    expect(await inRange(NOW - 40, NOW)).toBe(1);
    expect(await inRange(NOW - 39, NOW)).toBe(0);
    expect(await inRange(NOW - 500, NOW - 100)).toBe(1);
    expect(await inRange(NOW - 500, NOW - 101)).toBe(0);
  });

  test('tell of deploy marks that are refused', async () => {
    const frames = await askState(events, state, {
      answers: { ...answers, 'hgetall 20261125-marks': noPermission('hgetall') },
      request: { range: { from: NOW - 100_000, to: NOW } },
    });
    expect(noticesOf(frames)[0]).toMatch(/^No deploy marks: /);
    expect(frames[0]!.fields[0]!.values).toHaveLength(4);
  });
});
