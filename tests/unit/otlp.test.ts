import { DataPointType, type MetricData } from '@opentelemetry/sdk-metrics';
import { describe, expect, test } from 'vitest';
import type { Family } from '../../pkg/metrics/metric';
import { MetricDataOf } from '../../pkg/otlp/data';
import { endpointOfEnvironment, otlpSettings } from '../../pkg/otlp/settings';

const NOW = 1_795_870_800_250;
const family = (part: Partial<Family>): Family => ({ name: 'm', type: 'gauge', help: 'Help.', samples: [], ...part });
const one = (part: Partial<Family>, data = new MetricDataOf(), now = NOW): MetricData | undefined =>
  data.metrics([family(part)], now)[0];

describe('a metric as it is pushed', () => {
  test('is a gauge with its labels as attributes, its unit and its text', () => {
    const samples = [{ labels: [['name', 'a"b'] as const], value: '4.568' }, { value: NaN }];
    expect(one({ name: 'x_seconds', unit: 'seconds', samples })).toMatchObject({
      descriptor: { name: 'x_seconds', description: 'Help.', unit: 's' },
      dataPointType: DataPointType.GAUGE,
      dataPoints: [{ attributes: { name: 'a"b' }, value: 4.568, endTime: [1_795_870_800, 250_000_000] }],
    });
    // Not a number is no figure.
    expect(one({ samples })?.dataPoints).toHaveLength(1);
  });

  test('is a monotonic sum from when it was first seen, and begins anew where it falls', () => {
    const data = new MetricDataOf();
    const at = (value: number, seconds: number) => {
      const metric = one({ type: 'counter', samples: [{ value }] }, data, NOW + seconds * 1000);
      expect(metric).toMatchObject({ dataPointType: DataPointType.SUM, isMonotonic: true });
      return metric!.dataPoints[0]!.startTime[0] - Math.floor(NOW / 1000);
    };
    expect([at(5, 0), at(5, 60), at(9, 120), at(2, 180), at(3, 240)]).toEqual([0, 0, 0, 180, 180]);
  });

  test('is a histogram with its own buckets, the last one without a bound', () => {
    const samples = [{ labels: [], bounds: [0.02, 1, Infinity], counts: [3, 0, 2], sum: 7.5 }];
    expect(one({ type: 'histogram', samples })).toMatchObject({
      dataPointType: DataPointType.HISTOGRAM,
      dataPoints: [{ value: { buckets: { boundaries: [0.02, 1], counts: [3, 0, 2] }, sum: 7.5, count: 5 } }],
    });
  });

  test('is left out where it has no samples, and where it is a summary', () => {
    expect(one({})).toBeUndefined();
    expect(one({ type: 'summary', samples: [{ quantiles: [[0.5, 1]], sum: 1, count: 1 }] })).toBeUndefined();
  });

  test('of a series that could not be read for a time goes on from when it was first seen', () => {
    const data = new MetricDataOf();
    one({ type: 'counter', samples: [{ value: 5 }] }, data, NOW);
    one({ type: 'counter' }, data, NOW + 60_000);
    const back = one({ type: 'counter', samples: [{ value: 6 }] }, data, NOW + 120_000);
    expect(back!.dataPoints[0]!.startTime[0]).toBe(Math.floor(NOW / 1000));
    const fallen = one({ type: 'counter', samples: [{ value: 1 }] }, data, NOW + 180_000);
    expect(fallen!.dataPoints[0]!.startTime[0]).toBe(Math.floor((NOW + 180_000) / 1000));
  });
});

describe('where metrics are pushed to', () => {
  test.each([
    ['http://collector:4318', {}, 'http/protobuf', 'http://collector:4318/v1/metrics'],
    ['http://collector:4318/', {}, 'http/protobuf', 'http://collector:4318/v1/metrics'],
    ['https://host/otlp', {}, 'http/protobuf', 'https://host/otlp/v1/metrics'],
    ['https://host/otlp/v1/metrics', {}, 'http/protobuf', 'https://host/otlp/v1/metrics'],
    ['grpc://collector:4317', {}, 'grpc', 'http://collector:4317'],
    ['grpcs://collector:4317', {}, 'grpc', 'https://collector:4317'],
    ['http://c:4317', { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, 'grpc', 'http://c:4317'],
    [
      'http://c:4318',
      { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc', OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: 'http/json' },
      'http/json',
      'http://c:4318/v1/metrics',
    ],
    ['http://c/x', { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://c/x' }, 'http/protobuf', 'http://c/x'],
  ])('%s with %j', (endpoint, env, protocol, url) => {
    expect(otlpSettings(endpoint, env)).toMatchObject({ protocol, url, intervalMs: 60_000, timeoutMs: 30_000 });
  });

  test.each([
    ['collector', {}, 'otlpEndpoint'],
    ['ftp://c', {}, 'otlpEndpoint'],
    ['redis://user:secret@c', {}, 'otlpEndpoint'],
    ['http://user:secret/ss@host:4318', {}, 'otlpEndpoint'],
    ['user:secret@host:4318', {}, 'otlpEndpoint'],
    ['host?api_key=secret', {}, 'otlpEndpoint'],
    ['http://c', { OTEL_EXPORTER_OTLP_PROTOCOL: 'thrift' }, 'OTEL_EXPORTER_OTLP_PROTOCOL'],
    ['http://c', { OTEL_METRIC_EXPORT_INTERVAL: '5' }, 'OTEL_METRIC_EXPORT_INTERVAL'],
    ['http://c', { OTEL_METRIC_EXPORT_TIMEOUT: 'soon' }, 'OTEL_METRIC_EXPORT_TIMEOUT'],
  ])('%s with %j is refused naming %s', (endpoint, env, named) => {
    expect(() => otlpSettings(endpoint, env)).toThrow(named);
    try {
      otlpSettings(endpoint, env);
    } catch (error) {
      expect(String(error)).not.toContain('secret');
    }
  });

  test.each([
    [{}, ''],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a' }, 'http://a'],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a', OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://b' }, 'http://b'],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a', OTEL_METRICS_EXPORTER: 'none' }, ''],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a', OTEL_SDK_DISABLED: 'true' }, ''],
  ])('by the variables %j is %j', (env, endpoint) => {
    expect(endpointOfEnvironment(env)).toBe(endpoint);
  });
});
