import { once } from 'node:events';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { execFile } from 'node:child_process';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { promisify } from 'node:util';
import { post } from '../../pkg/notify/delivery';
import { EXECUTABLE } from '../support/plugin';
import { startRedis, type RedisServer } from '../support/redisServer';
import { startServing, type Serving } from '../support/serve';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(async () => redis.stop());

const closers: Array<() => Promise<unknown> | void> = [];
afterEach(async () => {
  for (const close of closers.splice(0)) {
    await close();
  }
});

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

/** A receiver that answers as it is told. */
async function receiver(answer: Answer = (response) => response.end()) {
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      bodies.push(body);
      answer(response, request);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { bodies, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook` };
}

const never = new AbortController().signal;

it.each([
  [200, { ok: true }],
  [204, { ok: true }],
  [302, { ok: false, refused: false, reason: 'the receiver answered 302' }],
  [400, { ok: false, refused: true, reason: 'the receiver answered 400' }],
  [404, { ok: false, refused: false, reason: 'the receiver answered 404' }],
])('takes the answer %i for what it is', async (status, expected) => {
  const { url } = await receiver((response) =>
    response.writeHead(status, { location: 'http://127.0.0.1:9/' }).end('no')
  );
  expect(await post(url, { a: 1 }, never)).toEqual(expected);
});

it('tries again at once where a receiver is only busy', async () => {
  let asked = 0;
  const { url, bodies } = await receiver((response) => response.writeHead((asked += 1) < 3 ? 503 : 200).end());
  expect(await post(url, { a: 1 }, never)).toEqual({ ok: true });
  expect(bodies).toEqual(['{"a":1}', '{"a":1}', '{"a":1}']);
});

it.each([
  [429, '60', 60],
  [503, new Date(Date.now() + 3_600_000).toUTCString(), 3600],
  [429, 'soon', undefined],
])('asks a receiver that answers %i with Retry-After: %s no earlier', async (status, header, seconds) => {
  const { url, bodies } = await receiver((response) => response.writeHead(status, { 'retry-after': header }).end());
  const outcome = await post(url, {}, never);
  expect(bodies).toHaveLength(1);
  const expected = seconds === undefined ? {} : { afterSeconds: expect.closeTo(seconds, -1) };
  expect(outcome).toEqual({ ok: false, refused: false, reason: `the receiver answered ${status}`, ...expected });
});

it('does not read the answer of a receiver that never ends it', async () => {
  const { url } = await receiver((response) => {
    response.writeHead(200);
    const drip = setInterval(() => response.write('x'.repeat(100_000)), 5);
    response.on('close', () => clearInterval(drip));
  });
  expect(await post(url, {}, never)).toEqual({ ok: true });
});

it('ends an attempt that is given up, and never tells the address', async () => {
  const { url } = await receiver(() => undefined);
  const ending = new AbortController();
  const outcome = post(`${url}?token=T0KEN`, {}, ending.signal);
  setTimeout(() => ending.abort(), 50);
  expect(JSON.stringify(await outcome)).not.toMatch(/T0KEN|hook/);
  const refused = await post('http://127.0.0.1:1/T0KEN', {}, never);
  expect(refused).toMatchObject({ ok: false, refused: false });
  expect(JSON.stringify(refused)).not.toContain('T0KEN');
});

it('the executable tells when a queue is served by nobody, and when it is again, over a restart', async () => {
  const { url, bodies } = await receiver();
  const folder = mkdtempSync(join(tmpdir(), 'notify-'));
  const config = join(folder, 'jobwatch.yaml');
  const stateFile = join(folder, 'notifications.json');
  writeFileSync(
    config,
    [
      'sampleSeconds: 1',
      'notifications:',
      `  stateFile: ${stateFile}`,
      '  to:',
      '    team:',
      '      urlFromEnv: HOOK',
      '      format: json',
      '      afterSeconds: 0',
      '      mute:',
      '        - rules: [partsRefused, evictionPolicy]',
      '',
    ].join('\n')
  );
  const start = async (): Promise<Serving> => startServing(redis.url, ['--config', config], { HOOK: url });
  type Body = { findings: Array<{ change: string; rule: string; subject: string }> };
  const told = () =>
    bodies
      .flatMap((body) => (JSON.parse(body) as Body).findings)
      .filter(({ subject }) => subject === 'orphan')
      .map(({ change, rule }) => `${change} ${rule}`);
  // A process that serves another queue.
  const info = { hostname: 'a', pid: 1, tag: '', concurrency: 5, queues: ['other'], identity: 'a:1:x', started_at: 1 };
  await redis.client.call('SADD', 'processes', 'a:1:x');
  const beat = String(Date.now() / 1000 + 30);
  await redis.client.call('HSET', 'a:1:x', 'info', JSON.stringify(info), 'busy', '0', 'beat', beat, 'quiet', 'false');
  await redis.client.call('SADD', 'queues', 'orphan');
  const job = JSON.stringify({
    jid: 'a',
    class: 'AJob',
    queue: 'orphan',
    args: [],
    enqueued_at: Date.now() / 1000 - 900,
  });
  await redis.client.call('LPUSH', 'queue:orphan', job);
  let serving = await start();
  closers.push(async () => serving.stop());
  await vi.waitFor(() => expect(told()).toContainEqual(expect.stringContaining('began')), {
    timeout: 15_000,
    interval: 50,
  });
  // Between the delivery and the save that follows it an end would tell it again.
  const waiting = () =>
    (JSON.parse(readFileSync(stateFile, 'utf8')) as Array<{ state: { waiting: unknown[] } }>).flatMap(
      ({ state }) => state.waiting
    );
  await vi.waitFor(() => expect(waiting()).toEqual([]), { timeout: 15_000, interval: 50 });
  const first = told();
  serving.child.kill('SIGKILL');
  await once(serving.child, 'exit');
  serving = await start();
  await redis.client.call('LPUSH', 'queue:orphan', job);
  // A second finding proves that it looks, and does not tell the first again.
  await redis.client.call('SADD', 'queues', 'orphan2');
  await redis.client.call('LPUSH', 'queue:orphan2', job);
  await vi.waitFor(() => expect(bodies.join('')).toContain('"subject":"orphan2"'), { timeout: 15_000, interval: 50 });
  expect(told()).toEqual(first);
  expect(first.length).toBeGreaterThan(0);
}, 60_000);

it('the executable sends a report to a receiver, as text for Slack, and says when it was not taken', async () => {
  let status = 200;
  const { url, bodies } = await receiver((response) => response.writeHead(status).end());
  const config = join(mkdtempSync(join(tmpdir(), 'report-')), 'jobwatch.yaml');
  writeFileSync(config, `notifications:\n  to:\n    team:\n      url: ${url}\n      format: slack\n`);
  const send = async (receiverName: string) =>
    promisify(execFile)(EXECUTABLE, [
      'report',
      ...['--config', config, '--replay', join(__dirname, '../recordings/data/incident-7.3.10.rec')],
      ...['--send', receiverName],
    ]);
  await send('team');
  expect((JSON.parse(bodies[0]!) as { text: string }).text).toContain('No process serves push; 75 jobs wait.');
  status = 400;
  await expect(send('team')).rejects.toThrow('The report was not delivered to team: the receiver answered 400.');
  await expect(send('nobody')).rejects.toThrow('Use one of: team.');
});
