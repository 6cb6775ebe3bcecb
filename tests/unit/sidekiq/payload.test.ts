import { describe, expect, test } from 'vitest';
import {
  activeJobOf,
  argumentsText,
  displayArguments,
  isActiveJob,
  jobOf,
  parsePayload,
  text,
} from '../../../pkg/sidekiq/payload';
import fc, { runs } from '../../support/fastCheck';

const OLD_WRAPPER = 'ActiveJob::QueueAdapters::SidekiqAdapter::JobWrapper';
const NEW_WRAPPER = 'Sidekiq::ActiveJob::Wrapper';

describe('a payload is shown as Sidekiq’s Web UI shows it:', () => {
  test.each([
    ['a plain job', { class: 'HardJob', args: [1] }, 'HardJob', 'HardJob', [1]],
    [
      'an ActiveJob of Sidekiq 8',
      {
        class: NEW_WRAPPER,
        wrapped: 'SyncJob',
        args: [{ job_class: 'SyncJob', arguments: [{ _aj_globalid: 'gid://shop/User/1' }] }],
      },
      'SyncJob',
      'SyncJob',
      ['gid://shop/User/1'],
    ],
    [
      'a mail of ActiveJob 7',
      {
        class: OLD_WRAPPER,
        wrapped: 'ActionMailer::MailDeliveryJob',
        args: [{ arguments: ['UserMailer', 'welcome', 'deliver_now', { args: [7], _aj_ruby2_keywords: ['args'] }] }],
      },
      'UserMailer#welcome',
      'ActionMailer::MailDeliveryJob',
      [null, [7]],
    ],
    [
      'a mail with params',
      {
        class: OLD_WRAPPER,
        wrapped: 'ActionMailer::MailDeliveryJob',
        args: [{ arguments: ['M', 'act', 'deliver_now', { params: { u: 1, _aj_symbol_keys: ['u'] }, args: [2] }] }],
      },
      'M#act',
      'ActionMailer::MailDeliveryJob',
      [{ u: 1 }, [2]],
    ],
    [
      'a mail of ActiveJob 5',
      {
        class: NEW_WRAPPER,
        wrapped: 'ActionMailer::DeliveryJob',
        args: [{ arguments: ['M', 'old', 'deliver_now', 5, { _aj_symbol_keys: ['a'], a: 1 }] }],
      },
      'M#old',
      'ActionMailer::DeliveryJob',
      [5, { a: 1 }],
    ],
    [
      'a mail whose action is not lower-case ASCII',
      {
        class: OLD_WRAPPER,
        wrapped: 'ActionMailer::MailDeliveryJob',
        args: [{ arguments: ['M', 'Begrüßung', 'deliver_now', { args: [] }] }],
      },
      'M#Begrüßung',
      'ActionMailer::MailDeliveryJob',
      [null, []],
    ],
    [
      'a mail whose arguments are missing',
      { class: OLD_WRAPPER, wrapped: 'ActionMailer::MailDeliveryJob', args: [{ arguments: ['M'] }] },
      'ActionMailer::MailDeliveryJob',
      'ActionMailer::MailDeliveryJob',
      [],
    ],
    [
      'an ActiveJob without "wrapped"',
      { class: OLD_WRAPPER, args: [{ job_class: 'NoWrapped', arguments: [1] }] },
      'NoWrapped',
      OLD_WRAPPER,
      [],
    ],
    ['an ActiveJob whose class is its argument', { class: OLD_WRAPPER, args: ['AsText'] }, 'AsText', OLD_WRAPPER, []],
    ['a wrapper with nothing in it', { class: OLD_WRAPPER, args: [] }, OLD_WRAPPER, OLD_WRAPPER, []],
    [
      'a wrapped object',
      { class: OLD_WRAPPER, wrapped: { job_class: 'Objy', arguments: [1] }, args: [] },
      'Objy',
      'Objy',
      [],
    ],
    ['a display class', { class: 'X', display_class: 'Nice name', args: [] }, 'Nice name', 'X', []],
    [
      'an encrypted job',
      { class: 'Secret', encrypt: true, args: [1, 'ciphertext'] },
      'Secret',
      'Secret',
      [1, '[encrypted]'],
    ],
    ['encrypted arguments that are no list', { class: 'S', encrypt: true, args: 'c' }, 'S', 'S', '[encrypted]'],
    ['arguments that are a text', { class: 'S', args: '{"id":null}' }, 'S', 'S', '{"id":null}'],
    ['arguments that are an object', { class: 'S', args: { a: 1 } }, 'S', 'S', { a: 1 }],
    ['no arguments', { class: 'S' }, 'S', 'S', []],
    ['a class that is an object', { class: { name: 'X' }, args: [] }, '{"name":"X"}', '{"name":"X"}', []],
    ['no class', { args: [] }, '', '', []],
  ])('%s', (_what, payload, shownClass, metricsClass, args) => {
    expect(jobOf(payload)).toMatchObject({ class: shownClass, metricsClass });
    expect(displayArguments(payload)).toEqual(args);
  });

  test('ids, queue and times, whatever their JSON type', () => {
    expect(
      jobOf({
        class: 'A',
        jid: 123,
        queue: ['default'],
        enqueued_at: 1741944411250,
        created_at: '2025-03-14T09:26:50Z',
      })
    ).toMatchObject({ jid: '123', queue: '["default"]', enqueuedAt: 1741944411.25, createdAt: 1741944410 });
    expect(jobOf({ jid: null, queue: '\\xff', enqueued_at: 0, created_at: {} })).toMatchObject({
      jid: '',
      queue: '\\x5cxff',
      enqueuedAt: null,
      createdAt: null,
    });
  });
});

