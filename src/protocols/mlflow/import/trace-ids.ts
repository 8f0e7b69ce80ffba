/**
 * The OpenTelemetry id that the spans of a trace are kept under: MLflow 3 makes its ids of it, those
 * before are 32 hex digits themselves. Undefined for ids of any other form, which spans cannot carry.
 */
export function otelTraceId(trace: string): string | undefined {
  const digits = trace.replace(/^tr-/, '');
  return /^[0-9a-f]{32}$/.test(digits) && !/^0+$/.test(digits) ? digits : undefined;
}
