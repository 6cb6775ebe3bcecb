import { expect, it } from 'vitest';
import { isMuted } from '../../../pkg/notify/mute';
import { notificationSettings } from '../../../pkg/notify/settings';

const at = (iso: string) => Date.parse(iso) / 1000;

function muted(mute: object, finding: { rule?: string; subject?: string }, iso: string): boolean {
  const settings = notificationSettings({ to: { team: { url: 'http://127.0.0.1:9/', mute: [mute] } } }, {}, '');
  return isMuted(settings!.addresses[0]!.mute, { rule: 'queueLate', subject: 'default', ...finding }, at(iso));
}

it.each([
  // 2026-11-27 is a Friday.
  ['all of a rule', { rules: ['queueLate'] }, {}, '2026-11-27T12:00:00Z', true],
  ['another rule', { rules: ['queueUnserved'] }, {}, '2026-11-27T12:00:00Z', false],
  ['a subject', { subjects: ['batch-*'] }, { subject: 'batch-1' }, '2026-11-27T12:00:00Z', true],
  ['a subject that only begins so', { subjects: ['batch'] }, { subject: 'batch-1' }, '2026-11-27T12:00:00Z', false],
  ['parts in order', { subjects: ['a*b*c'] }, { subject: 'a1b2c' }, '2026-11-27T12:00:00Z', true],
  ['parts that overlap', { subjects: ['ab*ba'] }, { subject: 'aba' }, '2026-11-27T12:00:00Z', false],
  ['within the day', { from: '09:00', to: '17:00' }, {}, '2026-11-27T16:59:59Z', true],
  ['at its end', { from: '09:00', to: '17:00' }, {}, '2026-11-27T17:00:00Z', false],
  ['past midnight, before', { from: '22:00', to: '06:00' }, {}, '2026-11-27T23:00:00Z', true],
  ['past midnight, after', { from: '22:00', to: '06:00' }, {}, '2026-11-27T05:59:00Z', true],
  [
    'a Friday night that reaches into Saturday',
    { days: ['fri'], from: '22:00', to: '06:00' },
    {},
    '2026-11-28T05:00:00Z',
    true,
  ],
  ['but not the night before', { days: ['fri'], from: '22:00', to: '06:00' }, {}, '2026-11-27T05:00:00Z', false],
  ['a day', { days: ['sat', 'sun'] }, {}, '2026-11-28T00:00:00Z', true],
  ['a day elsewhere', { days: ['sat'], timeZone: 'Pacific/Auckland' }, {}, '2026-11-27T12:00:00Z', true],
  [
    'after the clocks were set back',
    { from: '09:00', to: '10:00', timeZone: 'Europe/Berlin' },
    {},
    '2026-11-27T08:30:00Z',
    true,
  ],
  ['in summer', { from: '09:00', to: '10:00', timeZone: 'Europe/Berlin' }, {}, '2026-07-27T07:30:00Z', true],
  ['until an instant', { until: '2026-11-27T12:00:00Z' }, {}, '2026-11-27T11:59:59Z', true],
  ['from then on', { until: '2026-11-27T12:00:00Z' }, {}, '2026-11-27T12:00:00Z', false],
  ['every condition holds, or none', { rules: ['queueLate'], days: ['mon'] }, {}, '2026-11-27T12:00:00Z', false],
])('mutes: %s', (_, mute, finding, iso, expected) => {
  expect(muted(mute, finding, iso)).toBe(expected);
});

it('looks for a pattern of many stars without taking long', () => {
  const begun = performance.now();
  muted({ subjects: ['*a'.repeat(200)] }, { subject: 'a'.repeat(20_000) + 'b' }, '2026-11-27T12:00:00Z');
  expect(performance.now() - begun).toBeLessThan(1000);
});

it.each([
  [{ to: { team: {} } }, 'notifications.to.team', 'urlFromEnv'],
  [{ to: { team: { url: 'ftp://a' } } }, 'notifications.to.team.url', 'http'],
  [{ to: { team: { urlFromEnv: 'NONE' } } }, 'notifications.to.team.urlFromEnv', 'NONE'],
  [{ to: { team: { url: 'http://a/', severity: 'ok' } } }, 'notifications.to.team.severity', 'critical'],
  [{ to: { team: { url: 'http://a/', mute: [{ rules: ['queueslow'] }] } } }, 'mute.0.rules.0', 'queueLate'],
  [{ to: { team: { url: 'http://a/', mute: [{ from: '9' }] } } }, 'mute.0.from', 'time of day'],
  [{ to: { team: { url: 'http://a/', mute: [{ from: '09:00' }] } } }, 'mute.0.from', 'both'],
  [{ to: { team: { url: 'http://a/', mute: [{ timeZone: 'Mars' }] } } }, 'mute.0.timeZone', 'IANA'],
  [{ to: { team: { url: 'http://a/', mute: [{ until: 'soon' }] } } }, 'mute.0.until', 'instant'],
  [{ to: { team: { url: 'http://a/', mute: [{ until: '2026-12-24T00:00:00' }] } } }, 'mute.0.until', 'offset'],
  [{ to: { team: { url: 'http://a/', mute: [{ from: '09:00', to: '09:00' }] } } }, 'mute.0.from', 'the same'],
  [{ to: { 'a b': { url: 'http://a/' } } }, 'notifications.to', 'letters'],
  [{ to: {}, too: {} }, 'notifications', 'there is no field "too"'],
  [{}, 'notifications.to', 'it is missing'],
  ['x', 'notifications', 'it must be an object'],
  [
    { to: { team: { url: 'http://a/', afterSeconds: '60' } } },
    'notifications.to.team.afterSeconds',
    'it must be a number',
  ],
  [
    { to: { team: { url: 'http://a/', severity: 'ok' } } },
    'notifications.to.team.severity',
    'it must be one of critical',
  ],
])('names the field that cannot be used: %j', (section, field, reason) => {
  expect(() => notificationSettings(section, {}, '')).toThrow(
    expect.objectContaining({ message: expect.stringContaining(field) as string, kind: 'settings' })
  );
  expect(() => notificationSettings(section, {}, '')).toThrow(reason);
});

it('never repeats an address, which may hold a secret', () => {
  const section = { to: { team: { url: 'hooks.example/T0KEN' } } };
  expect(() => notificationSettings(section, {}, '')).toThrow(
    expect.objectContaining({ message: expect.not.stringContaining('T0KEN') as string })
  );
});

it('keeps what was told beside the history file where no other file is named', () => {
  const section = { to: { team: { url: 'http://a/' } } };
  expect(notificationSettings(section, {}, '/data/h.db')?.stateFile).toBe('/data/h.db.notifications.json');
  expect(notificationSettings(section, {}, '')?.stateFile).toBeUndefined();
  expect(notificationSettings({ ...section, stateFile: 'n.json' }, {}, '/data/h.db')?.stateFile).toBe('n.json');
});
