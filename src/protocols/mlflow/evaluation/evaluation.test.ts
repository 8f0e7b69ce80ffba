import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { refusal, startMlflowServer } from '../../../testing/mlflow-server.ts';

let server: Awaited<ReturnType<typeof startMlflowServer>>;

beforeEach(async () => {
  server = await startMlflowServer();
});

afterEach(async () => {
  expect(await server.rebuild()).toEqual([]);
  await server.close();
});

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

const call = (method: Method, path: string, body?: unknown) =>
  server.send(method, `/api/3.0/mlflow/${path}`, body);

async function createDataset(body: object = {}): Promise<{ dataset_id: string; digest: string }> {
  const answer = await call('POST', 'datasets/create', { name: 'golden', ...body });
  expect(answer.status).toBe(200);
  return answer.body.dataset;
}

const upsert = (id: string, records: unknown) =>
  call('POST', `datasets/${id}/records`, {
    records: typeof records === 'string' ? records : JSON.stringify(records),
  });

// biome-ignore lint/suspicious/noExplicitAny: the shape is what the test asserts
async function recordsOf(id: string): Promise<any[]> {
  const { body } = await call('GET', `datasets/${id}/records`);
  return JSON.parse(body.records);
}

type Refused = readonly [
  method: Method,
  path: string,
  body: unknown,
  status: number,
  message: string | RegExp,
];

async function expectRefused(cases: readonly Refused[]): Promise<void> {
  for (const [method, path, body, status, message] of cases) {
    const code = status === 404 ? 'RESOURCE_DOES_NOT_EXIST' : 'INVALID_PARAMETER_VALUE';
    const answer = await call(method, path, body);
    expect({ path, body, answer }).toMatchObject({
      answer: refusal(
        status,
        code,
        typeof message === 'string' ? message : expect.stringMatching(message),
      ),
    });
  }
}

const versionOf = (id: string, digest: string): string =>
  `datasetVersion:mlflow:default/datasets/${id}@mlflow-${digest}`;

