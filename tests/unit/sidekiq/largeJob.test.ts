import { describe, expect, test } from 'vitest';
import { LARGE_JOB_BYTES, largeJobOf } from '../../../pkg/sidekiq/largeJob';
import { jobOf } from '../../../pkg/sidekiq/payload';

const big = 'x'.repeat(LARGE_JOB_BYTES);
const before = { retry: true, queue: 'low', class: 'ImportJob' };
const after = { jid: 'b4a577edbccf1d805744efa9', created_at: 1795496300123, enqueued_at: 1795496300456 };

const read = (payload: object) => largeJobOf(Buffer.from(JSON.stringify(payload)));

describe('a job whose arguments take megabytes', () => {
  test.each([
    ['plain arguments', [big]],
    ['arguments that look like fields', [big, ',"jid":"no","class":"No","queue":"no","enqueued_at":1}']],
    ['arguments that hold such an object', [big, { jid: 'no', class: 'No', queue: 'no', enqueued_at: 1 }]],
    ['a list that ends as a payload does', [{ args: [], jid: 'no' }, big, [{ enqueued_at: 1 }]]],
  ])('is read at both ends: %s', (_, args) => {
    expect(read({ ...before, args, ...after })).toEqual({
      jid: after.jid,
      class: 'ImportJob',
      metricsClass: 'ImportJob',
      queue: 'low',
      createdAt: 1795496300.123,
      enqueuedAt: 1795496300.456,
    });
  });

  test('of ActiveJob is named by the class that it wraps', () => {
    const wrapper = { class: 'Sidekiq::ActiveJob::Wrapper', wrapped: 'ExportJob', queue: 'low' };
    expect(read({ ...wrapper, args: [big], ...after })).toMatchObject({ class: 'ExportJob', queue: 'low' });
  });

  test.each([
    [
      'a mailer, whose name is an argument',
      {
        ...before,
        class: 'Sidekiq::ActiveJob::Wrapper',
        wrapped: 'ActionMailer::MailDeliveryJob',
        args: [big],
        ...after,
      },
    ],
    ['no time of enqueueing', { ...before, args: [big], jid: 'a', created_at: 1 }],
    [
      'another large field than the arguments',
      { ...before, args: [], note: big, extra: { jid: 'no' }, ...after, cattr: { tail: big } },
    ],
    ['arguments that are not there', { ...before, note: big, ...after }],
  ])('is left to a full reading: %s', (_, payload) => {
    expect(read(payload)).toBeNull();
  });

  test('that is read at both ends is read as a whole would be', () => {
    const payload = { ...before, args: [big, { nested: ['"', '\\', '}', ']'] }], ...after, tags: ['a'] };
    expect(read(payload)).toEqual(jobOf(payload));
  });

  test('that is no JSON is none', () => {
    expect(largeJobOf(Buffer.from(`{"class":"A","args":["${big}`))).toBeNull();
    expect(largeJobOf(Buffer.from(big))).toBeNull();
  });
});
