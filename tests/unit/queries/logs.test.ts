import { describe, expect, test } from 'vitest';
import { rowsOf } from '../../../pkg/frames/frame';
import { errors } from '../../../pkg/queries/errors';
import { events } from '../../../pkg/queries/events';
import { jobs } from '../../../pkg/queries/jobs';
import { askState, noticesOf } from '../../support/ask';
import { zset } from '../../support/queryRows';
import { aState, NOW } from '../../support/state';

const failed = (jid: string, ago: number | null, more: object = {}) => ({
  ...{ jid, class: 'A', queue: 'q', error_class: 'E', error_message: `${jid} failed` },
  ...(ago !== null && { failed_at: NOW - ago }),
  ...more,
});
const answers = {
  'zcard retry': 3,
  'zrange retry': zset(
    [NOW + 1, failed('old', 500)],
    [NOW + 2, failed('new', 5)],
    [NOW + 3, failed('fresh', null, { error_class: undefined, error_message: undefined, enqueued_at: NOW - 50 })]
  ),
};

describe('as log lines', () => {
  test('jobs are a line each, the newest first, with their texts as fields', async () => {
    const [frame] = await askState(jobs, aState(), { query: { source: 'retry', format: 'logs' }, answers });
    expect(frame!.meta).toMatchObject({ type: 'log-lines', preferredVisualisationType: 'logs' });
    expect(rowsOf(frame!).map(({ timestamp, body, severity }) => [timestamp, body, severity])).toEqual([
      [(NOW - 5) * 1000, 'A new (q): E: new failed', 'error'],
      [(NOW - 50) * 1000, 'A fresh (q)', 'info'],
      [(NOW - 500) * 1000, 'A old (q): E: old failed', 'error'],
    ]);
    expect(frame!.fields.slice(0, 3).map(({ name, kind }) => [name, kind])).toEqual([
      ['timestamp', 'time'],
      ['body', 'string'],
      ['severity', 'string'],
    ]);
    expect(rowsOf(frame!)[0]).toMatchObject({ jid: 'new', class: 'A', queue: 'q' });
  });

  test('errors are a line each, and a row without a time is told', async () => {
    const [frame] = await askState(errors, aState(), { query: { groupBy: ['errorClass'], format: 'logs' }, answers });
    expect(rowsOf(frame!).map(({ body }) => body)).toEqual(['E: new failed (2 jobs)']);
    expect(noticesOf([frame!])).toContain('1 of 2 rows have no time and are not among the lines.');
  });

  test('events are a line each, vanished processes as errors', async () => {
    const state = aState();
    const event = { at: NOW - 10, host: 'h' };
    const processLog = {
      ...state.processLog,
      events: [
        { ...event, kind: 'start' as const, title: 'h:1 started' },
        { ...event, at: NOW - 5, kind: 'vanished' as const, title: 'h:1 vanished' },
      ],
    };
    const [frame] = await askState(
      events,
      { ...state, processLog },
      { query: { format: 'logs', kinds: ['start', 'vanished'] } }
    );
    expect(rowsOf(frame!).map(({ body, severity }) => [body, severity])).toEqual([
      ['h:1 vanished', 'error'],
      ['h:1 started', 'info'],
    ]);
  });

  test('an alert rule gets its table all the same, and nothing is a frame without lines', async () => {
    const query = { source: 'retry', format: 'logs', figures: ['bytes'] };
    const [alert] = await askState(jobs, aState(), { query, answers, request: { alerting: true } });
    expect(alert!.meta?.type).toBe('numeric-long');
    const [empty] = await askState(jobs, aState(), { query: { source: 'dead', format: 'logs' } });
    expect(rowsOf(empty!)).toEqual([]);
    expect(empty!.meta?.type).toBe('log-lines');
  });
});
