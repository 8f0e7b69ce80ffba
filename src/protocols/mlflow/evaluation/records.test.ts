import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startEvaluationServer, versionOf } from '../../../testing/evaluation-server.ts';

let server: Awaited<ReturnType<typeof startEvaluationServer>>;

beforeEach(async () => {
  server = await startEvaluationServer();
});

afterEach(async () => {
  expect(await server.rebuild()).toEqual([]);
  await server.close();
});

describe('records', () => {
  it('are merged by their inputs, whatever the order of keys', async () => {
    const { dataset_id: id } = await server.createDataset();
    const first = await server.upsert(id, [
      { inputs: { a: 1, b: 'x' }, expectations: { e: 1 }, tags: { t: '1' } },
      { inputs: { a: 2 }, outputs: null },
      { inputs: { a: 2 }, outputs: 'text' },
    ]);
    expect(first.body).toEqual({ inserted_count: 2, updated_count: 1 });
    const again = await server.upsert(id, [
      { inputs: { b: 'x', a: 1 }, expectations: { f: 2 }, tags: { t: '2' }, outputs: { o: 1 } },
    ]);
    expect(again.body).toEqual({ inserted_count: 0, updated_count: 1 });
    const records = await server.recordsOf(id);
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
    const { dataset_id: id } = await server.createDataset();
    const inputs = '{"one":1.0,"big":9007199254740993,"none":NaN}';
    await server.upsert(id, `[{"inputs":${inputs},"tags":{"mlflow.user":"Jane"}}]`);
    await server.upsert(id, `[{"inputs":${inputs},"expectations":{"low":-Infinity}}]`);
    const { body } = await server.call('GET', `datasets/${id}/records`);
    expect(body.records).toContain(inputs);
    expect(body.records).toContain('{"low":-Infinity}');
    const { dataset } = (await server.call('GET', `datasets/${id}`)).body;
    expect(JSON.parse(dataset.schema).inputs).toEqual({
      one: 'float',
      big: 'integer',
      none: 'float',
    });
  });

  it('give the dataset its schema, profile and digest', async () => {
    const made = await server.createDataset();
    const id = made.dataset_id;
    await server.upsert(id, [
      {
        inputs: { s: 'a', i: 1, f: 0.5, n: null, l: [], o: {}, t: true },
        outputs: 'x',
        expectations: { e: 1 },
      },
    ]);
    await server.upsert(id, [{ inputs: { s: 1, later: 'x' }, outputs: { o: 1 } }]);
    const { body } = await server.call('GET', `datasets/${id}`);
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
    const { dataset_id: id } = await server.createDataset();
    await server.upsert(id, [{ inputs: { a: 1 } }, { inputs: { a: 2 } }]);
    const { digest } = (await server.call('GET', `datasets/${id}`)).body.dataset;
    const [one, two] = (await server.recordsOf(id)).map(
      ({ dataset_record_id }) => dataset_record_id,
    );
    const gone = await server.call('DELETE', `datasets/${id}/records`, {
      dataset_record_ids: [one, 'dr-none'],
    });
    expect(gone.body).toEqual({ deleted_count: 1 });
    expect((await server.recordsOf(id)).map(({ dataset_record_id }) => dataset_record_id)).toEqual([
      two,
    ]);
    const after = (await server.call('GET', `datasets/${id}`)).body.dataset;
    expect(after.profile).toBe('{"num_records": 1}');
    expect(after.digest).not.toBe(digest);
  });

  it('come page by page', async () => {
    const { dataset_id: id } = await server.createDataset();
    await server.upsert(
      id,
      Array.from({ length: 5 }, (_, a) => ({ inputs: { a } })),
    );
    const seen: number[] = [];
    let token = '';
    do {
      const { body } = await server.call(
        'GET',
        `datasets/${id}/records?max_results=2&page_token=${encodeURIComponent(token)}`,
      );
      seen.push(
        ...JSON.parse(body.records).map(({ inputs }: { inputs: { a: number } }) => inputs.a),
      );
      token = body.next_page_token ?? '';
    } while (token !== '');
    expect(seen.sort()).toEqual([0, 1, 2, 3, 4]);
    expect((await server.call('GET', 'datasets/d-0/records')).body).toEqual({ records: '[]' });
  });

  it('keep persons in the vault alone', async () => {
    const { dataset_id: id } = await server.createDataset();
    await server.upsert(id, [
      {
        inputs: { a: 1 },
        tags: { 'mlflow.user': 'Jane Doe' },
        source: { source_type: 'human', source_data: { user_name: 'John "Q" Roe' } },
      },
    ]);
    expect(await server.recordsOf(id)).toMatchObject([
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
    const made = await server.createDataset();
    const id = made.dataset_id;
    await server.upsert(id, [{ inputs: { q: 'a' }, tags: { 'mlflow.user': 'Jane' } }]);
    const { digest } = (await server.call('GET', `datasets/${id}`)).body.dataset;
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
    const { dataset_id: id } = await server.createDataset();
    await server.upsert(id, [
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
    const { digest } = (await server.call('GET', `datasets/${id}`)).body.dataset;
    const sources = (await server.edges(versionOf(id, digest))).filter(
      ({ relation }) => relation === 'derived-into',
    );
    expect(sources).toMatchObject([
      { from: 'prediction:default/tr-1', role: 'trace', known: 'observed' },
      { from: 'dataset:s3:%2F%2Fdocs/a.md', role: 'document', known: 'observed' },
    ]);
  });

  it('a run that evaluates on it read the version that was there', async () => {
    const made = await server.createDataset();
    const id = made.dataset_id;
    await server.upsert(id, [{ inputs: { q: 1 } }]);
    const { digest } = (await server.call('GET', `datasets/${id}`)).body.dataset;
    const reads = async (told: string) => {
      const run_id = await server.createRun();
      const source = JSON.stringify({ dataset_id: id });
      const dataset = { name: 'golden', digest: told, source_type: 'mlflow_evaluation_dataset' };
      await server.post('runs/log-inputs', {
        run_id,
        datasets: [
          {
            dataset: { ...dataset, source },
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
    const { dataset_id: id } = await server.createDataset();
    await server.upsert(id, [{ inputs: { q: 1 } }]);
    expect((await server.call('DELETE', `datasets/${id}`)).body).toEqual({});
    expect((await server.call('GET', `datasets/${id}`)).status).toBe(404);
    expect((await server.call('GET', `datasets/${id}/records`)).body).toEqual({ records: '[]' });
    const drops = await server.store.read(async ({ lineage }) => {
      const node = await lineage.findNode(`dataset:mlflow:default/datasets/${id}`);
      return lineage.drops([node?.key ?? 0]);
    });
    expect(drops).toHaveLength(1);
  });
});