describe('evaluation datasets', () => {
  it('are made with tags and experiments, and found by id', async () => {
    const made = await createDataset({
      experiment_ids: ['0'],
      tags: JSON.stringify({ team: 'é', 'mlflow.user': 'Jane "J" Doe', n: 1 }),
    });
    expect(made).toMatchObject({
      dataset_id: expect.stringMatching(/^d-[0-9a-f]{32}$/),
      name: 'golden',
      digest: expect.stringMatching(/^[0-9a-f]{8}$/),
      experiment_ids: ['0'],
      created_by: 'Jane "J" Doe',
    });
    const { body } = await call('GET', `datasets/${made.dataset_id}`);
    expect(JSON.parse(body.dataset.tags)).toEqual({
      team: 'é',
      'mlflow.user': 'Jane "J" Doe',
      n: '1',
    });
    expect(body.dataset).not.toHaveProperty('experiment_ids');
    expect(body.dataset).not.toHaveProperty('schema');
    expect((await call('GET', `datasets/${made.dataset_id}/experiment-ids`)).body).toEqual({
      experiment_ids: ['0'],
    });
    const row = await server.store.read(({ evaluation }) =>
      evaluation.findDataset('default', made.dataset_id),
    );
    expect(row?.createdBy).toMatch(/^person_/);
  });

  const refusedDatasets: Refused[] = [
    ['POST', 'datasets/create', {}, 400, /^Missing value for required parameter 'name'/],
    ['POST', 'datasets/create', { name: 'a', tags: '{' }, 400, /'tags' must be valid JSON/],
    ['POST', 'datasets/create', { name: 'a', tags: '[1]' }, 400, /'tags' must be a JSON object/],
    ['POST', 'datasets/create', { name: 'a', tags: '{"a":{}}' }, 400, /tag 'a' must be a string/],
    ['POST', 'datasets/create', { name: 'a', experiment_ids: 0 }, 400, /'experiment_ids'/],
    ['GET', 'datasets/d-0', undefined, 404, "Evaluation dataset with id 'd-0' not found"],
    [
      'PATCH',
      'datasets/d-0/tags',
      { tags: '{"a":"b"}' },
      404,
      'Could not find evaluation dataset with ID d-0',
    ],
    ['POST', 'datasets/d-0/records', { records: '[]' }, 404, /not found$/],
    ['POST', 'datasets/d-0/records', {}, 400, /^Missing value for required parameter 'records'/],
    ['POST', 'datasets/d-0/records', { records: '[{' }, 400, /'records' must be valid JSON/],
    ['POST', 'datasets/d-0/records', { records: '{}' }, 400, /'records' must be a JSON list/],
    ['POST', 'datasets/d-0/records', { records: '[1]' }, 400, 'Each record must be a dictionary'],
    ['POST', 'datasets/d-0/records', { records: '[{"inputs":null}]' }, 400, /inputs must be/],
    ['POST', 'datasets/d-0/records', { records: '[{"inputs":[]}]' }, 400, /'inputs' of a record/],
    [
      'POST',
      'datasets/d-0/records',
      { records: '[{"source":{"source_type":"X"}}]' },
      400,
      "Invalid dataset record source type: X. Valid source types: ['UNSPECIFIED', 'TRACE', 'HUMAN', 'DOCUMENT', 'CODE']",
    ],
    [
      'POST',
      'datasets/d-0/add-experiments',
      { experiment_ids: ['0'] },
      404,
      "Dataset 'd-0' not found",
    ],
    ['POST', 'datasets/search', { max_results: -1 }, 400, /^Invalid value -1/],
    ['POST', 'datasets/search', { filter_string: "x = 'a'" }, 400, /^Invalid attribute key 'x'/],
    ['POST', 'datasets/search', { filter_string: "name > 'a'" }, 400, /comparator/],
    ['POST', 'datasets/search', { filter_string: 'created_time = 1.5' }, 400, /created_time/],
    ['POST', 'datasets/search', { order_by: ['created_by'] }, 400, /created_by/],
    ['POST', 'datasets/search', { page_token: '!' }, 400, /page token/],
    ['GET', 'datasets/d-0/records?page_token=no', undefined, 400, /page token/],
  ];

  it('are refused in words of MLflow when what is sent is bad', () =>
    expectRefused(refusedDatasets));

  it('are searched by name, time, tag, person and experiment, page by page', async () => {
    const ids: string[] = [];
    for (const name of ['a', 'b', 'C_x']) {
      const tags = JSON.stringify({ 'mlflow.user': 'Jane', kind: name });
      const experiment_ids = name === 'b' ? ['0'] : [];
      ids.push((await createDataset({ name, tags, experiment_ids })).dataset_id);
    }
    const search = async (body: object): Promise<string[]> => {
      const answer = await call('POST', 'datasets/search', body);
      expect({ ...body, status: answer.status }).toMatchObject({ status: 200 });
      return (answer.body.datasets ?? []).map(({ name }: { name: string }) => name);
    };
    const byName = { order_by: ['name ASC'] };
    expect(await search({ ...byName })).toEqual(['C_x', 'a', 'b']);
    expect(await search({ experiment_ids: ['0'] })).toEqual(['b']);
    expect(await search({ experiment_ids: ['7'] })).toEqual([]);
    expect(await search({ ...byName, filter_string: "name IN ('a', 'b')" })).toEqual(['a', 'b']);
    expect(await search({ filter_string: "name LIKE 'c%'" })).toEqual([]);
    expect(await search({ filter_string: "name ILIKE 'c%'" })).toEqual(['C_x']);
    expect(await search({ filter_string: "tags.kind = 'a' AND created_time > 0" })).toEqual(['a']);
    expect(await search({ filter_string: "tags.none != 'a'" })).toEqual([]);
    expect(await search({ filter_string: "created_by = 'Jane' AND name = 'b'" })).toEqual(['b']);
    expect(await search({ filter_string: "created_by = 'John'" })).toEqual([]);
    const first = await call('POST', 'datasets/search', { ...byName, max_results: 2 });
    expect(first.body.datasets).toHaveLength(2);
    const page = { ...byName, page_token: first.body.next_page_token };
    expect(await search(page)).toEqual(['b']);
    const query = `datasets/search?experiment_ids=0&order_by=name%20DESC&max_results=5`;
    expect((await call('GET', query)).body.datasets).toHaveLength(1);
  });

  it('take tags and experiments, and give them back', async () => {
    const { dataset_id: id } = await createDataset({ tags: '{"a":"1"}' });
    await call('PATCH', `datasets/${id}/tags`, { tags: '{"a":"2","b":"3","c":null}' });
    await call('DELETE', `datasets/${id}/tags/b`);
    expect((await call('DELETE', `datasets/${id}/tags/none`)).status).toBe(200);
    const { body } = await call('GET', `datasets/${id}`);
    expect(body.dataset.tags).toBe('{"a": "2"}');
    const added = await call('POST', `datasets/${id}/add-experiments`, { experiment_ids: ['0'] });
    expect(added.body.dataset).toMatchObject({ dataset_id: id });
    expect(
      await call('POST', `datasets/${id}/add-experiments`, { experiment_ids: ['77'] }),
    ).toMatchObject(refusal(404, 'RESOURCE_DOES_NOT_EXIST', 'No Experiment with id=77'));
    await call('POST', `datasets/${id}/remove-experiments`, { experiment_ids: ['0', '5'] });
    expect((await call('GET', `datasets/${id}/experiment-ids`)).body).toEqual({});
  });

  it('record nothing when nothing changes', async () => {
    const { dataset_id: id } = await createDataset({ tags: '{"a":"1"}', experiment_ids: ['0'] });
    const records = [{ inputs: { q: 1 }, expectations: { a: 'b' }, tags: { 'mlflow.user': 'J' } }];
    expect((await upsert(id, records)).headers).toHaveProperty('wherefrom-receipt');
    const changes: [Method, string, unknown][] = [
      ['PATCH', `datasets/${id}/tags`, { tags: '{"a":"1"}' }],
      ['DELETE', `datasets/${id}/tags/none`, undefined],
      ['POST', `datasets/${id}/add-experiments`, { experiment_ids: ['0'] }],
      ['POST', `datasets/${id}/remove-experiments`, { experiment_ids: ['9'] }],
      ['POST', `datasets/${id}/records`, { records: JSON.stringify(records) }],
      ['POST', `datasets/${id}/records`, { records: '[]' }],
      ['DELETE', `datasets/${id}/records`, { dataset_record_ids: ['dr-0'] }],
      ['DELETE', 'datasets/d-0', undefined],
    ];
    for (const [method, path, body] of changes) {
      const answer = await call(method, path, body);
      expect({ path, status: answer.status }).toEqual({ path, status: 200 });
      expect(answer.headers).not.toHaveProperty('wherefrom-receipt');
    }
  });
});

