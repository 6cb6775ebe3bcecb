import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Installation } from '../../pkg/installation/installation';
import { rowsOf } from '../../pkg/frames/frame';
import { ask, askRows, createReader, noticesOf, openAsReader } from '../support/installation';
import { loadKeys, locksRecording, type RecordedLocks } from '../support/recordings';
import { startRedis, type RedisServer } from '../support/redisServer';

let server: RedisServer;
let installation: Installation;
let now: number;

beforeEach(async () => {
  server = await startRedis();
  await createReader(server);
});
afterEach(async () => {
  installation.close();
  await server.stop();
});

async function open(name: RecordedLocks) {
  const recording = locksRecording(name);
  now = recording.at;
  await loadKeys(server.client, recording.keys);
  installation = openAsReader(server, {}, () => now);
  return recording;
}

describe.each(['unique-7', 'unique-8'] as const)('on locks recorded from %s', (name) => {
  test('each digest has the holders, class and kind that the gem tells, and the place that Sidekiq’s API finds', async () => {
    const { locks } = await open(name);
    // A job that one look does not find is nowhere when a later look does not find it either.
    await askRows(installation, { queryType: 'locks' });
    now += 30;
    const rows = await askRows(installation, { queryType: 'locks' });
    expect(rows).toHaveLength(locks!.flatMap(({ jids }) => jids).length);
    for (const { digest, jids, info, places } of locks!) {
      for (const [index, jid] of jids.entries()) {
        expect(
          rows.find((row) => row['jid'] === jid),
          digest
        ).toMatchObject({
          digest,
          gem: 'sidekiq-unique-jobs',
          class: info.worker,
          kind: info.type,
          place: places[index],
        });
      }
    }
    const since = rows.map(({ since }) => Number(since) / 1000);
    locks!.forEach(({ info: { time } }) =>
      expect(
        since.some((at) => Math.abs(at - time) < 0.1),
        `${time}`
      ).toBe(true)
    );
  });

  test('a lock whose job was deleted is stuck, one that is kept until it expires is not', async () => {
    const { locks } = await open(name);
    const first = await askRows(installation, { queryType: 'locks' });
    expect(first.filter(({ stuck }) => stuck === true).map(({ place }) => place)).not.toContain('unseen');
    now += 30;
    const rows = await askRows(installation, { queryType: 'locks' });
    const stuck = locks!.filter(({ places }) => places.some((place) => place === 'nowhere' || place === 'dead'));
    expect(stuck.length).toBeGreaterThan(0);
    expect(
      rows
        .filter((row) => row['stuck'] === true)
        .map(({ digest }) => digest)
        .sort()
    ).toEqual(stuck.map(({ digest }) => digest).sort());
    expect(rows.find(({ kind }) => kind === 'until_expired')).toMatchObject({
      stuck: false,
      expires: expect.any(Number),
    });
  });
});

describe.each(['throttled-1', 'throttled-2'] as const)('on throttles recorded from %s', (name) => {
  test('each slot is held by a job that Sidekiq’s API finds running, and a threshold has the executions that the gem counts', async () => {
    const { running, concurrency, threshold } = await open(name);
    const rows = await askRows(installation, { queryType: 'locks' });
    const slots = rows.filter(({ kind }) => kind === 'concurrency');
    expect(slots.map(({ jid }) => jid).sort()).toEqual([...running!].sort());
    slots.forEach((row) =>
      expect(row).toMatchObject({ place: 'running', held: concurrency, class: 'Crawl', stuck: false })
    );
    expect(rows.find(({ kind }) => kind === 'threshold')).toMatchObject({ held: threshold, jid: '', place: 'none' });
  });

  test('a slot is no longer held when the gem gives its job up for lost', async () => {
    await open(name);
    now += 901;
    const rows = await askRows(installation, { queryType: 'locks' });
    expect(rows.filter(({ kind }) => kind === 'concurrency')).toEqual([]);
  });
});

describe('on locks recorded from activejob-uniqueness', () => {
  test('a lock of a class without arguments is held by the waiting job, and one whose job was deleted is nowhere', async () => {
    const { waiting, at } = await open('activejob');
    expect(waiting).toEqual(['ClockJob']);
    // Sidekiq has seen both classes run.
    const minute = new Date(at * 1000 - 60_000).toISOString();
    const key = `j|${minute.slice(0, 10).replaceAll('-', '')}|${Number(minute.slice(11, 13))}:${Number(minute.slice(14, 16))}`;
    await server.client.hset(key, 'ClockJob|p', 1, 'Bills::RefreshJob|p', 1);
    await askRows(installation, { queryType: 'locks' });
    now += 30;
    const [frame] = await ask(installation, { queryType: 'locks' });
    const rows = rowsOf(frame!);
    expect(rows.find((row) => row['class'] === 'ClockJob')).toMatchObject({
      digest: 'activejob_uniqueness:clock_job:no_arguments',
      place: 'waiting',
      queue: 'clock',
      jid: expect.stringMatching(/^\w{24}$/) as string,
    });
    expect(rows.find((row) => row['class'] === 'Bills::RefreshJob')).toMatchObject({ place: 'nowhere', stuck: null });
    expect(noticesOf([frame!])).toEqual([]);
  });
});
