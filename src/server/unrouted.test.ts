import { type AddressInfo, connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestServer, testServer } from '../testing/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server.remove());

test.each(['/api/2.0/mlflow/runs/%E0%A4%A', '/ajax-api/3.0/mlflow/traces/%E0%A4%A'])(
  'the path %s that cannot be decoded is refused in the form of MLflow',
  async (path) => {
    expect((await server.get(path)).json).toEqual({
      error_code: 'INVALID_PARAMETER_VALUE',
      error_class: 'INVALID_PARAMETER_VALUE',
      sqlstate: 'KAM00',
      message: expect.stringMatching(/^The path of the request cannot be decoded\./),
    });
  },
);

test.each(['/%E0%A4%A', '/api/wherefrom/v1/receipts/%E0%A4%A', '/api/v1/lineage/%ff'])(
  'the path %s that cannot be decoded is refused as a problem of ours',
  async (path) => {
    const reply = await server.get(path);
    expect(reply).toMatchObject({
      status: 400,
      headers: { 'content-type': expect.stringContaining('application/problem+json') },
    });
    expect(reply.json).toMatchObject({ code: 'malformed_message' });
  },
);

test.each([
  ['NONSENSE\r\n\r\n', 400],
  [`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(17_000)}\r\n\r\n`, 431],
])('what is no request is refused as a problem too', async (text, status) => {
  await server.app.listen({ host: '127.0.0.1', port: 0 }).catch(() => undefined);
  const { port } = server.app.server.address() as AddressInfo; // listens on a port
  const socket = connect({ host: '127.0.0.1', port });
  let answer = '';
  socket.on('data', (data) => {
    answer += data;
  });
  socket.on('error', () => undefined);
  socket.end(text);
  await new Promise((closed) => socket.once('close', closed));
  expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  expect(JSON.parse(answer.split('\r\n\r\n')[1] ?? '')).toMatchObject({
    code: 'malformed_message',
    status,
  });
});