describe('records', () => {
  it('are merged by their inputs, whatever the order of keys', async () => {
    const { dataset_id: id } = await createDataset();
    const first = await upsert(id, [
      { inputs: { a: 1, b: 'x' }, expectations: { e: 1 }, tags: { t: '1' } },
      { inputs: { a: 2 }, outputs: null },
      { inputs: { a: 2 }, outputs: 'text' },
    ]);
    expect(first.body).toEqual({ inserted_count: 2, updated_count: 1 });
    const again = await upsert(id, [
      { inputs: { b: 'x', a: 1 }, expectations: { f: 2 }, tags: { t: '2' }, outputs: { o: 1 } },
    ]);
    expect(again.body).toEqual({ inserted_count: 0, updated_count: 1 });
    const records = await recordsOf(id);
    expect(records).toHaveLength(2);
    expect(records.find(({ inputs }) => inputs.a === 1)).toMatchObject({
      dataset_record_id: expect.stringMatching(/^dr-[0-9a-f]{32}$/),
      dataset_id: id,
      expectations: { e: 1, f: 2 },
      tags: { t: '2' },
      outputs: { o: 1 },
    });
    expect(records.find(({ inputs }) => inputs.a === 2)).toMatchObject({
      outputs: 'text',
      tags: {},
    });
  });

  it('keep numbers as they were written', async () => {
    const { dataset_id: id } = await createDataset();
    await upsert(id, '[{"inputs":{"one":1.0,"big":9007199254740993}}]');
    const { body } = await call('GET', `datasets/${id}/records`);
    expect(body.records).toContain('{"one":1.0,"big":9007199254740993}');
  });

  it('give the dataset its schema, profile and digest', async () => {
    const made = await createDataset();
    const id = made.dataset_id;
    await upsert(id, [
      {
        inputs: { s: 'a', i: 1, f: 0.5, n: null, l: [], o: {}, t: true },
        outputs: 'x',
        expectations: { e: 1 },
      },
    ]);
    await upsert(id, [{ inputs: { s: 1, later: 'x' }, outputs: { o: 1 } }]);
    const { body } = await call('GET', `datasets/${id}`);
    expect(JSON.parse(body.dataset.schema)).toEqual({
      inputs: {
        s: 'string',
        i: 'integer',
        f: 'float',
        n: 'null',
        l: 'array',
        o: 'object',
        t: 'boolean',
        later: 'string',
      },
      outputs: 'string',
      expectations: { e: 'integer' },
      version: '1.0',
    });
    expect(body.dataset.profile).toBe('{"num_records": 2}');
    expect(body.dataset.digest).not.toBe(made.digest);
  });

  it('are deleted by id, and the dataset gets another digest', async () => {
    const { dataset_id: id } = await createDataset();
    await upsert(id, [{ inputs: { a: 1 } }, { inputs: { a: 2 } }]);
    const { digest } = (await call('GET', `datasets/${id}`)).body.dataset;
    const [one, two] = (await recordsOf(id)).map(({ dataset_record_id }) => dataset_record_id);
    const gone = await call('DELETE', `datasets/${id}/records`, {
      dataset_record_ids: [one, 'dr-none'],
    });
    expect(gone.body).toEqual({ deleted_count: 1 });
    expect((await recordsOf(id)).map(({ dataset_record_id }) => dataset_record_id)).toEqual([two]);
    const after = (await call('GET', `datasets/${id}`)).body.dataset;
    expect(after.profile).toBe('{"num_records": 1}');
    expect(after.digest).not.toBe(digest);
  });

  it('come page by page', async () => {
    const { dataset_id: id } = await createDataset();
    await upsert(
      id,
      Array.from({ length: 5 }, (_, a) => ({ inputs: { a } })),
    );
    const seen: number[] = [];
    let token = '';
    do {
      const { body } = await call(
        'GET',
        `datasets/${id}/records?max_results=2&page_token=${encodeURIComponent(token)}`,
      );
      seen.push(
        ...JSON.parse(body.records).map(({ inputs }: { inputs: { a: number } }) => inputs.a),
      );
      token = body.next_page_token ?? '';
    } while (token !== '');
    expect(seen.sort()).toEqual([0, 1, 2, 3, 4]);
    expect((await call('GET', 'datasets/d-0/records')).body).toEqual({ records: '[]' });
  });

  it('keep persons in the vault alone', async () => {
    const { dataset_id: id } = await createDataset();
    await upsert(id, [
      {
        inputs: { a: 1 },
        tags: { 'mlflow.user': 'Jane Doe' },
        source: { source_type: 'human', source_data: { user_name: 'John "Q" Roe' } },
      },
    ]);
    expect(await recordsOf(id)).toMatchObject([
      {
        created_by: 'Jane Doe',
        tags: { 'mlflow.user': 'Jane Doe' },
        source: { source_type: 'HUMAN', source_data: { user_name: 'John "Q" Roe' } },
        source_type: 'HUMAN',
      },
    ]);
    const dataset = await server.store.read(({ evaluation }) =>
      evaluation.findDataset('default', id),
    );
    const rows = await server.store.read(({ evaluation }) =>
      evaluation.listRecords(dataset?.key ?? 0, { limit: 5 }),
    );
    expect(JSON.stringify(rows)).not.toMatch(/Jane|John/);
  });
});

