import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WherefromError } from '../../../base/errors.ts';
import { limits } from '../../../base/limits.ts';
import { refusal, startMlflowServer } from '../../../testing/mlflow-server.ts';

let server: Awaited<ReturnType<typeof startMlflowServer>>;

beforeEach(async () => {
  server = await startMlflowServer();
});
afterEach(() => server.close());

describe('requests', () => {
  test.each([
    ['{"experiment_id"', /^The request body is not valid JSON/],
    ['[]', /must be a JSON object/],
    ['5', /must be a JSON object/],
  ])('%j are refused in MLflow words', async (text, message) => {
    expect(await server.post('runs/create', text)).toMatchObject(
      refusal(400, 'INVALID_PARAMETER_VALUE', expect.stringMatching(message)),
    );
  });

  test('beyond the size limit are refused', async () => {
    const text = `{"x": "${'x'.repeat(limits.mlflowBodyBytesMax)}"}`;
    expect(await server.post('runs/create', text)).toMatchObject(
      refusal(413, 'INVALID_PARAMETER_VALUE', expect.stringMatching(/larger than/)),
    );
  });

  test('encoded twice are read, as older clients send them', async () => {
    const reply = await server.post(
      'experiments/create',
      JSON.stringify(JSON.stringify({ name: 'x' })),
    );
    expect(reply).toMatchObject({ status: 200, body: { experiment_id: '1' } });
  });

  test('of a form, as a page in a browser could send them, are refused', async () => {
    const reply = await server.app.inject({
      method: 'POST',
      url: '/api/2.0/mlflow/experiments/create',
      payload: 'name=x',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    expect(reply.statusCode).toBe(400);
    expect(reply.json().message).toBe(
      "Bad Request. Content-Type must be one of ['application/json'].",
    );
  });

  test.each([
    '/api/2.0/mlflow/nothing',
    '/api/3.0/mlflow/nothing/search',
    '/ajax-api/2.0/mlflow/x',
    '/ajax-api/3.0/jobs',
  ])('to %s are answered ENDPOINT_NOT_FOUND', async (url) => {
    for (const method of ['GET', 'POST'] as const) {
      expect(await server.send(method, url, method === 'POST' ? {} : undefined)).toMatchObject(
        refusal(404, 'ENDPOINT_NOT_FOUND', expect.stringContaining(url)),
      );
    }
  });

  test('for what runs before a login are answered', async () => {
    expect((await server.send('GET', '/health')).body).toBe('OK');
    expect((await server.send('GET', '/version')).body).toBe('3.17.2');
    expect((await server.send('GET', '/api/3.0/mlflow/server-info')).body).toMatchObject({
      store_type: 'SqlStore',
      workspaces_enabled: true,
    });
  });

  test('health turns red when the record was found damaged, and nothing more is written', async () => {
    const damaged = new WherefromError('integrity_broken', 'A page is damaged.');
    const broken = server.services.door.submit({
      operation: {
        protocol: 'mlflow',
        operation: 'test/damaged',
        decide: () => Promise.reject(damaged),
        translate: () => ({ facts: [], warnings: [] }),
      },
      workspace: 'default',
      principal: 'tester',
      body: {},
    });
    await expect(broken).rejects.toBe(damaged);
    expect((await server.send('GET', '/health')).status).toBe(503);
    expect((await server.post('experiments/create', { name: 'x' })).status).toBe(500);
  });

  test('under /ajax-api mean the same', async () => {
    const run = await server.createRun();
    expect(
      (await server.send('GET', `/ajax-api/2.0/mlflow/runs/get?run_id=${run}`)).body.run.info
        .run_id,
    ).toBe(run);
  });

  test.each([
    ['GET', 'runs/get?run_id=nope', 404, 'RESOURCE_DOES_NOT_EXIST'],
    ['GET', 'runs/get', 400, 'INVALID_PARAMETER_VALUE'],
    ['GET', 'experiments/get?experiment_id=9', 404, 'RESOURCE_DOES_NOT_EXIST'],
    ['GET', 'experiments/get?experiment_id=x', 400, 'INVALID_PARAMETER_VALUE'],
    ['GET', 'experiments/get-by-name?experiment_name=x', 404, 'RESOURCE_DOES_NOT_EXIST'],
  ] as const)('%s %s is %i %s', async (method, path, status, code) => {
    expect(await server.call(method, path)).toMatchObject(
      refusal(status, code, expect.any(String)),
    );
  });
});
