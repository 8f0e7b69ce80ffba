import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sha256Hex } from '../../../base/digest.ts';
import { refusal, startMlflowServer } from '../../../testing/mlflow-server.ts';

let server: Awaited<ReturnType<typeof startMlflowServer>>;
let run: string;
let root: string;

beforeEach(async () => {
  server = await startMlflowServer();
  run = await server.createRun();
  root = `0/${run}/artifacts`;
});
afterEach(async () => {
  expect(await server.rebuild()).toEqual([]);
  await server.close();
});

const proxy = '/api/2.0/mlflow-artifacts/artifacts';
const paths = (files: { path: string }[] = []) => files.map(({ path }) => path);

describe('artifact files', () => {
  test('come back byte for byte, whatever their type says', async () => {
    const content = Buffer.from([0, 1, 2, 255, 10, 13]);
    const reply = await server.put(`${root}/deep/data.bin`, content);
    expect(reply).toMatchObject({ status: 200, body: '' });
    expect(reply.headers['wherefrom-receipt']).toBeDefined();
    const got = await server.app.inject({ method: 'GET', url: `${proxy}/${root}/deep/data.bin` });
    expect(got.rawPayload.equals(content)).toBe(true);
    expect(got.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-length': '6',
      'content-disposition': 'attachment; filename=data.bin',
      'x-content-type-options': 'nosniff',
    });
    const by = await server.app.inject({
      method: 'GET',
      url: `/get-artifact?run_id=${run}&path=deep/data.bin`,
    });
    expect(by.rawPayload.equals(content)).toBe(true);
  });

  test('are listed by name in the proxy and by path of the run', async () => {
    for (const path of ['b.txt', 'a.txt', 'd/x.txt', 'd/e/y.txt', 'd-1/z.txt'])
      await server.put(`${root}/${path}`, path);
    const listed = await server.send('GET', `${proxy}?path=${root}`);
    expect(listed.body.files).toEqual([
      { path: 'a.txt', is_dir: false, file_size: 5 },
      { path: 'b.txt', is_dir: false, file_size: 5 },
      { path: 'd', is_dir: true },
      { path: 'd-1', is_dir: true },
    ]);
    const ofRun = await server.call('GET', `artifacts/list?run_id=${run}&path=d`);
    expect(ofRun.body.root_uri).toBe(`mlflow-artifacts:/${root}`);
    expect(paths(ofRun.body.files)).toEqual(['d/e', 'd/x.txt']);
    expect((await server.call('GET', `artifacts/list?run_id=${run}&path=nothing`)).body).toEqual({
      root_uri: `mlflow-artifacts:/${root}`,
    });
  });

  test('are replaced, and removed with all below a directory', async () => {
    await server.put(`${root}/a.txt`, 'one');
    await server.put(`${root}/a.txt`, 'two');
    expect((await server.send('GET', `${proxy}/${root}/a.txt`)).body).toBe('two');
    expect((await server.put(`${root}/a.txt`, 'two')).headers['wherefrom-receipt']).toBeUndefined();
    await server.put(`${root}/d/e/f.txt`, 'x');
    await server.put(`${root}/d2/g.txt`, 'x');
    expect((await server.send('DELETE', `${proxy}/${root}/d`)).status).toBe(200);
    expect(paths((await server.send('GET', `${proxy}?path=${root}`)).body.files)).toEqual([
      'a.txt',
      'd2',
    ]);
    expect((await server.send('DELETE', `${proxy}/${root}/nothing`)).status).toBe(200);
  });

  test('that are not there, or are directories, are told apart', async () => {
    await server.put(`${root}/d/a.txt`, 'x');
    expect(await server.send('GET', `${proxy}/${root}/no.txt`)).toMatchObject(
      refusal(404, 'RESOURCE_DOES_NOT_EXIST', `No such artifact: '${root}/no.txt'`),
    );
    expect(await server.send('GET', `${proxy}/${root}/d`)).toMatchObject(
      refusal(400, 'INVALID_PARAMETER_VALUE', /directory, not a file/),
    );
  });

  test.each(['..%2f..%2fetc%2fpasswd', 'a%2f..%2f..%2fb', '%252e%252e%252fa', '%5c..%5ca', '%23a'])(
    'cannot be reached outside: %s',
    async (path) => {
      for (const method of ['PUT', 'GET', 'DELETE'] as const) {
        const reply = await server.send(
          method,
          `${proxy}/${path}`,
          method === 'PUT' ? 'x' : undefined,
        );
        expect(reply).toMatchObject(refusal(400, 'INVALID_PARAMETER_VALUE', 'Invalid path'));
      }
      expect((await server.send('GET', `${proxy}?path=${path}`)).status).toBe(400);
      expect((await server.call('GET', `artifacts/list?run_id=${run}&path=${path}`)).status).toBe(
        400,
      );
    },
  );

  test('are never a directory too, by whichever way and in whichever order they come', async () => {
    await server.put(`${root}/t.txt`, 'x');
    await server.put(`${root}/d/e/u.txt`, 'x');
    const multipart = async (path: string) => {
      const [, directory, name] = /^(.*)\/([^/]+)$/.exec(path) ?? [];
      const mpu = (verb: string, body: object) =>
        server.send('POST', `/api/2.0/mlflow-artifacts/mpu/${verb}/${directory}`, body);
      const { body } = await mpu('create', { path: name, num_parts: 1 });
      const [{ url }] = body.credentials;
      const part = await server.app.inject({
        method: 'PUT',
        url: new URL(url).pathname + new URL(url).search,
        payload: 'y',
      });
      const parts = [{ part_number: 1, etag: part.headers.etag, url }];
      return mpu('complete', { path: name, upload_id: body.upload_id, parts });
    };
    const presigned = async (path: string) => {
      const { body } = await server.post('artifacts/presigned-upload-url', {
        run_id: run,
        path: path.slice(root.length + 1),
      });
      const { pathname, search } = new URL(body.presigned_url);
      return server.send('PUT', pathname + search, 'y');
    };
    const fromPage = (path: string) =>
      server.send(
        'POST',
        `/ajax-api/2.0/mlflow/upload-artifact?run_uuid=${run}&path=${path.slice(root.length + 1)}`,
        'y',
      );
    for (const put of [(path: string) => server.put(path, 'y'), multipart, presigned, fromPage]) {
      expect(await put(`${root}/t.txt/v/w.txt`)).toMatchObject(
        refusal(400, 'INVALID_PARAMETER_VALUE', /below '.*\/t\.txt', which is a file/),
      );
      for (const directory of ['d', 'd/e'])
        expect(await put(`${root}/${directory}`)).toMatchObject(
          refusal(400, 'INVALID_PARAMETER_VALUE', /directory, not a file/),
        );
    }
    expect((await server.put(`${root}/t.txt.more`, 'x')).status).toBe(200);
    await server.send('DELETE', `${proxy}/${root}/t.txt`);
    expect((await server.put(`${root}/t.txt/u.txt`, 'x')).status).toBe(200);
  });

  test('with names of any alphabet are named in the download', async () => {
    await server.put(`${root}/${encodeURIComponent('bericht ä.txt')}`, 'x');
    const got = await server.app.inject({
      method: 'GET',
      url: `${proxy}/${root}/${encodeURIComponent('bericht ä.txt')}`,
    });
    expect(got.headers['content-disposition']).toBe(
      `attachment; filename="bericht a.txt"; filename*=UTF-8''bericht%20%C3%A4.txt`,
    );
  });

  test('of a run are part of the graph, by their content', async () => {
    await server.put(`${root}/plots/a.txt`, 'hello');
    const ref = `artifact:default/sha256:${sha256Hex('hello')}`;
    expect(await server.edges(ref)).toEqual([
      {
        from: `run:default/${run}`,
        to: ref,
        relation: 'produced',
        role: 'plots/a.txt',
        known: 'observed',
        rule: 'mlflow-artifacts',
      },
    ]);
    expect(await server.attributes(ref)).toEqual({
      digest: `sha256:${sha256Hex('hello')}`,
      bytes: 5,
      path: 'plots/a.txt',
    });
  });

  test('that nobody owns are kept all the same', async () => {
    expect((await server.put('loose/a.txt', 'x')).status).toBe(200);
    expect((await server.send('GET', `${proxy}/loose/a.txt`)).body).toBe('x');
  });

  test('of a model that a 2.x client logs say its flavors and environment', async () => {
    await server.put(`${root}/model/MLmodel`, 'flavors:\n  sklearn: {}\n');
    await server.put(`${root}/model/requirements.txt`, 'scikit-learn==1.9.1\n');
    const ref = `artifact:default/sha256:${sha256Hex('flavors:\n  sklearn: {}\n')}`;
    expect(await server.attributes(ref)).toMatchObject({
      flavors: ['sklearn'],
      path: 'model/MLmodel',
    });
    const used = (await server.edges(`run:default/${run}`)).filter(
      ({ relation }) => relation === 'used-by',
    );
    expect(used).toMatchObject([
      {
        from: expect.stringMatching(/^environment:default\/[0-9a-f]{32}$/),
        rule: 'mlflow.model.requirements',
      },
    ]);
  });

  describe('asked for in part', () => {
    const get = (path: string, headers: Record<string, string>, method: 'GET' | 'HEAD' = 'GET') =>
      server.app.inject({ method, url: `${proxy}/${root}/${path}`, headers });
    const etag = `"${sha256Hex('0123456789')}"`;
    beforeEach(() => server.put(`${root}/digits.txt`, '0123456789'));

    test.each([
      ['bytes=2-4', '234', 'bytes 2-4/10'],
      ['bytes=7-', '789', 'bytes 7-9/10'],
      ['bytes=-2', '89', 'bytes 8-9/10'],
      ['bytes=-99', '0123456789', 'bytes 0-9/10'],
      ['bytes=5-99', '56789', 'bytes 5-9/10'],
      ['bytes=0-0', '0', 'bytes 0-0/10'],
    ])('come as %s says', async (range, text, said) => {
      const reply = await get('digits.txt', { range });
      expect(reply).toMatchObject({ statusCode: 206, body: text });
      expect(reply.headers).toMatchObject({
        'content-range': said,
        'content-length': String(text.length),
      });
    });

    test.each(['bytes=4-2', 'bytes=0-1,3-4', 'lines=1-2', 'bytes=-', 'bytes=x-1'])(
      'come whole where %s cannot be understood',
      async (range) => {
        const reply = await get('digits.txt', { range });
        expect(reply).toMatchObject({ statusCode: 200, body: '0123456789' });
        expect(reply.headers).toMatchObject({ 'accept-ranges': 'bytes', etag });
      },
    );

    test('are refused where nothing is', async () => {
      for (const range of ['bytes=10-', 'bytes=10-20', 'bytes=-0']) {
        const reply = await get('digits.txt', { range });
        expect(reply.statusCode).toBe(416);
        expect(reply.headers['content-range']).toBe('bytes */10');
        expect(reply.json()).toMatchObject({ error_code: 'INVALID_PARAMETER_VALUE' });
      }
    });

    test('are not sent again to who has them, and whole to who has others', async () => {
      expect(await get('digits.txt', { 'if-none-match': `"x", W/${etag}` })).toMatchObject({
        statusCode: 304,
        body: '',
      });
      const others = { range: 'bytes=0-1', 'if-range': '"other"' };
      expect(await get('digits.txt', others)).toMatchObject({ statusCode: 200 });
      const same = { range: 'bytes=0-1', 'if-range': etag };
      expect(await get('digits.txt', same)).toMatchObject({ statusCode: 206, body: '01' });
    });

    test('are described without being read', async () => {
      const reply = await get('digits.txt', {}, 'HEAD');
      expect(reply).toMatchObject({ statusCode: 200, body: '' });
      expect(reply.headers).toMatchObject({ 'content-length': '10', 'content-type': 'text/plain' });
    });
  });

  test('of a model version and of a logged model come from where its files are', async () => {
    const { body } = await server.post('logged-models', { experiment_id: '0', name: 'm' });
    const { model_id: id, artifact_uri: uri } = body.model.info;
    const files = uri.replace('mlflow-artifacts:/', '');
    await server.put(`${files}/MLmodel`, 'flavors: {}');
    await server.put(`${files}/data/x.html`, '<p>');
    await server.put(`${root}/model/MLmodel`, 'of a run');
    await server.post('registered-models/create', { name: 'iris' });
    for (const more of [
      { source: `models:/${id}`, model_id: id },
      { source: `runs:/${run}/model`, run_id: run },
    ])
      await server.post('model-versions/create', { name: 'iris', ...more });
    const get = async (url: string) => {
      const reply = await server.app.inject({ method: 'GET', url });
      return [reply.statusCode, reply.body, reply.headers['content-type']];
    };
    const version = '/model-versions/get-artifact?name=iris';
    expect(await get(`${version}&version=1&path=MLmodel`)).toEqual([
      200,
      'flavors: {}',
      'text/plain',
    ]);
    expect(await get(`${version}&version=2&path=MLmodel`)).toEqual([200, 'of a run', 'text/plain']);
    expect((await get(`${version}&version=3&path=MLmodel`))[0]).toBe(404);
    expect((await get(`${version}&version=1&path=no`))[0]).toBe(404);
    expect((await get(`${version}&version=1&path=..%2f..%2fa`))[0]).toBe(400);
    expect((await get(`${version}&version=1`))[0]).toBe(400);
    const model = `/ajax-api/2.0/mlflow/logged-models/${id}/artifacts`;
    expect(await get(`${model}/files?artifact_file_path=data/x.html`)).toEqual([
      200,
      '<p>',
      'text/html',
    ]);
    expect((await get(`${model}/files`))[0]).toBe(400);
    expect((await get(`${model}/files?artifact_file_path=../x`))[0]).toBe(400);
    const listed = await server.send('GET', `${model}/directories?artifact_directory_path=data`);
    expect(listed.body).toEqual({
      root_uri: uri,
      files: [{ path: 'data/x.html', is_dir: false, file_size: 3 }],
    });
  });

  test('that a page of MLflow uploads go to the run, up to 10 MB', async () => {
    const at = (query: string, content: string | Buffer) =>
      server.app.inject({
        method: 'POST',
        url: `/ajax-api/2.0/mlflow/upload-artifact${query}`,
        payload: content,
        headers: { 'content-type': 'text/plain' },
      });
    expect(await at(`?run_uuid=${run}&path=notes/a.txt`, 'note')).toMatchObject({
      statusCode: 200,
      body: '',
    });
    expect((await server.send('GET', `${proxy}/${root}/notes/a.txt`)).body).toBe('note');
    const refused: [string, string | Buffer, string][] = [
      ['?path=a', 'x', 'Request must specify run_uuid.'],
      [`?run_uuid=${run}`, 'x', 'Request must specify path.'],
      [`?run_uuid=${run}&path=a`, '', 'Request must specify data.'],
      [`?run_uuid=${run}&path=..%2fa`, 'x', 'Invalid path'],
      [
        `?run_uuid=${run}&path=a`,
        Buffer.alloc(10 * 1024 * 1024 + 1),
        'Artifact size is too large. Max size is 10MB.',
      ],
    ];
    for (const [query, content, message] of refused) {
      const reply = await at(query, content);
      expect([reply.statusCode, reply.json().message]).toEqual([400, message]);
    }
    expect((await at('?run_uuid=nobody&path=a', 'x')).statusCode).toBe(404);
  });
});
