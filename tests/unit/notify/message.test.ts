import { expect, it } from 'vitest';
import type { Announcement } from '../../../pkg/notify/announcements';
import { bodyOf } from '../../../pkg/notify/message';

const BEGAN = Date.UTC(2026, 10, 27, 3) / 1000;
const late: Announcement = {
  change: 'began',
  at: BEGAN + 60,
  finding: {
    rule: 'queueLate',
    kind: 'queue',
    subject: '<!channel> & @all',
    severity: 'critical',
    text: 'The queue <!channel> & @all is late.',
    beganAt: BEGAN,
    endedAt: null,
  },
};
const over: Announcement = { ...late, change: 'ended', finding: { ...late.finding, endedAt: BEGAN + 600 } };

it('tells a program when what began, with the remedy', () => {
  expect(bodyOf('json', { installation: 'shop', announcements: [late], dropped: 2 })).toEqual({
    version: 1,
    installation: 'shop',
    dropped: 2,
    findings: [
      {
        id: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
        change: 'began',
        at: '2026-11-27T03:01:00.000Z',
        rule: 'queueLate',
        severity: 'critical',
        kind: 'queue',
        subject: '<!channel> & @all',
        text: 'The queue <!channel> & @all is late.',
        remedy: expect.stringMatching(/\w{3}/) as string,
        beganAt: '2026-11-27T03:00:00.000Z',
        endedAt: null,
      },
    ],
  });
});

it('gives a change the same id whenever it is sent, and another one to its end', () => {
  const idOf = (announcement: Announcement) =>
    (bodyOf('json', { installation: 'a', announcements: [announcement], dropped: 0 }) as { findings: [{ id: string }] })
      .findings[0].id;
  expect(idOf({ ...late })).toBe(idOf(late));
  // Told again after it was over.
  expect(idOf({ ...late, at: BEGAN + 900 })).not.toBe(idOf(late));
  expect(idOf(over)).not.toBe(idOf(late));
});

it('gives Slack no name that notifies a channel or becomes a link', () => {
  const body = JSON.stringify(
    bodyOf('slack', { installation: '<http://a|b>', announcements: [late, over], dropped: 0 })
  );
  expect(body).not.toMatch(/[<>]/);
  expect(body).not.toMatch(/@\w/);
  expect(body).toContain('Began, critical: The queue &lt;!channel&gt; &amp; @\u200ball is late.');
  expect(body).toContain('It lasted 10 min.');
});

it('lists 20 of many to Slack and says how many there are', () => {
  const announcements = Array.from({ length: 50 }, () => late);
  const body = bodyOf('slack', { installation: 'shop', announcements, dropped: 3 }) as Record<string, unknown>;
  expect(body['attachments']).toHaveLength(20);
  expect(body['text']).toBe(
    'Sidekiq at shop: 50 findings changed. 30 further findings not listed. 3 older changes could not be delivered.'
  );
});
