import { expect, test } from 'vitest';
import { displayArguments, jobOf, parsePayload } from '../../pkg/sidekiq/payload';
import { quantile, readHistogram } from '../../pkg/sidekiq/jobMetrics';
import { metricKeys } from '../../pkg/sidekiq/keys';
import { toEpochSeconds } from '../../pkg/sidekiq/plausible';

test.each([
  [1741944411.25, 1741944411.25],
  [1741944411250, 1741944411.25],
  ['1741944411.25', 1741944411.25],
  ['2025-03-14T09:26:51Z', 1741944411],
  [0, null],
  [null, null],
  ['soon', null],
])('the instant %o of a payload is %o in epoch seconds', (value, expected) => {
  expect(toEpochSeconds(value)).toBe(expected);
});

test('keys of the job metrics have the shape of each generation', () => {
  const at = Date.UTC(2025, 2, 14, 9, 5, 30) / 1000;
  expect(metricKeys.minute(at)).toBe('j|250314|9:05');
  expect(metricKeys.tenMinutes(at)).toBe('j|250314|9:0');
  expect(metricKeys.oldMinute(at)).toBe('j|20250314|9:5');
  expect(metricKeys.histogram('ReportJob', at)).toBe('h|ReportJob-14-9:5');
  expect(metricKeys.oldHistogram('ReportJob', at)).toBe('ReportJob-14-09:5');
});

// The worked example of the Redis model, section 11.2: p50 = 458.75 ms, p90 = 1030 ms, p99 "> 335 s".
test('quantiles are interpolated in their bucket, and open at the end', () => {
  const counts = new Array<number>(26).fill(0);
  counts[8] = 8;
  counts[9] = 2;
  counts[10] = 1;
  counts[25] = 1;
  expect(quantile(0.5, counts)?.seconds).toBeCloseTo(0.45875, 9);
  expect(quantile(0.9, counts)?.seconds).toBeCloseTo(1.03, 9);
  expect(quantile(0.99, counts)).toEqual({ seconds: 335, lowerSeconds: 335, upperSeconds: Infinity });
  expect(quantile(0.5, new Array<number>(26).fill(0))).toBeNull();
});

test('a histogram is read big-endian, and missing bytes are 0', () => {
  const counts = readHistogram(Buffer.from('0000000300010000', 'hex'));
  expect(counts.slice(0, 5)).toEqual([0, 3, 1, 0, 0]);
  expect(counts).toHaveLength(26);
});

test.each([
  [{ class: 'HardJob', args: [1] }, 'HardJob', [1]],
  [
    {
      class: 'Sidekiq::ActiveJob::Wrapper',
      wrapped: 'SyncJob',
      args: [{ job_class: 'SyncJob', arguments: [{ _aj_globalid: 'gid://shop/User/1' }] }],
    },
    'SyncJob',
    ['gid://shop/User/1'],
  ],
  [
    {
      class: 'ActiveJob::QueueAdapters::SidekiqAdapter::JobWrapper',
      wrapped: 'ActionMailer::MailDeliveryJob',
      args: [{ arguments: ['UserMailer', 'welcome', 'deliver_now', { args: [7], _aj_ruby2_keywords: ['args'] }] }],
    },
    'UserMailer#welcome',
    [7],
  ],
  [{ class: 'SecretJob', encrypt: true, args: [1, 'ciphertext'] }, 'SecretJob', [1, '[encrypted]']],
  [{ class: 'X', display_class: 'Shown' }, 'Shown', []],
])('the payload %o is shown as its Web UI shows it', (payload, shownClass, args) => {
  expect(jobOf(payload).class).toBe(shownClass);
  expect(displayArguments(payload)).toEqual(args);
});

test.each(['garbage', '[1]', '"text"', 'null', ''])('%o is no payload', (raw) => {
  expect(parsePayload(raw)).toBeNull();
});
