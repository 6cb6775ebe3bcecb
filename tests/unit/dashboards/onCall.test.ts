import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(__dirname, '../../..');

interface Panel {
  title: string;
  panels?: Panel[];
}

/** All panels of a dashboard. */
function panelsOf(uid: string): Panel[] {
  const text = readFileSync(join(ROOT, `provisioning/dashboards/direct/${uid}.json`), 'utf8');
  const all = (panels: readonly Panel[]): Panel[] => panels.flatMap((panel) => [panel, ...all(panel.panels ?? [])]);
  return all((JSON.parse(text) as { panels: Panel[] }).panels);
}

/** The rows of docs/on-call.md: question, path, clicks. */
const QUESTIONS = readFileSync(join(ROOT, 'docs/on-call.md'), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| ') && line.includes('`sidekiq-'))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, question = '', path = '', clicks = '']) => ({ question, path, clicks: Number(clicks) }));

test('ten questions are answered within three clicks', () => {
  expect(QUESTIONS).toHaveLength(10);
  QUESTIONS.forEach(({ question, clicks }) => expect(clicks, question).toBeLessThanOrEqual(3));
});

test.each(QUESTIONS)('$question', ({ path }) => {
  const steps = [...path.matchAll(/`(sidekiq-[a-z-]+)\/([^`]+)`/g)];
  expect(steps.length).toBeGreaterThan(0);
  steps.forEach(([, uid = '', title = '']) => expect(panelsOf(uid).map((panel) => panel.title)).toContain(title));
  for (const [, fromUid = '', from = '', toUid = ''] of path.matchAll(
    /`(sidekiq-[a-z-]+)\/([^`]+)` → `(sidekiq-[a-z-]+)\//g
  )) {
    const panels = panelsOf(fromUid).filter(({ title }) => title === from);
    expect(JSON.stringify(panels), `${from} leads to ${toUid}`).toContain(`/d/${toUid}`);
  }
});
