import { type ErrorCode, WherefromError } from '../../base/errors.ts';

/** How the body was encoded; errors and answers are sent in the same way. */
export type Encoding = 'protobuf' | 'json';

/**
 * Codes of google.rpc.Status for ours.
 * Source: google/rpc/code.proto; OTLP specification, "OTLP/HTTP Response".
 */
const rpcCodes: Readonly<Record<ErrorCode, number>> = {
  malformed_message: 3,
  invalid_message: 3,
  unauthenticated: 16,
  forbidden: 7,
  not_found: 5,
  conflict: 9,
  too_large: 3,
  unsupported_media: 3,
  rate_limited: 8,
  internal: 13,
  integrity_broken: 15,
  not_implemented: 12,
  overloaded: 14,
  storage_unavailable: 14,
};

/** MLflow's words for our codes where its own store refuses. Source: mlflow/exceptions.py. */
const mlflowCodes: Partial<Readonly<Record<ErrorCode, string>>> = {
  invalid_message: 'INVALID_PARAMETER_VALUE',
  not_found: 'RESOURCE_DOES_NOT_EXIST',
  conflict: 'RESOURCE_CONFLICT',
  unauthenticated: 'UNAUTHENTICATED',
  forbidden: 'PERMISSION_DENIED',
  overloaded: 'TEMPORARILY_UNAVAILABLE',
  storage_unavailable: 'TEMPORARILY_UNAVAILABLE',
};

/** How an error is sent: JSON of MLflow's server, or a Status. */
export type OtlpError =
  | { readonly status: number; readonly json: Readonly<Record<string, unknown>> }
  | { readonly status: number; readonly rpc: { readonly code: number; readonly message: string } };

/** An error that MLflow's own handler of this route raises, as its framework shows it. */
export function detailError(status: 400 | 413 | 422, detail: string): WherefromError {
  const code =
    status === 413 ? 'too_large' : status === 422 ? 'invalid_message' : 'malformed_message';
  return new WherefromError(code, detail, { detail: { status } });
}

/**
 * Renders an error: for MLflow's client `{"detail": …}`, or `{error_code, message}` where its store
 * refuses; for any other exporter a google.rpc.Status. 503 and 429 make exporters try again.
 */
export function toOtlpError(error: WherefromError, ofMlflow: boolean): OtlpError {
  const message = error.hint === undefined ? error.message : `${error.message} ${error.hint}`;
  const own = error.detail.status;
  // An invalid message is the caller's mistake: 400, as both specifications have it.
  const status =
    typeof own === 'number' && ofMlflow
      ? own
      : error.code === 'invalid_message'
        ? 400
        : error.status;
  if (!ofMlflow) return { status, rpc: { code: rpcCodes[error.code], message } };
  const name = typeof own === 'number' ? undefined : mlflowCodes[error.code];
  return {
    status,
    json: name === undefined ? { detail: message } : { error_code: name, message },
  };
}
