import { remembered } from './remembered';

/** What varies between messages of one error, and what stands for it. */
const VARYING: ReadonlyArray<readonly [pattern: RegExp, replacement: string]> = [
  [/\b[a-z][a-z0-9+.-]*:\/\/[^\s"'<>]+/gi, '<url>'],
  [/\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b/gi, '<id>'],
  [/"[^"]*"|(?<!\w)'[^']*'|`[^`']*['`]|“[^”]*”|«[^»]*»/g, '<text>'],
  [/0x[0-9a-f]+/gi, '<address>'],
  [/\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b/g, '<host>'],
  [/\b(?:[a-z0-9-]+\.)+[a-z]{2,}:\d+\b/gi, '<host>'],
  [/[\w.+-]+@[\w-]+\.[\w.-]+|…@…/g, '<address>'],
  [/\b(?=[a-z_-]*\d)[0-9a-z_-]{16,}\b|…/gi, '<id>'],
  [/-?\b\d+(?:[.,:_]\d+)*/g, '<n>'],
  [/\s+/g, ' '],
];

/** Longer messages differ in what they quote, not in what they say. */
const LONGEST = 200;
/** What is looked at; it also bounds the time, which grows with the square of that. */
const LOOKED_AT = 1000;

/**
 * An error message without what varies from one job to the next: numbers, ids, quoted texts, hosts and addresses. Equal
 * texts are one kind of failure. The same messages come again with each question.
 */
export const messagePattern = remembered((message: string): string => {
  const [firstLine = ''] = message.slice(0, LOOKED_AT).split('\n', 1);
  const text = VARYING.reduce(
    (before, [pattern, replacement]) => before.replace(pattern, replacement),
    firstLine
  ).trim();
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
});
