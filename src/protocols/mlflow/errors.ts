import { type ErrorCode, WherefromError } from '../../base/errors.ts';

/**
 * MLflow's error vocabulary: the HTTP status of each, and the code of ours that means the same.
 * Source: mlflow/exceptions.py (ERROR_CODE_TO_HTTP_STATUS).
 */
const mlflowCodes = {
  INVALID_PARAMETER_VALUE: { status: 400, ours: 'invalid_message' },
  BAD_REQUEST: { status: 400, ours: 'malformed_message' },
  RESOURCE_ALREADY_EXISTS: { status: 400, ours: 'conflict' },
  UNAUTHENTICATED: { status: 401, ours: 'unauthenticated' },
  PERMISSION_DENIED: { status: 403, ours: 'forbidden' },
  RESOURCE_DOES_NOT_EXIST: { status: 404, ours: 'not_found' },
  ENDPOINT_NOT_FOUND: { status: 404, ours: 'not_found' },
  RESOURCE_CONFLICT: { status: 409, ours: 'conflict' },
  RESOURCE_EXHAUSTED: { status: 429, ours: 'rate_limited' },
  INVALID_STATE: { status: 500, ours: 'internal' },
  INTERNAL_ERROR: { status: 500, ours: 'internal' },
  NOT_IMPLEMENTED: { status: 501, ours: 'not_implemented' },
  TEMPORARILY_UNAVAILABLE: { status: 503, ours: 'storage_unavailable' },
} as const satisfies Record<string, { status: number; ours: ErrorCode }>;

/** A name of MLflow's error table, as `error_code` carries it. */
export type MlflowCode = keyof typeof mlflowCodes;

/**
 * The class of an error and its SQLSTATE, as MLflow's server adds them to the body; it has none for
 * the other codes. Source: mlflow/error_classification.py (the "client" tables: a server's own
 * exceptions are made with them), mlflow/exceptions.py (MlflowException.serialize_as_json).
 */
const classOf: Partial<Readonly<Record<MlflowCode, MlflowClass>>> = {
  INVALID_PARAMETER_VALUE: { sqlstate: 'KAM00', error_class: 'INVALID_PARAMETER_VALUE' },
  BAD_REQUEST: { sqlstate: 'KAM00', error_class: 'INVALID_PARAMETER_VALUE' },
  RESOURCE_ALREADY_EXISTS: { sqlstate: 'KAM00', error_class: 'RESOURCE_ALREADY_EXISTS' },
  PERMISSION_DENIED: { sqlstate: 'KAM00', error_class: 'PERMISSION_DENIED' },
  RESOURCE_DOES_NOT_EXIST: { sqlstate: 'KAM00', error_class: 'RESOURCE_NOT_FOUND' },
  ENDPOINT_NOT_FOUND: { sqlstate: 'KAM00', error_class: 'RESOURCE_NOT_FOUND' },
  INVALID_STATE: { sqlstate: 'XXM00', error_class: 'CLIENT_INTERNAL_ERROR' },
  INTERNAL_ERROR: { sqlstate: 'XXM00', error_class: 'CLIENT_INTERNAL_ERROR' },
  TEMPORARILY_UNAVAILABLE: { sqlstate: 'XXM00', error_class: 'CLIENT_INTERNAL_ERROR' },
};

const attributeClass: MlflowClass = { sqlstate: 'KAM04', error_class: 'ATTRIBUTE_NOT_FOUND' };

interface MlflowClass {
  readonly sqlstate?: string;
  readonly error_class?: string;
}

/** What each code of ours is called in MLflow's words, unless `detail.mlflow` names another. */
const codeOf: Readonly<Record<ErrorCode, MlflowCode>> = {
  malformed_message: 'INVALID_PARAMETER_VALUE',
  invalid_message: 'INVALID_PARAMETER_VALUE',
  unauthenticated: 'UNAUTHENTICATED',
  forbidden: 'PERMISSION_DENIED',
  not_found: 'RESOURCE_DOES_NOT_EXIST',
  conflict: 'RESOURCE_CONFLICT',
  too_large: 'INVALID_PARAMETER_VALUE',
  unsupported_media: 'BAD_REQUEST',
  rate_limited: 'RESOURCE_EXHAUSTED',
  internal: 'INTERNAL_ERROR',
  integrity_broken: 'INTERNAL_ERROR',
  not_implemented: 'NOT_IMPLEMENTED',
  overloaded: 'TEMPORARILY_UNAVAILABLE',
  storage_unavailable: 'TEMPORARILY_UNAVAILABLE',
};

/** Statuses that say more than MLflow's own table does. */
const statusOf: Partial<Readonly<Record<ErrorCode, number>>> = {
  too_large: 413,
  unsupported_media: 415,
};

/** How an error is sent: `{error_code, message, sqlstate, error_class}`, its status and headers. */
export interface MlflowReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: MlflowClass & { readonly error_code: MlflowCode; readonly message: string };
}

/** An error under its MLflow name, with MLflow's text. */
export function mlflowError(code: MlflowCode, message: string): WherefromError {
  return new WherefromError(mlflowCodes[code].ours, message, { detail: { mlflow: code } });
}

/** The commonest refusal: 400 INVALID_PARAMETER_VALUE. */
export function invalidParameter(message: string): WherefromError {
  return mlflowError('INVALID_PARAMETER_VALUE', message);
}

/** The same, of a name that is no attribute: MLflow gives it a class of its own. */
export function unknownAttribute(message: string): WherefromError {
  const detail = { mlflow: 'INVALID_PARAMETER_VALUE', isAttribute: true };
  return new WherefromError('invalid_message', message, { detail });
}

/** 404 RESOURCE_DOES_NOT_EXIST. */
export function doesNotExist(message: string): WherefromError {
  return mlflowError('RESOURCE_DOES_NOT_EXIST', message);
}

/** Renders an error in MLflow's shape: its own code when it names one, otherwise that of the table. */
export function toMlflowReply(error: WherefromError): MlflowReply {
  const named = error.detail.mlflow;
  const own = typeof named === 'string' && Object.hasOwn(mlflowCodes, named);
  // Checked by hasOwn: the name is a key of the table.
  const code = own ? (named as MlflowCode) : codeOf[error.code];
  const status = (own ? undefined : statusOf[error.code]) ?? mlflowCodes[code].status;
  const message = error.hint === undefined ? error.message : `${error.message} ${error.hint}`;
  return {
    status,
    headers: code === 'UNAUTHENTICATED' ? { 'www-authenticate': 'Basic realm="mlflow"' } : {},
    body: {
      error_code: code,
      message,
      ...(error.detail.isAttribute === true ? attributeClass : classOf[code]),
    },
  };
}

/** A text as Python shows it within a message: `repr()`. */
export function pythonText(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = text
    .replace(/\\/g, '\\\\')
    .replaceAll(quote, `\\${quote}`)
    .replace(/\n/g, '\\n')
    .replace(/\r/g, '\\r')
    .replace(/\t/g, '\\t');
  return quote + escaped + quote;
}
