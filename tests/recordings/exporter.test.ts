import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Installation } from '../../pkg/installation/installation';
import { scrape } from '../../pkg/metrics/scrape';
import { parseExposition, type ExpositionSample } from '../support/exposition';
import { createReader, openAsReader } from '../support/installation';
import { loadRecording, recordedApi, recordedExporter, RECORDED_VERSIONS } from '../support/recordings';
import { startRedis, type RedisServer } from '../support/redisServer';

describe.each(RECORDED_VERSIONS)('the endpoint on a database recorded from Sidekiq %s', (version) => {
  let server: RedisServer;
  let installation: Installation;
  let expected: ExpositionSample[];

  beforeAll(async () => {
    server = await startRedis();
    await loadRecording(server.client, version);
    await createReader(server);
    expected = parseExposition(recordedExporter(version)).samples;
    installation = openAsReader(server, {}, () => exporterReadAt());
  });
  afterAll(async () => {
    installation.close();
    await server.stop();
  });

  /** The exporter read a moment after the API; its latencies tell when. */
  function exporterReadAt(): number {
    const { now, queues } = recordedApi(version);
    const [name, { latency }] = Object.entries(queues).find(([, queue]) => queue.latency > 0)!;
    const sample = expected.find(
      (each) => each.name === 'sidekiq_queue_latency_seconds' && each.labels['name'] === name
    )!;
    return now + sample.value - latency;
  }

  test('has every sample of the Ruby exporter, by name, labels and value', async () => {
    const { samples } = parseExposition((await scrape(installation, '', 5)).body);
    expect(expected.length).toBeGreaterThan(50);
    for (const { name, labels, value } of expected) {
      const found = samples.find((sample) => sample.name === name && same(sample.labels, labels));
      expect(found, `${name} ${JSON.stringify(labels)}`).toBeDefined();
      if (name === 'sidekiq_queue_latency_seconds') {
        // Queues were read one after the other, some milliseconds apart.
        expect(Math.abs(found!.value - value), name).toBeLessThan(0.05);
      } else if (name === 'sidekiq_queue_max_processing_time_seconds') {
        // Whole seconds of a clock that went on while the exporter read.
        expect(Math.abs(found!.value - value), name).toBeLessThanOrEqual(1);
      } else {
        expect(found!.value, name).toBe(value);
      }
    }
  });

  test('has no other sample under the names of the Ruby exporter', async () => {
    const { samples } = parseExposition((await scrape(installation, '', 5)).body);
    const names = new Set(expected.map(({ name }) => name));
    const extra = samples.filter(
      ({ name, labels }) => names.has(name) && !expected.some((each) => each.name === name && same(each.labels, labels))
    );
    expect(extra).toEqual([]);
  });

  test('has the types of the Ruby exporter', async () => {
    const { types } = parseExposition((await scrape(installation, '', 5)).body);
    for (const [name, type] of parseExposition(recordedExporter(version)).types) {
      expect(types.get(name), name).toBe(type);
    }
  });
});

function same(a: Record<string, string>, b: Record<string, string>): boolean {
  const sorted = (labels: Record<string, string>) => JSON.stringify(Object.entries(labels).sort());
  return sorted(a) === sorted(b);
}
