import { Fault } from '../faults/fault';

/** How metrics are pushed. */
export type OtlpProtocol = 'http/protobuf' | 'http/json' | 'grpc';

/** Where metrics are pushed to, and how often. */
export interface OtlpSettings {
  protocol: OtlpProtocol;
  /** With the path of the signal for HTTP; `http:` or `https:` and a host for gRPC. */
  url: string;
  intervalMs: number;
  timeoutMs: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

const PROTOCOLS: readonly OtlpProtocol[] = ['http/protobuf', 'http/json', 'grpc'];
/** The path of metrics below an endpoint of all signals (OTLP specification, OTLP/HTTP request). */
const METRICS_PATH = 'v1/metrics';
const INTERVAL_MS = 60_000;
const TIMEOUT_MS = 30_000;

/** The endpoint that OpenTelemetry's own variables name; empty where they name none, or switch metrics off. */
export function endpointOfEnvironment(env: Environment): string {
  const isOff = env['OTEL_SDK_DISABLED'] === 'true' || env['OTEL_METRICS_EXPORTER'] === 'none';
  return isOff ? '' : env['OTEL_EXPORTER_OTLP_METRICS_ENDPOINT'] || env['OTEL_EXPORTER_OTLP_ENDPOINT'] || '';
}

/**
 * Reads an endpoint and OpenTelemetry's variables (specification: Environment Variables, OTLP Exporter). Headers,
 * certificates and compression are read from their variables by the exporters themselves.
 *
 * @param endpoint `http://host:4318`, or `grpc://host:4317` (`grpcs:` with TLS); a path of its own is kept
 * @throws Fault `settings` naming what cannot be used
 */
export function otlpSettings(endpoint: string, env: Environment): OtlpSettings {
  const isOfSignal = endpoint === env['OTEL_EXPORTER_OTLP_METRICS_ENDPOINT'];
  let url: URL;
  try {
    url = new URL(endpoint.replace(/^grpc(s?):/, 'http$1:'));
  } catch {
    throw unusable(endpoint);
  }
  if (!/^https?:$/.test(url.protocol) || url.hostname === '') {
    throw unusable(endpoint);
  }
  const protocol = /^grpcs?:/.test(endpoint) ? 'grpc' : protocolOf(env);
  if (protocol !== 'grpc' && !isOfSignal && !url.pathname.endsWith(METRICS_PATH)) {
    url.pathname = `${url.pathname.replace(/\/$/, '')}/${METRICS_PATH}`;
  }
  return {
    protocol,
    url: protocol === 'grpc' ? url.origin : url.href,
    intervalMs: milliseconds(env, 'OTEL_METRIC_EXPORT_INTERVAL', INTERVAL_MS),
    timeoutMs: milliseconds(env, 'OTEL_METRIC_EXPORT_TIMEOUT', TIMEOUT_MS),
  };
}

function unusable(endpoint: string): Fault {
  // An address may hold a password.
  const shown = endpoint.replace(/^.*@/s, '***@').replace(/\?.*$/s, '').slice(0, 200);
  return new Fault({
    kind: 'settings',
    message: `"otlpEndpoint" is no address of a collector: ${shown}.`,
    remedy: 'Give http://host:4318, or grpc://host:4317.',
  });
}

function protocolOf(env: Environment): OtlpProtocol {
  const [name, value] =
    ['OTEL_EXPORTER_OTLP_METRICS_PROTOCOL', 'OTEL_EXPORTER_OTLP_PROTOCOL']
      .map((each) => [each, env[each]] as const)
      .find(([, each]) => each) ?? [];
  const protocol = PROTOCOLS.find((each) => each === (value ?? 'http/protobuf'));
  if (protocol === undefined) {
    throw new Fault({
      kind: 'settings',
      message: `The protocol of ${name} is not known: ${value}.`,
      remedy: `Use one of: ${PROTOCOLS.join(', ')}.`,
    });
  }
  return protocol;
}

function milliseconds(env: Environment, name: string, otherwise: number): number {
  const value = env[name];
  if (value === undefined || value === '') {
    return otherwise;
  }
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1000 || number > 86_400_000) {
    throw new Fault({
      kind: 'settings',
      message: `${name} is no number of milliseconds from 1000 on: ${value}.`,
      remedy: 'Give for example 60000.',
    });
  }
  return number;
}