test('only the two wrappers are ActiveJob, and their first argument is its job', () => {
  expect(isActiveJob({ class: OLD_WRAPPER })).toBe(true);
  expect(isActiveJob({ class: NEW_WRAPPER })).toBe(true);
  expect(isActiveJob({ class: 'HardJob' })).toBe(false);
  expect(activeJobOf({ class: NEW_WRAPPER, args: [{ executions: 2 }] })).toEqual({ executions: 2 });
  expect(activeJobOf({ class: NEW_WRAPPER, args: 'x' })).toBeNull();
  expect(activeJobOf({ class: 'HardJob', args: [{ executions: 2 }] })).toBeNull();
});

test.each(['garbage', '[1]', '"text"', 'null', '', '42', Buffer.from('[]'), undefined, 7, null, [1]])(
  '%o is no payload',
  (raw) => {
    expect(parsePayload(raw)).toBeNull();
  }
);

test('a payload is read from text, bytes, or as the object that Sidekiq ≤ 6.0.1 wrote', () => {
  for (const raw of ['{"a":1}', Buffer.from('{"a":1}'), { a: 1 }]) {
    expect(parsePayload(raw)).toEqual({ a: 1 });
  }
});

test('arguments keep every digit and every form of a number', () => {
  expect(argumentsText('{"class":"A","args":[109348684164216833,9223372036854775807,0.1,1.0]}')).toBe(
    '[109348684164216833,9223372036854775807,0.1,1.0]'
  );
  expect(
    argumentsText(
      `{"class":"${OLD_WRAPPER}","wrapped":"SyncJob","args":[{"arguments":[{"id":109348684164216833,"_aj_x":1}]}]}`
    )
  ).toBe('[{"id":109348684164216833}]');
  expect(argumentsText('{"class":"A","args":"text"}')).toBe('text');
  expect(argumentsText('{"class":"A","encrypt":true,"args":[12345678901234567890,"c"]}')).toBe(
    '[12345678901234567890,"[encrypted]"]'
  );
});

const activeJob = (inner: string) =>
  `{"class":"${NEW_WRAPPER}","wrapped":"W","args":[{"job_class":"W","arguments":${inner}}]}`;

// Expected: `JobRecord#display_args` of Sidekiq 7.3.10, as JSON; a text without its quotes.
test.each([
  ['{"class":"K","args":[{"10":1,"2":2}]}', '[{"10":1,"2":2}]'],
  [
    '{"class":"K","args":[{"b":{"10":{"01":[{"3":1,"a":2,"1":3}]},"2":"\\"9\\":"}}]}',
    '[{"b":{"10":{"01":[{"3":1,"a":2,"1":3}]},"2":"\\"9\\":"}}]',
  ],
  [activeJob('[{"10":{"b":1},"2":2,"_aj_symbol_keys":["10"]}]'), '[{"10":{"b":1},"2":2}]'],
  [activeJob('{"a":[1,2]}'), '{"a":[1,2]}'],
  [activeJob('"[109348684164216833]"'), '[109348684164216833]'],
  [activeJob('12345678901234567890'), '12345678901234567890'],
  [activeJob('false'), 'false'],
  [activeJob('[{"_aj_globalid":"gid://a/B/1","x":1},{"_aj_globalid":"gid://a/B/2"}]'), '[{"x":1},"gid://a/B/2"]'],
  [`{"class":"${NEW_WRAPPER}","wrapped":null,"args":[{"job_class":"W","arguments":[1]}]}`, '[]'],
])('the arguments of %s are shown as Sidekiq shows them', (raw, shown) => {
  expect(argumentsText(raw)).toBe(shown);
});

test.each([
  ['text', 'text'],
  [5, '5'],
  [true, 'true'],
  [null, ''],
  [undefined, ''],
  [['A'], '["A"]'],
  [{ html: '<b>' }, '{"html":"<b>"}'],
])('a field %o is shown as %o', (value, shown) => {
  expect(text(value)).toBe(shown);
});

test('no payload throws, whatever it holds', () => {
  const name = fc.constantFrom('class', 'wrapped', 'args', 'jid', 'queue', 'enqueued_at', 'display_class', 'encrypt');
  const value = fc.oneof(fc.jsonValue(), fc.constantFrom(OLD_WRAPPER, NEW_WRAPPER, 'ActionMailer::MailDeliveryJob'));
  fc.assert(
    fc.property(fc.dictionary(name, value), (payload) => {
      const job = jobOf(payload);
      expect(Object.values(job).every((each) => each === null || ['string', 'number'].includes(typeof each))).toBe(
        true
      );
      expect(typeof argumentsText(JSON.stringify(payload))).toBe('string');
    }),
    { numRuns: runs(2000) }
  );
});
