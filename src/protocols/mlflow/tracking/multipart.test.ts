import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sha256Hex } from '../../../base/digest.ts';
import { refusal, startMlflowServer } from '../../../testing/mlflow-server.ts';

let server: Awaited<ReturnType<typeof startMlflowServer>>;
let run: string;
let root: string;
let now: number;

beforeEach(async () => {
  now = 1_700_000_000_000;
  server = await startMlflowServer({
    clock: { now: () => now, random: (count) => Buffer.alloc(count, now++) },
  });
  run = await server.createRun();
  root = `0/${run}/artifacts`;
});
afterEach(async () => {
  expect(await server.rebuild()).toEqual([]);
  await server.close();
});

const api = '/api/2.0/mlflow-artifacts';
const mpu = (verb: string, path: string, body: unknown) =>
  server.send('POST', `${api}/mpu/${verb}/${path}`, body);
/** What the client does with a URL: no credentials, its bytes, the headers that it was given. */
const put = (url: string, content: string) =>
  server.app.inject({ method: 'PUT', url: url.replace(/^https?:\/\/[^/]+/, ''), payload: content });
const get = (url: string, headers: Record<string, string> = {}) =>
  server.app.inject({ method: 'GET', url: url.replace(/^https?:\/\/[^/]+/, ''), headers });

async function begin(count: number, localFile = '/home/somebody/big.bin') {
  const { body } = await mpu('create', `${root}/d`, { path: localFile, num_parts: count });
  const { upload_id: id, credentials } = body;
  return { id, urls: credentials.map(({ url }: { url: string }) => url) as string[] };
}

describe('a multipart upload', () => {
  test('becomes one file with one digest, as if it had come whole', async () => {
    const { id, urls } = await begin(3);
    const parts = [];
    for (const [index, url] of urls.entries()) {
      const reply = await put(url, 'ABC'[index] ?? '');
      expect(reply.statusCode).toBe(200);
      parts.push({ part_number: index + 1, etag: reply.headers.etag, url });
    }
    const completed = await mpu('complete', `${root}/d`, {
      path: '/home/somebody/big.bin',
      upload_id: id,
      parts,
    });
    expect(completed).toMatchObject({ status: 200, body: {} });
    expect(completed.headers['wherefrom-receipt']).toBeDefined();
    expect((await server.send('GET', `${api}/artifacts/${root}/d/big.bin`)).body).toBe('ABC');
    expect(await server.attributes(`artifact:default/sha256:${sha256Hex('ABC')}`)).toMatchObject({
      path: 'd/big.bin',
      bytes: 3,
    });
    // Nothing of where the file lay on the client's machine is kept.
    expect(JSON.stringify(completed.body)).not.toContain('somebody');
    const again = await mpu('complete', `${root}/d`, {
      path: 'C:\\Users\\somebody\\big.bin',
      upload_id: id,
      parts,
    });
    expect(again).toMatchObject({ status: 200 });
    expect(again.headers['wherefrom-receipt']).toBeUndefined();
  });

  test('is aborted with all that came', async () => {
    const { id, urls } = await begin(1);
    await put(urls[0] ?? '', 'A');
    const body = { path: 'big.bin', upload_id: id };
    expect(await mpu('abort', `${root}/d`, body)).toMatchObject({ status: 200, body: {} });
    expect((await put(urls[0] ?? '', 'A')).statusCode).toBe(404);
    expect((await mpu('abort', `${root}/d`, body)).status).toBe(404);
  });

  test('is refused where it lacks something, or leads outside', async () => {
    const { id, urls } = await begin(2);
    const { etag } = (await put(urls[0] ?? '', 'A')).headers;
    const complete = (parts: unknown, path = 'big.bin') =>
      mpu('complete', `${root}/d`, { path, upload_id: id, parts });
    const invalid = (message: unknown) => refusal(400, 'INVALID_PARAMETER_VALUE', message);
    expect(await complete([])).toMatchObject(invalid(/parts/));
    expect(
      await complete([
        { part_number: 1, etag },
        { part_number: 2, etag },
      ]),
    ).toMatchObject(invalid(/Part 2/));
    expect((await complete([{ part_number: 1, etag }], 'other.bin')).status).toBe(404);
    expect(await mpu('create', `${root}/d`, {})).toMatchObject(invalid(/path/));
    expect(await mpu('create', `${root}/d`, { path: 'a', num_parts: 10_001 })).toMatchObject(
      invalid(/between 1 and 10000/),
    );
    for (const path of ['..%2f..%2fx', '%252e%252e%252fx', '%23a'])
      expect(await mpu('create', path, { path: 'a', num_parts: 1 })).toMatchObject(
        invalid('Invalid path'),
      );
    expect(await mpu('create', root, { path: 'a/..', num_parts: 1 })).toMatchObject(
      invalid('Invalid path'),
    );
  });

  test('takes parts only by the URLs that it gave, while they are good', async () => {
    const { urls } = await begin(1);
    const [url = ''] = urls;
    const denied = { statusCode: 403 };
    expect(await put(url.replace(/token=.{8}/, 'token=abcdefgh'), 'A')).toMatchObject(denied);
    expect(await put(`${api}/signed/part?token=x`, 'A')).toMatchObject(denied);
    expect((await put(`${api}/signed/part`, 'A')).statusCode).toBe(400);
    expect((await put(url.replace('signed/part', 'signed/put'), 'A')).statusCode).toBe(400);
    now += 24 * 3_600_000 + 1_000;
    expect((await put(url, 'A')).json()).toMatchObject({ error_code: 'PERMISSION_DENIED' });
  });

  test('gives URLs that lead to where the client found the server', async () => {
    const create = async (headers: Record<string, string>) => {
      const reply = await server.app.inject({
        method: 'POST',
        url: `${api}/mpu/create/${root}`,
        payload: { path: 'a', num_parts: 1 },
        headers,
      });
      return new URL(reply.json().credentials[0].url);
    };
    const plain = await create({ host: '127.0.0.1:4747' });
    expect(plain.href).toMatch(
      /^http:\/\/127\.0\.0\.1:4747\/api\/2\.0\/mlflow-artifacts\/signed\/part\?/,
    );
    const proxied = await create({ host: 'lineage.example.com', 'x-forwarded-proto': 'https' });
    expect(proxied.origin).toBe('https://lineage.example.com');
  });
});

