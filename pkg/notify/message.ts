import { createHash } from 'node:crypto';
import { FINDING_RULES } from '../findings/table';
import { countText, durationText } from '../findings/texts';
import { findingKey } from '../watch/findingLog';
import type { Announcement, Change } from './announcements';
import type { NotifiedAddress } from './settings';

/** What one message is made of. */
export interface Message {
  /** What is watched, as the configuration or the address of Redis names it. */
  installation: string;
  announcements: readonly Announcement[];
  /** Announcements that were dropped before these because too many waited. */
  dropped: number;
}

/** Findings that one Slack message lists; Slack refuses more than 100 attachments and advises 20. */
const LISTED = 20;
const TITLES: Readonly<Record<Change, string>> = { began: 'Began', worsened: 'Got worse', ended: 'Ended' };
const COLOURS = { critical: '#d44a3a', warning: '#f2a63b', info: '#5794f2', ok: '#56a64b' } as const;

/** The body of a message as JSON. */
export function bodyOf(format: NotifiedAddress['format'], message: Message): unknown {
  return format === 'slack' ? slackBody(message) : jsonBody(message);
}

function jsonBody({ installation, announcements, dropped }: Message) {
  return {
    version: 1,
    installation,
    dropped,
    findings: announcements.map((announcement) => {
      const { change, at, finding } = announcement;
      const { rule, severity, kind, subject, text, beganAt, endedAt } = finding;
      return {
        id: idOf(announcement),
        change,
        at: isoOf(at),
        rule,
        severity,
        kind,
        subject,
        text,
        remedy: remedyOf(rule),
        beganAt: isoOf(beganAt),
        endedAt: endedAt === null ? null : isoOf(endedAt),
      };
    }),
  };
}

/**
 * The form of Slack's incoming webhooks, which Mattermost, Rocket.Chat and Discord (`/slack`) take too. Source:
 * https://docs.slack.dev/messaging/formatting-message-text (escaping) and
 * https://docs.slack.dev/legacy/legacy-messaging/legacy-secondary-message-attachments.
 */
function slackBody({ installation, announcements, dropped }: Message) {
  const shown = announcements.slice(0, LISTED);
  const more = announcements.length - shown.length;
  const heads = [
    `Sidekiq at ${installation}: ${countText(announcements.length, 'finding')} changed.`,
    ...(more > 0 ? [`${countText(more, 'further finding')} not listed.`] : []),
    ...(dropped > 0 ? [`${countText(dropped, 'older change')} could not be delivered.`] : []),
  ];
  return {
    text: slackText(heads.join(' ')),
    attachments: shown.map(({ change, finding }) => {
      const { severity, text, rule, endedAt, beganAt } = finding;
      const line = `${TITLES[change]}, ${severity}: ${text}`;
      const next = endedAt === null ? remedyOf(rule) : `It lasted ${durationText(Math.max(0, endedAt - beganAt))}.`;
      return {
        color: change === 'ended' ? COLOURS.ok : COLOURS[severity],
        fallback: slackText(line),
        text: slackText([line, next].filter((part) => part !== '').join('\n')),
        mrkdwn_in: [],
        footer: slackText(rule),
        ts: Math.round(endedAt ?? beganAt),
      };
    }),
  };
}

/** The same for a change that is delivered twice, so that a receiver can tell. */
function idOf({ change, at, finding }: Announcement): string {
  const { beganAt, severity } = finding;
  return createHash('sha256')
    .update([findingKey(finding), beganAt, severity, change, at].join('\0'))
    .digest('hex')
    .slice(0, 32);
}

function remedyOf(rule: string): string {
  return FINDING_RULES.find(({ id }) => id === rule)?.remedy ?? '';
}

function isoOf(at: number): string {
  return new Date(Math.round(at * 1000)).toISOString();
}

/** A text as Slack takes it. Names come from Redis: none may notify a channel, or become a link. */
export function slackText(text: string): string {
  return (
    text
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replace(/@(?=\w)/g, '@\u200b')
      // A link in the Markdown of those who take the same form.
      .replaceAll('](', ']\u200b(')
  );
}
