import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Refused, startEvaluationServer } from '../../../testing/evaluation-server.ts';
import { refusal } from '../../../testing/mlflow-server.ts';

let server: Awaited<ReturnType<typeof startEvaluationServer>>;

beforeEach(async () => {
  server = await startEvaluationServer();
});

afterEach(async () => {
  expect(await server.rebuild()).toEqual([]);
  await server.close();
});

describe('evaluation datasets', () => {
  it('are made with tags and experiments, and found by id', async () => {
    const made = await server.createDataset({
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
    const { body } = await server.call('GET', `datasets/${made.dataset_id}`);
    expect(JSON.parse(body.dataset.tags)).toEqual({
      team: 'é',
      'mlflow.user': 'Jane "J" Doe',
      n: '1',
    });
    expect(body.dataset).not.toHaveProperty('experiment_ids');
    expect(body.dataset).not.toHaveProperty('schema');
    expect((await server.call('GET', `datasets/${made.dataset_id}/experiment-ids`)).body).toEqual({
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
    server.expectRefused(refusedDatasets));

  it('are searched by name, time, tag, person and experiment, page by page', async () => {
    const ids: string[] = [];
    for (const name of ['a', 'b', 'C_x']) {
      const tags = JSON.stringify({ 'mlflow.user': 'Jane', kind: name });
      const experiment_ids = name === 'b' ? ['0'] : [];
      ids.push((await server.createDataset({ name, tags, experiment_ids })).dataset_id);
    }
    const search = async (body: object): Promise<string[]> => {
      const answer = await server.call('POST', 'datasets/search', body);
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
    const first = await server.call('POST', 'datasets/search', { ...byName, max_results: 2 });
    expect(first.body.datasets).toHaveLength(2);
    const page = { ...byName, page_token: first.body.next_page_token };
    expect(await search(page)).toEqual(['b']);
    const query = `datasets/search?experiment_ids=0&order_by=name%20DESC&max_results=5`;
    expect((await server.call('GET', query)).body.datasets).toHaveLength(1);
  });

  it('take tags and experiments, and give them back', async () => {
    const { dataset_id: id } = await server.createDataset({ tags: '{"a":"1"}' });
    await server.call('PATCH', `datasets/${id}/tags`, { tags: '{"a":"2","b":"3","c":null}' });
    await server.call('DELETE', `datasets/${id}/tags/b`);
    expect((await server.call('DELETE', `datasets/${id}/tags/none`)).status).toBe(200);
    const { body } = await server.call('GET', `datasets/${id}`);
    expect(body.dataset.tags).toBe('{"a": "2"}');
    const added = await server.call('POST', `datasets/${id}/add-experiments`, {
      experiment_ids: ['0'],
    });
    expect(added.body.dataset).toMatchObject({ dataset_id: id });
    expect(
      await server.call('POST', `datasets/${id}/add-experiments`, { experiment_ids: ['77'] }),
    ).toMatchObject(refusal(404, 'RESOURCE_DOES_NOT_EXIST', 'No Experiment with id=77'));
    await server.call('POST', `datasets/${id}/remove-experiments`, { experiment_ids: ['0', '5'] });
    expect((await server.call('GET', `datasets/${id}/experiment-ids`)).body).toEqual({});
  });

  it('record nothing when nothing changes', async () => {
    const { dataset_id: id } = await server.createDataset({
      tags: '{"a":"1"}',
      experiment_ids: ['0'],
    });
    const records = [{ inputs: { q: 1 }, expectations: { a: 'b' }, tags: { 'mlflow.user': 'J' } }];
    expect((await server.upsert(id, records)).headers).toHaveProperty('wherefrom-receipt');
    const changes: (readonly ['POST' | 'PATCH' | 'DELETE', string, unknown])[] = [
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
      const answer = await server.call(method, path, body);
      expect({ path, status: answer.status }).toEqual({ path, status: 200 });
      expect(answer.headers).not.toHaveProperty('wherefrom-receipt');
    }
  });
});
