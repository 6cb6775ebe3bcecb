import { loadPackageDefinition, type GrpcObject, type ServiceDefinition } from '@grpc/grpc-js';
import { fromJSON, type PackageDefinition } from '@grpc/proto-loader';
import { parse } from 'protobufjs';

/** The services of protocols written as proto3 texts, by full name: for a server or, in tests, for a client. */
export function servicesOf(sources: readonly string[]): GrpcObject {
  const definitions = sources.map((source) =>
    fromJSON(parse(source, { keepCase: true }).root.toJSON(), {
      keepCase: true,
      longs: Number,
      enums: Number,
      defaults: true,
      arrays: true,
      objects: true,
    })
  );
  return loadPackageDefinition(Object.assign({}, ...definitions) as PackageDefinition);
}

/** A service's definition by its full name, for example `pluginv2.Data`. */
export function serviceOf(protocol: GrpcObject, name: string): ServiceDefinition {
  const found = name.split('.').reduce<unknown>((scope, part) => (scope as GrpcObject)[part], protocol);
  return (found as { service: ServiceDefinition }).service;
}
