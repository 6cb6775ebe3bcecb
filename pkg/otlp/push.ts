import { diag, DiagLogLevel, type DiagLogger } from '@opentelemetry/api';
import { setGlobalErrorHandler } from '@opentelemetry/core';
import { OTLPMetricExporter as GrpcExporter } from '@opentelemetry/exporter-metrics-otlp-grpc';
import { OTLPMetricExporter as JsonExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPMetricExporter as ProtobufExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { detectResources, envDetector, resourceFromAttributes, type Resource } from '@opentelemetry/resources';
import {
  MeterProvider,
  PeriodicExportingMetricReader,
  type MetricProducer,
  type PushMetricExporter,
} from '@opentelemetry/sdk-metrics';
import { log } from '../log';
import { loopDelay } from '../metrics/loopDelay';
import { familiesOf } from '../metrics/scrape';
import type { Source } from '../source/source';
import { VERSION } from '../version';
import { MetricDataOf } from './data';
import type { OtlpSettings } from './settings';

const SCOPE = { name: 'jobwatch-sidekiq', version: VERSION };
/** Longest time of a reading for one push. */
const READ_SECONDS = 9;
/** What is under way when it ends has so long. */
const CLOSE_MS = 3000;
/** OpenTelemetry's own default. */
const EXPORT_MS = 10_000;
const GIVE_UP = 0.8;

/**
 * Pushes the metrics of a source at an interval, by OpenTelemetry's SDK. Where Redis cannot be read, `sidekiq_up` 0 is
 * pushed. What cannot be pushed is told in the log, once until it works again, and is not kept: the next push has newer
 * figures.
 *
 * @param target name of the source among others; `''` for one alone
 * @returns a function that pushes a last time and ends it
 */
export function startPush(settings: OtlpSettings, source: Source, target: string): () => Promise<void> {
  loopDelay.start();
  const problems = new Problems(withoutCredentials(settings.url));
  log('info', 'pushing metrics', { url: withoutCredentials(settings.url), source: source.address });
  const data = new MetricDataOf();
  const resource = resourceOf(source, target);
  const producer: MetricProducer = {
    async collect() {
      const metrics = data.metrics(await familiesOf(source, READ_SECONDS, data), Date.now());
      return { resourceMetrics: { resource, scopeMetrics: [{ scope: SCOPE, metrics }] }, errors: [] };
    },
  };
  const provider = new MeterProvider({
    resource,
    readers: [
      new PeriodicExportingMetricReader({
        exporter: problems.watching(exporterOf(settings)),
        exportIntervalMillis: settings.intervalMs,
        exportTimeoutMillis: Math.min(settings.timeoutMs, settings.intervalMs),
        metricProducers: [producer],
      }),
    ],
  });
  return async () => {
    try {
      await provider.shutdown({ timeoutMillis: CLOSE_MS });
    } catch {
      // Nobody is there to push to.
    }
  };
}

function exporterOf({ protocol, url, timeoutMs, intervalMs }: OtlpSettings): PushMetricExporter {
  // It gives up before the reader does, so that a silent collector is told of like one that refuses.
  const timeoutMillis = Math.min(EXPORT_MS, GIVE_UP * Math.min(timeoutMs, intervalMs));
  // OpenTelemetry's variable is read where none is given.
  const options = { url, ...(process.env['OTEL_EXPORTER_OTLP_TIMEOUT'] ? {} : { timeoutMillis }) };
  switch (protocol) {
    case 'grpc':
      return new GrpcExporter(options);
    case 'http/json':
      return new JsonExporter(options);
    case 'http/protobuf':
      return new ProtobufExporter(options);
  }
}

/** Attributes by the conventions (service, server), under those that `OTEL_RESOURCE_ATTRIBUTES` and `OTEL_SERVICE_NAME` give. */
function resourceOf({ address }: Source, target: string): Resource {
  const { host, port } = hostAndPort(address);
  const own = resourceFromAttributes({
    'service.name': 'jobwatch-sidekiq',
    'service.version': VERSION,
    'service.instance.id': target === '' ? address : target,
    'server.address': host,
    ...(port !== null && { 'server.port': port }),
  });
  const all = own.merge(detectResources({ detectors: [envDetector] }));
  // What the environment says of this process would make all targets one.
  return target === '' ? all : all.merge(resourceFromAttributes({ 'service.instance.id': target }));
}

function withoutCredentials(url: string): string {
  const shown = new URL(url);
  shown.search = '';
  shown.username = '';
  shown.password = '';
  return shown.href;
}

function hostAndPort(address: string): { host: string; port: number | null } {
  const [, host = address, port] = /^\[?([^\]]+?)\]?:(\d+)(?:\/.*)?$/.exec(address) ?? [];
  return { host, port: port === undefined ? null : Number(port) };
}

/** Tells once that pushing fails, and once that it works again. */
class Problems {
  private failing = false;

  constructor(private readonly url: string) {
    tellOfSdk();
  }

  watching(exporter: PushMetricExporter): PushMetricExporter {
    const { url } = this;
    const push = exporter.export.bind(exporter);
    exporter.export = (metrics, done) =>
      push(metrics, (result) => {
        if (result.error && !this.failing) {
          log('warn', 'metrics could not be pushed', { url, error: result.error.message.slice(0, 500) });
        } else if (!result.error && this.failing) {
          log('info', 'metrics are pushed again', { url });
        }
        if (!result.error) {
          sdkTold.pushed();
        }
        this.failing = result.error !== undefined;
        // The reader would tell of it each time.
        done({ code: 0 });
      });
    return exporter;
  }
}

/** What the SDK has said since the last push of which it said nothing: it says the same with each push. */
const sdkTold = {
  all: new Set<string>(),
  sinceLastPush: false,
  pushed() {
    if (!this.sinceLastPush) {
      this.all.clear();
    }
    this.sinceLastPush = false;
  },
};

/** What the SDK has to say goes to the log of this process, once. */
function tellOfSdk(): void {
  const tell =
    (level: 'error' | 'warn') =>
    (...parts: unknown[]): void => {
      sdkTold.sinceLastPush = true;
      // What follows are counts and texts of the collector, which may differ each time.
      const kind = String(parts[0]);
      if (!sdkTold.all.has(kind)) {
        sdkTold.all.add(kind);
        log(level, 'OpenTelemetry', { message: parts.map(textOf).join(' ').slice(0, 500) });
      }
    };
  const none = () => undefined;
  const logger: DiagLogger = { error: tell('error'), warn: tell('warn'), info: none, debug: none, verbose: none };
  diag.setLogger(logger, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
  setGlobalErrorHandler((error) => tell('error')('A push failed:', error));
}

function textOf(part: unknown): string {
  return part instanceof Error ? part.message : typeof part === 'string' ? part : JSON.stringify(part);
}
