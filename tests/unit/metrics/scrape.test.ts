import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Fault } from '../../../pkg/faults/fault';
import type { Installation } from '../../../pkg/installation/installation';
import type { State } from '../../../pkg/watch/state';
import { loopDelay } from '../../../pkg/metrics/loopDelay';
import { scrape, scrapeStatsd } from '../../../pkg/metrics/scrape';
import type { StatsdIntake } from '../../../pkg/statsd/intake';
import { parseExposition } from '../../support/exposition';
import { aQueueState, aState } from '../../support/state';
import { sendPacket } from '../../support/statsd';

const OPENMETRICS = 'application/openmetrics-text;version=1.0.0,text/plain;q=0.5';

/** An installation whose reading is given. */
function installationOf(reading: State | Error | Promise<State>, statsd = aState().statsd): Installation {
  const parts = {
    options: aState().options,
    droppedSeries: new Map<string, number>(),
    address: 'redis:6379',
    statsd,
    async state() {
      if (reading instanceof Error) {
        throw reading;
      }
      return reading;
    },
  };
  return parts as unknown as Installation;
}

const stateOf = (size: number) => aState({ queues: [aQueueState('default', { size })] });

describe('a scrape', () => {
  test('prints the state, with sidekiq_up 1', async () => {
    const { body, contentType, fault } = await scrape(installationOf(stateOf(7)), '', 10);
    const found = parseExposition(body);
    expect(found.value('sidekiq_up')).toBe(1);
    expect(found.value('sidekiq_queue_enqueued_jobs', { name: 'default' })).toBe(7);
    expect(contentType).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(body).toContain(
      '# HELP sidekiq_up Whether Redis could be read for this scrape, and all parts that the totals need.\n# TYPE sidekiq_up gauge\n'
    );
    expect(fault).toBeUndefined();
  });

  test('is sidekiq_up 0 and no figure of Redis where Redis is away, with the reason beside it', async () => {
    const away = new Fault({ kind: 'connection', message: 'Nothing listens.', remedy: 'Start it.' });
    const { body, fault } = await scrape(installationOf(away), '', 10);
    const found = parseExposition(body);
    expect(found.value('sidekiq_up')).toBe(0);
    expect(found.samples.filter(({ name }) => name.startsWith('sidekiq_')).map(({ name }) => name)).toEqual([
      'sidekiq_up',
    ]);
    expect(fault).toBe(away);
  });

  test('is sidekiq_up 0 where a part is missing that the totals need, and prints what is known', async () => {
    const state = aState({
      queues: [aQueueState('default', { size: 7 })],
      snapshot: { refused: new Map([['queue sizes', 1]]) },
    });
    const found = parseExposition((await scrape(installationOf(state), '', 10)).body);
    expect(found.value('sidekiq_up')).toBe(0);
    expect(found.value('sidekiq_queue_enqueued_jobs', { name: 'default' })).toBe(7);
  });

  test('throws what is no fault: that is a defect', async () => {
    await expect(scrape(installationOf(new TypeError('x')), '', 10)).rejects.toThrow(TypeError);
  });

  test('ends with its timeout, with a remedy, whatever Redis does', async () => {
    vi.useFakeTimers();
    const answer = scrape(installationOf(new Promise<State>(() => undefined)), '', 3);
    await vi.advanceTimersByTimeAsync(3000);
    const { body, fault } = await answer;
    expect(body).toContain('sidekiq_up 0');
    expect(fault?.explanation).toBe(
      'Redis at redis:6379 did not answer within the scrape timeout. Check whether Redis is blocked by a slow command (SLOWLOG GET), or raise scrape_timeout.'
    );
    vi.useRealTimers();
  });

  test.each([
    ['', /^text\/plain/],
    ['text/plain', /^text\/plain/],
    [OPENMETRICS, /^application\/openmetrics-text/],
    ['application/openmetrics-text;q=0,text/plain', /^text\/plain/],
    ['application/openmetrics-text; q=0.0, text/plain', /^text\/plain/],
    ['application/openmetrics-text;q=0.1', /^application\/openmetrics-text/],
    ['text/plain;q=0,application/openmetrics-text', /^application\/openmetrics-text/],
    ['application/openmetrics-text;q=0.5,text/plain;q=1', /^text\/plain/],
    ['*/*', /^text\/plain/],
    ['image/png', /^text\/plain/],
    // As Prometheus 2.42 and 3.5 send it.
    [
      'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
      /^application\/openmetrics-text/,
    ],
    [
      'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2',
      /^application\/openmetrics-text/,
    ],
  ])('with the Accept header "%s" is of the format %s', async (accept, type) => {
    const { body, contentType } = await scrape(installationOf(stateOf(1)), accept, 10);
    expect(contentType).toMatch(type);
    expect(body.endsWith('# EOF\n')).toBe(contentType.startsWith('application'));
  });
});

