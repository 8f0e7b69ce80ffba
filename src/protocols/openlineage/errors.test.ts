import Fastify, { type FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ErrorCode, errorCodes, WherefromError } from '../../base/errors.ts';
import type { Accepted } from '../../door/index.ts';
import { type BatchItem, submitBatch } from './batch.ts';
import type { LineageAnswer } from './decide.ts';
import { sendNotFound, sendProblem } from './errors.ts';

describe('a problem', () => {
  let app: FastifyInstance;
  beforeAll(async () => {
    app = Fastify();
    app.setErrorHandler(sendProblem);
    app.setNotFoundHandler(sendNotFound);
    app.get<{ Params: { code: ErrorCode } }>('/throw/:code', async (request) => {
      throw new WherefromError(request.params.code, '/secret/path is full', {
        hint: 'Look there.',
      });
    });
    app.get('/throw', async () => {
      throw new Error('/secret/path');
    });
    await app.ready();
  });
  afterAll(() => app.close());

  test.each(Object.entries(errorCodes))(
    'of code %s has the status of the table',
    async (code, { status, retryable, title }) => {
      const answer = await app.inject(`/throw/${code}`);
      expect(answer.statusCode).toBe(status);
      expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
      expect(answer.headers['retry-after']).toBe(retryable ? '1' : undefined);
      expect(answer.headers['www-authenticate']).toBe(
        code === 'unauthenticated' ? 'Bearer' : undefined,
      );
      expect(answer.json()).toMatchObject({
        type: `/problems/${code}`,
        title,
        status,
        code,
        retryable,
      });
      expect(answer.json().detail.includes('/secret/path')).toBe(code !== 'internal');
    },
  );

  test('of anything else thrown is internal and hides what it says', async () => {
    const answer = await app.inject('/throw');
    expect(answer.statusCode).toBe(500);
    expect(answer.body).not.toContain('/secret/path');
  });

  test('of a broken request of HTTP itself keeps its status', async () => {
    const answer = await app.inject({
      method: 'POST',
      url: '/nowhere',
      headers: { 'content-type': 'a/b' },
      payload: 'x',
    });
    expect(answer.json()).toMatchObject({ status: 404, code: 'not_found' });
  });
});

describe('a batch', () => {
  const items: readonly BatchItem[] = [{ body: 1 }, { body: 2 }];
  const accepted: Accepted<LineageAnswer> = {
    answer: { duplicate: false },
    receipt: { log: 'l', position: 3, index: 0 },
    warnings: [],
  };
  const fail = (code: ErrorCode) => Promise.reject(new WherefromError(code, '/secret/path'));

  test('of which nothing went in, and all may later, is refused whole so that it is sent again', async () => {
    await expect(submitBatch(items, () => fail('overloaded'))).rejects.toMatchObject({
      code: 'overloaded',
    });
  });

  test('of which some went in says which to send again, and hides internal faults', async () => {
    const some = await submitBatch(items, (body) =>
      body === 1 ? Promise.resolve(accepted) : fail('storage_unavailable'),
    );
    expect(some.failed_events).toEqual([
      { index: 1, reason: 'storage_unavailable: /secret/path', retriable: true },
    ]);
    const none = await submitBatch(items, () => fail('internal'));
    expect(none).toMatchObject({
      status: 'partial_success',
      summary: { successful: 0, failed: 2 },
    });
    expect(JSON.stringify(none)).not.toContain('/secret/path');
  });
});
