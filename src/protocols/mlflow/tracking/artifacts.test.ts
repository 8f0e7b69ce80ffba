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
      'content-disposition': 'attachment; filename="data.bin"',
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
});
