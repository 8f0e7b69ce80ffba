import { expect, test } from 'vitest';
import { type ErrorCode, errorCodes, WherefromError } from '../../base/errors.ts';
import { mlflowError, toMlflowReply, unknownAttribute } from './errors.ts';

test.each<[ErrorCode, number, string]>([
  ['malformed_message', 400, 'INVALID_PARAMETER_VALUE'],
  ['invalid_message', 400, 'INVALID_PARAMETER_VALUE'],
  ['unauthenticated', 401, 'UNAUTHENTICATED'],
  ['forbidden', 403, 'PERMISSION_DENIED'],
  ['not_found', 404, 'RESOURCE_DOES_NOT_EXIST'],
  ['conflict', 409, 'RESOURCE_CONFLICT'],
  ['too_large', 413, 'INVALID_PARAMETER_VALUE'],
  ['unsupported_media', 415, 'BAD_REQUEST'],
  ['rate_limited', 429, 'RESOURCE_EXHAUSTED'],
  ['internal', 500, 'INTERNAL_ERROR'],
  ['integrity_broken', 500, 'INTERNAL_ERROR'],
  ['not_implemented', 501, 'NOT_IMPLEMENTED'],
  ['overloaded', 503, 'TEMPORARILY_UNAVAILABLE'],
  ['storage_unavailable', 503, 'TEMPORARILY_UNAVAILABLE'],
])('%s is %i %s', (code, status, error_code) => {
  expect(toMlflowReply(new WherefromError(code, 'No.'))).toMatchObject({
    status,
    body: { error_code, message: 'No.' },
  });
});

test('every code of the table has its row above', () => {
  expect(Object.keys(errorCodes)).toHaveLength(14);
});

test('an error may name its MLflow code, which decides the status', () => {
  expect(toMlflowReply(mlflowError('RESOURCE_ALREADY_EXISTS', 'There is one.'))).toEqual({
    status: 400,
    headers: {},
    body: {
      error_code: 'RESOURCE_ALREADY_EXISTS',
      message: 'There is one.',
      sqlstate: 'KAM00',
      error_class: 'RESOURCE_ALREADY_EXISTS',
    },
  });
  expect(toMlflowReply(mlflowError('ENDPOINT_NOT_FOUND', 'x')).status).toBe(404);
});

test('a detail that names no code of MLflow is ignored', () => {
  const error = new WherefromError('not_found', 'x', { detail: { mlflow: 'toString' } });
  expect(toMlflowReply(error).body.error_code).toBe('RESOURCE_DOES_NOT_EXIST');
});

test('who is not known is asked for a key by HTTP Basic, which MLflow clients speak', () => {
  const reply = toMlflowReply(
    new WherefromError('unauthenticated', 'A key is needed.', { hint: 'Set it.' }),
  );
  expect(reply.headers).toEqual({ 'www-authenticate': 'Basic realm="mlflow"' });
  expect(reply.body.message).toBe('A key is needed. Set it.');
});

test('a name that is no attribute has a class of its own', () => {
  const { body } = toMlflowReply(unknownAttribute('No.'));
  expect(body).toMatchObject({ sqlstate: 'KAM04', error_class: 'ATTRIBUTE_NOT_FOUND' });
});

test.each([
  ['INVALID_PARAMETER_VALUE', 'KAM00', 'INVALID_PARAMETER_VALUE'],
  ['ENDPOINT_NOT_FOUND', 'KAM00', 'RESOURCE_NOT_FOUND'],
  ['TEMPORARILY_UNAVAILABLE', 'XXM00', 'CLIENT_INTERNAL_ERROR'],
  ['UNAUTHENTICATED', undefined, undefined],
  ['RESOURCE_CONFLICT', undefined, undefined],
] as const)('%s has the class that MLflow gives it', (code, sqlstate, error_class) => {
  const { body } = toMlflowReply(mlflowError(code, 'No.'));
  expect([body.sqlstate, body.error_class]).toEqual([sqlstate, error_class]);
});