describe('the lineage of an evaluation dataset', () => {
  it('has a version for each state, which goes on from the one before', async () => {
    const made = await createDataset();
    const id = made.dataset_id;
    await upsert(id, [{ inputs: { q: 'a' }, tags: { 'mlflow.user': 'Jane' } }]);
    const { digest } = (await call('GET', `datasets/${id}`)).body.dataset;
    const version = versionOf(id, digest);
    expect(await server.edges(version)).toContainEqual(
      expect.objectContaining({ from: versionOf(id, made.digest), relation: 'continued-as' }),
    );
    expect(await server.attributes(version)).toMatchObject({
      name: 'golden',
      records: 1,
      schema: [{ name: 'inputs.q', type: 'string' }],
    });
    expect(await server.edges(`dataset:mlflow:default/datasets/${id}`)).toContainEqual(
      expect.objectContaining({ from: expect.stringMatching(/^agent:/), relation: 'did' }),
    );
  });

  it('comes from traces and documents', async () => {
    const { dataset_id: id } = await createDataset();
    await upsert(id, [
      {
        inputs: { q: 1 },
        source: { source_type: 'TRACE', source_data: { trace_id: 'tr-1' } },
      },
      {
        inputs: { q: 2 },
        source: { source_type: 'DOCUMENT', source_data: { doc_uri: 's3://docs/a.md' } },
      },
      { inputs: { q: 3 }, source: { source_type: 'CODE', source_data: {} } },
    ]);
    const { digest } = (await call('GET', `datasets/${id}`)).body.dataset;
    const sources = (await server.edges(versionOf(id, digest))).filter(
      ({ relation }) => relation === 'derived-into',
    );
    expect(sources).toMatchObject([
      { from: 'prediction:default/tr-1', role: 'trace', known: 'observed' },
      { from: 'dataset:s3:%2F%2Fdocs/a.md', role: 'document', known: 'observed' },
    ]);
  });

  it('a run that evaluates on it read the version that was there', async () => {
    const made = await createDataset();
    const id = made.dataset_id;
    await upsert(id, [{ inputs: { q: 1 } }]);
    const { digest } = (await call('GET', `datasets/${id}`)).body.dataset;
    const reads = async (told: string) => {
      const run_id = await server.createRun();
      const source = JSON.stringify({ dataset_id: id });
      const dataset = { name: 'golden', digest: told, source_type: 'mlflow_evaluation_dataset' };
      await server.post('runs/log-inputs', {
        run_id,
        datasets: [
          {
            dataset: { ...dataset, source },
            tags: [{ key: 'mlflow.data.context', value: 'eval' }],
          },
        ],
      });
      return server.store.read(async ({ lineage }) => {
        const run = await lineage.findNode(`run:default/${run_id}`);
        const [use] = await lineage.usesOfRuns([run?.key ?? 0]);
        const [version] = await lineage.nodes([use?.version ?? 0]);
        return { ref: version?.ref, known: use?.known, role: use?.role };
      });
    };
    expect(await reads(digest)).toEqual({
      ref: versionOf(id, digest),
      known: 'observed',
      role: 'evaluation',
    });
    // The client's copy is older than the records that it reads.
    expect(await reads(made.digest)).toMatchObject({
      ref: versionOf(id, digest),
      known: 'inferred',
    });
  });

  it('stays as a tombstone when the dataset is deleted', async () => {
    const { dataset_id: id } = await createDataset();
    await upsert(id, [{ inputs: { q: 1 } }]);
    expect((await call('DELETE', `datasets/${id}`)).body).toEqual({});
    expect((await call('GET', `datasets/${id}`)).status).toBe(404);
    expect((await call('GET', `datasets/${id}/records`)).body).toEqual({ records: '[]' });
    const drops = await server.store.read(async ({ lineage }) => {
      const node = await lineage.findNode(`dataset:mlflow:default/datasets/${id}`);
      return lineage.drops([node?.key ?? 0]);
    });
    expect(drops).toHaveLength(1);
  });
});