describe('scrapes that come together', () => {
  beforeEach(() => vi.useFakeTimers({ toFake: ['Date'] }));
  afterEach(() => vi.useRealTimers());

  test('share the text of one state, a format each; another state has another', async () => {
    const [state, next] = [stateOf(1), stateOf(2)];
    const first = await scrape(installationOf(state), '', 10);
    expect(await scrape(installationOf(state), '', 10)).toBe(first);
    expect(await scrape(installationOf(state), OPENMETRICS, 10)).not.toBe(first);
    expect(await scrape(installationOf(state), '', 10)).toBe(first);
    expect((await scrape(installationOf(next), '', 10)).body).not.toBe(first.body);
  });

  test('have a new text once a packet has arrived, and each second while a port listens', async () => {
    const state = stateOf(1);
    const installation = installationOf(state);
    const first = await scrape(installation, '', 10);
    vi.advanceTimersByTime(1000);
    expect(await scrape(installation, '', 10)).toBe(first);
    state.statsd.counts.packets += 1;
    const second = await scrape(installation, '', 10);
    expect(second).not.toBe(first);
    state.statsd.listening.push('127.0.0.1:9125');
    const third = await scrape(installation, '', 10);
    expect(await scrape(installation, '', 10)).toBe(third);
    vi.advanceTimersByTime(1000);
    expect(await scrape(installation, '', 10)).not.toBe(third);
  });
});

test('the endpoint of DogStatsD alone prints what was sent, and nothing of Redis', () => {
  const { statsd } = aState();
  sendPacket(statsd as StatsdIntake, 'jobs.count:3|c|#worker:A', Date.now() / 1000);
  const { body, contentType } = scrapeStatsd(installationOf(stateOf(0), statsd), '');
  expect(body).toMatch(/jobs_count[^\n]*worker="A"[^\n]* 3\n/);
  expect(body).not.toMatch(/sidekiq_up|sidekiq_queue/);
  expect(contentType).toMatch(/^text\/plain/);
});

test('whoever asks for the event loop’s delay is told the worst since it last asked', () => {
  vi.useFakeTimers({ toFake: ['performance', 'setInterval'] });
  const [scraper, pusher] = [{}, {}];
  loopDelay.start();
  loopDelay.start();
  vi.advanceTimersByTime(1500);
  expect(loopDelay.worstSince(scraper)).toBe(0);
  const late = vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 500 + 250);
  vi.advanceTimersByTime(500);
  late.mockRestore();
  expect(loopDelay.worstSince(scraper)).toBeCloseTo(0.25, 2);
  expect(loopDelay.worstSince(scraper)).toBe(0);
  expect(loopDelay.worstSince(pusher)).toBeCloseTo(0.25, 2);
  // Half a second each: what was ten minutes ago is forgotten.
  vi.advanceTimersByTime(601_000);
  expect(loopDelay.worstSince({})).toBe(0);
  vi.useRealTimers();
});
