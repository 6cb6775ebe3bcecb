import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { toJson } from '../../pkg/frames/json';
import type { Installation } from '../../pkg/installation/installation';
import { renderText } from '../../pkg/metrics/exposition';
import { readFamilies } from '../../pkg/metrics/metric';
import { metricTable } from '../../pkg/metrics/table';
import { queryType } from '../../pkg/queries/registry';
import type { Source } from '../../pkg/source/source';
import { Simulator } from '../../pkg/simulator/simulator';
import type { State } from '../../pkg/watch/state';
import { createReader, openAsReader } from '../support/installation';
import { startRedis, type RedisServer } from '../support/redisServer';

/** 2026-11-27 03:00:05 UTC. */
const START = Date.UTC(2026, 10, 27, 3, 0, 5) / 1000;
const READINGS = 150;
const PACE = 10;
/** Types of the present whose answers come from what is recorded whole. */
const TYPES = ['findings', 'overview', 'queues', 'processes', 'busy', 'capacity', 'waits', 'recurring'];

let server: RedisServer;
let installation: Installation;
let clock = START;
/** What was live, by the instant of the reading. */
const live = new Map<number, { frames: string; metrics: string }>();

/** Frames of all types as they travel, without what tells of the past. */
async function framesOf(source: Source, state: State): Promise<string> {
  const request = { range: { from: state.now - 3600, to: state.now }, intervalSeconds: 60, alerting: false };
  const answers = await Promise.all(
    TYPES.map((id) => queryType(id).run({ queryType: id }, state, request, source.reads(undefined, state)))
  );
  return JSON.stringify(
    answers.flat().map((frame) => toJson(frame)),
    (key, value: unknown) =>
      key === 'notices' ? (value as Array<{ text: string }>).filter(({ text }) => !text.startsWith('As of ')) : value
  ).replaceAll('"notices":[],', '');
}

function metricsOf(state: State): string {
  const dropped = new Map<string, number>();
  const about = { arrivedBy: state.now, droppedSeries: dropped, loopDelaySeconds: 0 };
  return renderText(readFamilies(metricTable([]), { ...state, ...about }, 30_000, dropped));
}

beforeAll(async () => {
  server = await startRedis();
  await createReader(server);
  const simulator = new Simulator(server.client, { version: '8.1', seed: 7, startsAt: START });
  installation = openAsReader(server, { samplerEnabled: false }, () => clock);
  installation.startSampling();
  for (let reading = 0; reading < READINGS; reading += 1) {
    for (let second = 0; second < PACE; second += 1) {
      await simulator.advance(1);
    }
    clock += PACE;
    const state = await installation.state();
    live.set(clock, { frames: await framesOf(installation, state), metrics: metricsOf(state) });
  }
}, 120_000);
afterAll(async () => {
  installation.close();
  await server.stop();
});

describe('what was recorded', () => {
  test('gives the frames and metrics that were live, byte for byte', async () => {
    const end = clock;
    let compared = 0;
    for (const [at, expected] of live) {
      if (end - at > 60) {
        const state = await installation.state(at + 3);
        expect(state.now).toBe(at);
        expect(metricsOf(state)).toBe(expected.metrics);
        expect(await framesOf(installation, state)).toBe(expected.frames);
        compared += 1;
      }
    }
    expect(compared).toBe(READINGS - 7);
  });
});
