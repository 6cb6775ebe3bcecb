import { describe, expect, test } from 'vitest';
import { recurring } from '../../../pkg/queries/recurring';
import { metricKeys } from '../../../pkg/sidekiq/keys';
import { askState, noticesOf, rowsOfState } from '../../support/ask';
import { noPermission } from '../../support/fakeRedis';
import { columnsOf } from '../../support/queryRows';
import { aState, MINUTE } from '../../support/state';

describe('recurring', () => {
  const state = aState({
    options: {
      cadences: [
        { class: 'ClockJob', everySeconds: 300 },
        { class: 'Silent', everySeconds: 60 },
      ],
    },
  });
  const answers = {
    'smembers cron_jobs:default': ['cron_job:default:bill'],
    'hgetall cron_job:default:bill': [
      ...[
        'name',
        'bill',
        'klass',
        'BillJob',
        'cron',
        '10 * * * *',
        'last_enqueue_time',
        '2026-11-25 10:10:00 +0000',
        'message',
        '{"queue":"billing"}',
      ],
    ],
    // The run that was planned tells the time zone.
    'zrevrange cron_job:default:bill:enqueued 0 0 WITHSCORES': [
      '2026-11-25T10:10:00Z',
      String(Date.UTC(2026, 10, 25, 10, 10) / 1000),
    ],
    [`hgetall ${metricKeys.minute(MINUTE - 600)}`]: ['ClockJob|p', '1'],
    [`hgetall ${metricKeys.minute(MINUTE - 900)}`]: ['ClockJob|p', '1'],
  };

  test('has entries of schedulers and expected cadences, with how late they are', async () => {
    const rows = await rowsOfState(recurring, state, { answers });
    expect(rows[0]).toEqual({
      name: 'bill',
      source: 'sidekiq-cron',
      prefix: '',
      class: 'BillJob',
      queue: 'billing',
      schedule: '10 * * * *',
      enabled: true,
      last: Date.UTC(2026, 10, 25, 10, 10),
      next: Date.UTC(2026, 10, 25, 11, 10),
      // 10:10 to 12:00:30, and 11:10 to 12:00:30.
      sinceLast: 6630,
      lateBy: 3030,
      unreadable: false,
    });
    expect(Object.keys(rows[0]!)).toEqual(columnsOf(recurring));
    expect(rows[1]).toEqual({
      name: 'ClockJob',
      source: 'cadence',
      prefix: '',
      class: 'ClockJob',
      queue: '',
      schedule: 'every 300 s',
      enabled: true,
      last: (MINUTE - 600) * 1000,
      // Ran by the end of its minute, so due 300 s after that.
      next: (MINUTE - 540 + 300) * 1000,
      sinceLast: 630,
      lateBy: 270,
      unreadable: false,
    });
    // Not within the eight hours that are kept: late by at least those, less the minute it may take.
    expect(rows[2]).toMatchObject({ name: 'Silent', last: null, sinceLast: null, lateBy: 8 * 3600 - 60 });
  });

  test('tells what was refused', async () => {
    const refused = {
      ...answers,
      'hgetall schedules': noPermission('hgetall'),
      [`hgetall ${metricKeys.minute(MINUTE)}`]: noPermission('hgetall'),
    };
    const notices = noticesOf(await askState(recurring, state, { answers: refused }));
    expect(notices.map((text) => text.split(':')[0])).toEqual(['No sidekiq-scheduler entries', 'No job metrics']);
  });

  test('does not read job metrics where no cadence is expected', async () => {
    const rows = await rowsOfState(recurring, aState(), { answers });
    expect(rows.map((row) => row['name'])).toEqual(['bill']);
  });

  test('of an entry that is switched off is nothing due', async () => {
    const off = {
      ...answers,
      'hgetall cron_job:default:bill': ['name', 'bill', 'cron', '10 * * * *', 'status', 'disabled'],
    };
    expect((await rowsOfState(recurring, aState(), { answers: off }))[0]).toMatchObject({
      enabled: false,
      next: null,
      lateBy: null,
    });
  });
});
