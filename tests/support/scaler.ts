import { credentials, type GrpcObject, type ServiceError } from '@grpc/grpc-js';
import { servicesOf } from '../../pkg/grpc/services';
import { EXTERNAL_SCALER } from '../../pkg/keda/protocol';

/** Calls KEDA's external scaler at an address, as KEDA does for one trigger. */
export function callScaler<Answer = unknown>(
  address: string,
  method: string,
  scalerMetadata: Record<string, string>,
  name = 'workers'
): Promise<Answer> {
  const { ExternalScaler } = servicesOf([EXTERNAL_SCALER])['externalscaler'] as GrpcObject as unknown as {
    ExternalScaler: new (...args: unknown[]) => Record<string, (...args: unknown[]) => never> & { close(): void };
  };
  const client = new ExternalScaler(address, credentials.createInsecure());
  const ref = { name, namespace: 'default', scalerMetadata };
  return new Promise<Answer>((resolve, reject) => {
    client[method]!(
      method === 'GetMetrics' ? { scaledObjectRef: ref, metricName: 'sidekiq' } : ref,
      (error: ServiceError | null, answer: Answer) => (error ? reject(error) : resolve(answer))
    );
  }).finally(() => client.close());
}
