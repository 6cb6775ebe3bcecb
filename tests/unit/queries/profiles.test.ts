import { describe, expect, test } from 'vitest';
import { jobs } from '../../../pkg/queries/jobs';
import { profiles } from '../../../pkg/queries/profiles';
import { LAGO_CADENCES } from '../../../pkg/settings/lago';
import { askState, noticesOf, rowsOfState } from '../../support/ask';
import { noPermission } from '../../support/fakeRedis';
import { aState, NOW } from '../../support/state';

const FIELDS = 'jid type token started_at elapsed size';

describe('profiles', () => {
  const answers = {
    'zrevrange profiles 0 1000 WITHSCORES': [
      'me-j1',
      String(NOW + 3600),
      'me-j2',
      String(NOW + 60),
      'old',
      String(NOW - 1),
    ],
    [`hmget me-j1 ${FIELDS}`]: ['j1', 'ReportJob', 'me', String(NOW - 500), '12.5', '2048'],
    [`hmget me-j2 ${FIELDS}`]: [null, null, null, null, null, null],
  };

  test('have a row each, without what has expired', async () => {
    const rows = await rowsOfState(profiles, aState(), { answers });
    expect(rows).toEqual([
      {
        jid: 'j1',
        class: 'ReportJob',
        metricsClass: 'ReportJob',
        token: 'me',
        started: (NOW - 500) * 1000,
        elapsed: 12.5,
        bytes: 2048,
        expires: (NOW + 3600) * 1000,
      },
    ]);
    expect(Object.keys(rows[0]!)).toEqual(profiles.columns.map(({ name }) => name));
  });

  test('of odd fields are unknown in these alone', async () => {
    const odd = { ...answers, [`hmget me-j1 ${FIELDS}`]: ['j1', 'R', null, 'x', 'NaN', '-5'] };
    expect(await rowsOfState(profiles, aState(), { answers: odd })).toMatchObject([
      { jid: 'j1', token: '', started: null, elapsed: null, bytes: null },
    ]);
  });

  test('that may not be read are an error, and one that may not is told', async () => {
    const refused = askState(profiles, aState(), { answers: { zrevrange: noPermission('zrevrange') } });
    await expect(refused).rejects.toMatchObject({ kind: 'permission' });
    const one = { ...answers, [`hmget me-j2 ${FIELDS}`]: noPermission('hmget') };
    expect(noticesOf(await askState(profiles, aState(), { answers: one })).join()).toMatch(/^No profiles: .*NOPERM/);
  });

  test('beyond a thousand are cut, and told', async () => {
    const many = Array.from({ length: 1001 }, (_, index) => [`k${index}`, String(NOW + 10)]).flat();
    const frames = await askState(profiles, aState(), {
      answers: { 'zrevrange profiles 0 1000 WITHSCORES': many, hmget: ['j', 'A', 't', null, null, null] },
    });
    expect(frames[0]!.fields[0]!.values).toHaveLength(1000);
    expect(noticesOf(frames)).toEqual(['Only the first 1000 profiles were read.']);
  });
});

test('jobs are found by the tenant that came along, where arguments are allowed', async () => {
  const payload = (jid: string, tenant: number) =>
    JSON.stringify({ jid, class: 'A', queue: 'q', cattr: { tenant, locale: 'de' } });
  const answers = { 'llen queue:q': 2, 'lrange queue:q': [payload('a', 5), payload('b', 50)] };
  const ask = (options: Record<string, unknown>, values: string[]) =>
    rowsOfState(jobs, aState({ options }), {
      query: { queue: 'q', filters: [{ field: 'context', operator: '=', values }] },
      answers,
    });
  expect(await ask({ allowArguments: true }, ['tenant=5'])).toMatchObject([
    { jid: 'a', context: 'tenant=5, locale=de' },
  ]);
  expect(await ask({}, ['tenant=5'])).toEqual([]);
});

test('the preset of Lago knows the jobs of its clock', () => {
  expect(LAGO_CADENCES).toHaveLength(23);
  expect(LAGO_CADENCES).toContainEqual({ class: 'Clock::ApiKeys::TrackUsageJob', everySeconds: 3600 });
  expect(LAGO_CADENCES).toContainEqual({ class: 'Clock::RetryFailedInvoicesJob', everySeconds: 900 });
  expect(LAGO_CADENCES).toContainEqual({ class: 'Clock::WebhooksCleanupJob', everySeconds: 86_400 });
});
