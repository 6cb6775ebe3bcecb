import { expect, test } from 'vitest';
import { keys, metricKeys } from '../../../pkg/sidekiq/keys';

const AT = Date.UTC(2025, 2, 4, 9, 5, 30) / 1000;

test('keys of the job metrics have the shape of each generation', () => {
  expect(metricKeys.minute(AT)).toBe('j|250304|9:05');
  expect(metricKeys.tenMinutes(AT)).toBe('j|250304|9:0');
  expect(metricKeys.oldMinute(AT)).toBe('j|20250304|9:5');
  expect(metricKeys.histogram('ReportJob', AT)).toBe('h|ReportJob-4-9:5');
  expect(metricKeys.oldHistogram('ReportJob', AT)).toBe('ReportJob-04-09:5');
  expect(metricKeys.minute(Date.UTC(2025, 10, 14, 23, 59) / 1000)).toBe('j|251114|23:59');
});

test('Sidekiq’s keys', () => {
  expect(keys).toMatchObject({
    processed: 'stat:processed',
    failed: 'stat:failed',
    queues: 'queues',
    schedule: 'schedule',
    retry: 'retry',
    dead: 'dead',
    processes: 'processes',
    leader: 'dear-leader',
    pausedSets: ['paused', 'sidekiq-pauzer', 'throttled:X:paused_queues'],
  });
  expect(keys.processedOn(AT)).toBe('stat:processed:2025-03-04');
  expect(keys.failedOn(AT)).toBe('stat:failed:2025-03-04');
  expect(keys.marks(AT)).toBe('20250304-marks');
  expect(keys.queue('a:b')).toBe('queue:a:b');
  expect(keys.process('h:1:x')).toBe('h:1:x');
  expect(keys.work('h:1:x')).toBe('h:1:x:work');
  expect(keys.oldWork('h:1:x')).toBe('h:1:x:workers');
  expect(keys.pauseMarks('low')).toEqual(['limit_fetch:pause:low', 'queue_pause:low']);
  expect(keys.queue('\\xff')).toEqual(Buffer.concat([Buffer.from('queue:'), Buffer.from([0xff])]));
});
