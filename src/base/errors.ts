/**
 * The closed table of error codes. Every face (our API, OpenLineage, MLflow, the CLI) renders these
 * in its own words; none invents another code.
 */
export const errorCodes = {
  malformed_message: { status: 400, retryable: false, title: 'The message could not be read' },
  unauthenticated: { status: 401, retryable: false, title: 'A valid API key is needed' },
  forbidden: { status: 403, retryable: false, title: 'This key may not do that' },
  not_found: { status: 404, retryable: false, title: 'There is no such thing' },
  conflict: { status: 409, retryable: false, title: 'It contradicts what is recorded' },
  too_large: { status: 413, retryable: false, title: 'The message is larger than the limit' },
  unsupported_media: { status: 415, retryable: false, title: 'This media type is not spoken here' },
  invalid_message: { status: 422, retryable: false, title: 'The message does not say enough' },
  rate_limited: { status: 429, retryable: true, title: 'Too many requests' },
  internal: { status: 500, retryable: false, title: 'A fault of the server' },
  integrity_broken: { status: 500, retryable: false, title: 'The record does not verify' },
  not_implemented: { status: 501, retryable: false, title: 'Not offered by this server' },
  overloaded: { status: 503, retryable: true, title: 'The write queue is full' },
  storage_unavailable: { status: 503, retryable: true, title: 'The store cannot write' },
} as const;

export type ErrorCode = keyof typeof errorCodes;

export interface ErrorOptions {
  /** What to do next, in one sentence. */
  readonly hint?: string;
  /** Structured detail for programs; no secrets, no payloads. */
  readonly detail?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/** The one error class: a refused request or failed I/O, with a code of the closed table. */
export class WherefromError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly detail: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'WherefromError';
    this.code = code;
    this.hint = options.hint;
    this.detail = options.detail ?? {};
  }

  get status(): number {
    return errorCodes[this.code].status;
  }
}

/** Turns anything thrown into a WherefromError; what is not one already becomes `internal`. */
export function toWherefromError(thrown: unknown): WherefromError {
  if (thrown instanceof WherefromError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new WherefromError('internal', message, { cause: thrown });
}
