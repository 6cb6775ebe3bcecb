/**
 * KEDA's external scaler: names and numbers of its interface
 * (https://keda.sh/docs/latest/concepts/external-scalers/), as text so that the executable carries it.
 */
export const EXTERNAL_SCALER = `
syntax = "proto3";
package externalscaler;

message ScaledObjectRef {
  string name = 1;
  string namespace = 2;
  map<string, string> scalerMetadata = 3;
}
message IsActiveResponse {
  bool result = 1;
}
message MetricSpec {
  string metricName = 1;
  int64 targetSize = 2;
  double targetSizeFloat = 3;
}
message GetMetricSpecResponse {
  repeated MetricSpec metricSpecs = 1;
}
message GetMetricsRequest {
  ScaledObjectRef scaledObjectRef = 1;
  string metricName = 2;
}
message MetricValue {
  string metricName = 1;
  int64 metricValue = 2;
  double metricValueFloat = 3;
}
message GetMetricsResponse {
  repeated MetricValue metricValues = 1;
}
service ExternalScaler {
  rpc IsActive(ScaledObjectRef) returns (IsActiveResponse);
  rpc StreamIsActive(ScaledObjectRef) returns (stream IsActiveResponse);
  rpc GetMetricSpec(ScaledObjectRef) returns (GetMetricSpecResponse);
  rpc GetMetrics(GetMetricsRequest) returns (GetMetricsResponse);
}
`;