describe('scorers', () => {
  const scorer = (instructions: string, model = 'openai:/gpt-4') =>
    JSON.stringify({ name: 's', instructions_judge_pydantic_data: { instructions, model } });
  const register = (name: string, serialized_scorer: string, experiment_id = '0') =>
    call('POST', 'scorers/register', { experiment_id, name, serialized_scorer });

  it('are registered in versions, listed, got and deleted', async () => {
    const first = await register('quality', scorer('a'));
    expect(first.body).toMatchObject({
      version: 1,
      experiment_id: '0',
      name: 'quality',
      scorer_id: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
      serialized_scorer: scorer('a'),
    });
    expect((await register('quality', scorer('b'))).body).toMatchObject({
      version: 2,
      scorer_id: first.body.scorer_id,
    });
    await register('another', scorer('c'));
    const listed = await call('GET', 'scorers/list?experiment_id=0');
    expect(listed.body.scorers).toMatchObject([
      { scorer_name: 'another', scorer_version: 1, experiment_id: 0 },
      { scorer_name: 'quality', scorer_version: 2 },
    ]);
    expect((await call('GET', 'scorers/list?experiment_ids=0')).body.scorers).toHaveLength(2);
    expect((await call('GET', 'scorers/list')).body.scorers).toHaveLength(2);
    const versions = await call('GET', 'scorers/versions?experiment_id=0&name=quality');
    expect(versions.body.scorers).toMatchObject([{ scorer_version: 1 }, { scorer_version: 2 }]);
    const one = await call('GET', 'scorers/get?experiment_id=0&name=quality&version=1');
    expect(one.body.scorer).toMatchObject({ scorer_version: 1, serialized_scorer: scorer('a') });
    await call('DELETE', 'scorers/delete', { experiment_id: '0', name: 'quality', version: 2 });
    const newest = await call('GET', 'scorers/get?experiment_id=0&name=quality');
    expect(newest.body.scorer).toMatchObject({ scorer_version: 1 });
    expect((await register('quality', scorer('d'))).body).toMatchObject({ version: 3 });
    await call('DELETE', 'scorers/delete', { experiment_id: '0', name: 'quality' });
    expect((await register('quality', scorer('e'))).body).toMatchObject({ version: 1 });
  });

  it('are code in the graph', async () => {
    const { body } = await register('quality', scorer('a'));
    expect(await server.attributes(`code:default/scorer/${body.scorer_id}@1`)).toMatchObject({
      name: 'quality',
      type: 'scorer',
      model: 'openai:/gpt-4',
      digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
    });
  });

  it('are configured to run on traces only when their model is a gateway', async () => {
    const { body } = await register('quality', scorer('a'));
    const named = { experiment_id: '0', name: 'quality' };
    expect(
      await call('PUT', 'scorers/online-config', { ...named, sample_rate: 0.5 }),
    ).toMatchObject(
      refusal(
        400,
        'INVALID_PARAMETER_VALUE',
        expect.stringMatching('does not use a gateway model'),
      ),
    );
    const off = await call('PUT', 'scorers/online-config', { ...named, sample_rate: 0 });
    expect(off.body.config).toMatchObject({ scorer_id: body.scorer_id, sample_rate: 0 });
    const { body: all } = await call('GET', `scorers/online-configs?scorer_ids=${body.scorer_id}`);
    expect(all.configs).toEqual([off.body.config]);
  });

  const refusedScorers: Refused[] = [
    ['POST', 'scorers/register', { name: 'a', serialized_scorer: '{}' }, 400, /'experiment_id'/],
    [
      'POST',
      'scorers/register',
      { experiment_id: '0', name: 'a', serialized_scorer: '{' },
      400,
      'serialized_scorer must be valid JSON',
    ],
    [
      'POST',
      'scorers/register',
      { experiment_id: '0', name: ' ', serialized_scorer: '{}' },
      400,
      'Scorer name cannot be empty or contain only whitespace.',
    ],
    [
      'POST',
      'scorers/register',
      { experiment_id: '0', name: 'a', serialized_scorer: '{"a":[{"call_source":"import os"}]}' },
      400,
      /^Custom scorer registration/,
    ],
    [
      'POST',
      'scorers/register',
      { experiment_id: '9', name: 'a', serialized_scorer: '{}' },
      404,
      'No Experiment with id=9 exists',
    ],
    [
      'GET',
      'scorers/get?experiment_id=0&name=none',
      undefined,
      404,
      "Scorer with name 'none' not found for experiment 0.",
    ],
    ['GET', 'scorers/get?experiment_id=0&name=a&version=x', undefined, 400, /'version'/],
    ['GET', 'scorers/list?experiment_id=0&experiment_ids=0', undefined, 400, /Cannot specify both/],
    [
      'DELETE',
      'scorers/delete',
      { experiment_id: '0', name: 'none', version: 3 },
      404,
      "Scorer with name 'none' not found for experiment 0.",
    ],
    [
      'PUT',
      'scorers/online-config',
      { experiment_id: '0', name: 'a', sample_rate: 2 },
      400,
      'sample_rate must be between 0.0 and 1.0, got 2',
    ],
    ['GET', 'scorers/online-configs', undefined, 400, /'scorer_ids'/],
  ];

  it('are refused in words of MLflow when what is sent is bad', () =>
    expectRefused(refusedScorers));
});