describe('a presigned link', () => {
  test('downloads what was there when it was given, whole or in ranges', async () => {
    await server.put(`${root}/d/a.txt`, '0123456789');
    const { body } = await server.send('GET', `${api}/presigned/${root}/d/a.txt`);
    expect(body).toMatchObject({ headers: {}, file_size: 10 });
    const other = await server.post('artifacts/presigned-download-url', {
      run_id: run,
      path: 'd/a.txt',
    });
    expect(other.body.file_size).toBe(10);
    await server.put(`${root}/d/a.txt`, 'changed');
    for (const url of [body.url, other.body.presigned_url]) {
      expect((await get(url)).body).toBe('0123456789');
      const part = await get(url, { range: 'bytes=2-5' });
      expect(part).toMatchObject({ statusCode: 206, body: '2345' });
      expect(part.headers['content-disposition']).toBe('attachment; filename=a.txt');
    }
    now += 301_000;
    expect((await get(body.url)).statusCode).toBe(403);
  });

  test('uploads in the name of the one who asked for it', async () => {
    const { body } = await server.post('artifacts/presigned-upload-url', {
      run_id: run,
      path: 'plots/a.png',
    });
    expect(body.headers).toEqual({ 'Content-Type': 'image/png' });
    const reply = await put(body.presigned_url, 'picture');
    expect(reply.statusCode).toBe(200);
    expect(reply.headers['wherefrom-receipt']).toBeDefined();
    expect((await server.send('GET', `${api}/artifacts/${root}/plots/a.png`)).body).toBe('picture');
    now += 901_000;
    expect((await put(body.presigned_url, 'later')).statusCode).toBe(403);
  });

  test('of a logged model leads to its files', async () => {
    const { body } = await server.post('logged-models', { experiment_id: '0', name: 'm' });
    const { model_id, artifact_uri } = body.model.info;
    const link = await server.post('artifacts/presigned-upload-url', { model_id, path: 'MLmodel' });
    await put(link.body.presigned_url, 'flavors: {}');
    const files = artifact_uri.replace('mlflow-artifacts:/', '');
    expect((await server.send('GET', `${api}/artifacts/${files}/MLmodel`)).body).toBe(
      'flavors: {}',
    );
  });

  test('is refused in the words of MLflow', async () => {
    const upload = (body: object) => server.post('artifacts/presigned-upload-url', body);
    const download = (body: object) => server.post('artifacts/presigned-download-url', body);
    const invalid = (message: unknown) => refusal(400, 'INVALID_PARAMETER_VALUE', message);
    const one = 'Exactly one of run_id and model_id must be provided.';
    expect(await upload({ path: 'a' })).toMatchObject(invalid(one));
    expect(await upload({ path: 'a', run_id: run, model_id: 'm-1' })).toMatchObject(invalid(one));
    expect(await upload({ run_id: run, path: '../a' })).toMatchObject(invalid('Invalid path'));
    for (const expiration of [0, 604_801])
      expect(await download({ run_id: run, path: 'a', expiration })).toMatchObject(
        invalid(`expiration must be between 1 and 604800 seconds (got ${expiration}).`),
      );
    expect((await download({ run_id: run, path: 'a' })).status).toBe(404);
    expect((await download({ run_id: 'nobody', path: 'a' })).status).toBe(404);
    expect((await server.send('GET', `${api}/presigned/${root}/no`)).status).toBe(404);
    expect(await server.send('GET', `${api}/presigned/..%2fa`)).toMatchObject(
      invalid('Invalid path'),
    );
    await server.post('experiments/create', {
      name: 'away',
      artifact_location: 's3://elsewhere/x',
    });
    const away = await server.createRun({ experiment_id: '1' });
    const missing = (what: string) =>
      refusal(
        501,
        'NOT_IMPLEMENTED',
        `Presigned ${what} is not supported for the current artifact repository`,
      );
    expect(await upload({ run_id: away, path: 'a' })).toMatchObject(missing('upload'));
    expect(await download({ run_id: away, path: 'a' })).toMatchObject(missing('download'));
  });
});

test('the server says what it can do', async () => {
  const { body } = await server.send('GET', '/api/3.0/mlflow/server-info');
  expect(body).toMatchObject({
    multipart_uploads_enabled: true,
    // A link would lead here again: nothing is won by asking for one before each file.
    multipart_downloads_enabled: false,
    presigned_upload_run_id_supported: true,
    presigned_upload_model_id_supported: true,
  });
});
