import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startImportServer } from '../../../testing/mlflow-import.ts';
import type { ImportReport } from './report.ts';

type Imports = Awaited<ReturnType<typeof startImportServer>>;

let imports: Imports;
const run = 'a'.repeat(32);
const trace = `tr-${'b'.repeat(32)}`;

beforeEach(async () => {
  imports = await startImportServer();
});
afterEach(() => imports.close());

const experiment = (id: number, name: string, workspace = 'default'): string =>
  `INSERT INTO experiments (experiment_id, name, artifact_location, lifecycle_stage, creation_time, last_update_time, workspace)
   VALUES (${id}, '${name}', 's3://b/${id}', 'active', 1000, 2000, '${workspace}');`;
const runRow = `INSERT INTO runs (run_uuid, name, user_id, experiment_id, artifact_uri, status, start_time, lifecycle_stage)
   VALUES ('${run}', 'first', 'ada', 1, 's3://b/1/${run}', 'RUNNING', 5000, 'active');
   INSERT INTO tags (run_uuid, key, value) VALUES ('${run}', 'team', 'old'), ('${run}', 'gone', 'x');`;
const issue = (id: string, of = 1): string =>
  `INSERT INTO issues (issue_id, experiment_id, name, description, status, severity, root_causes, categories, created_timestamp, last_updated_timestamp, created_by)
   VALUES ('${id}', ${of}, 'rude', 'd', 'pending', 'high', '["prompt"]', NULL, 10, 20, 'ada');`;
const traceRow = `INSERT INTO trace_info (request_id, experiment_id, timestamp_ms, execution_time_ms, status) VALUES ('${trace}', 1, 1000, 5, 'OK');`;
const review = `${issue('iss-1')}${traceRow}
  INSERT INTO label_schemas (schema_id, experiment_id, name, type, instruction, enable_comment, input_type, input_config, created_time, last_update_time, is_default)
    VALUES ('ls-d', 1, 'Feedback', 'feedback', NULL, 0, 'text', '{"max_length": null}', 5, 5, 1),
           ('ls-1', 1, 'correct', 'expectation', 'Look.', 1, 'numeric', '{"min_value": 0.0, "max_value": null}', 11, 21, 0);
  INSERT INTO review_queues (queue_id, experiment_id, name, name_key, queue_type, created_by, creation_time_ms, last_update_time_ms)
    VALUES ('rq-1', 1, 'Weekly', 'weekly', 'custom', 'ada', 12, 22), ('rq-2', 1, 'bob', 'bob', 'user', NULL, 13, 13);
  INSERT INTO review_queue_users (queue_id, user_id) VALUES ('rq-1', 'bob'), ('rq-2', 'bob');
  INSERT INTO review_queue_label_schemas (queue_id, schema_id) VALUES ('rq-1', 'ls-d'), ('rq-1', 'ls-1');
  INSERT INTO review_queue_items (queue_id, item_type, item_id, status, completed_by, completed_time_ms, creation_time_ms, last_update_time_ms)
    VALUES ('rq-1', 'trace', '${trace}', 'complete', 'bob', 40, 30, 40), ('rq-1', 'trace', 'tr-unknown', 'pending', NULL, NULL, 30, 30);`;

const v3 = (method: 'GET' | 'POST' | 'PATCH', path: string, body?: object) =>
  imports.server.send(method, `/api/3.0/mlflow/${path}`, body);

const nonZero = (counts: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));

async function again(): Promise<ImportReport> {
  const report = await imports.importAll();
  expect(report.troubles).toEqual([]);
  return report;
}

describe('issues, label schemas and review queues', () => {
  test('come with their ids, times, persons and what became of their traces', async () => {
    imports.makeDatabase('3.17.2', experiment(1, 'a') + review);
    const report = await again();
    expect(nonZero(report.brought)).toMatchObject({ issues: 1, 'label schemas': 1 });
    expect(report.brought).toMatchObject({ 'review queues': 2, 'review items': 2 });
    expect(report.left).toEqual([]);
    expect((await v3('GET', 'issues/iss-1')).body.issue).toEqual({
      ...{ issue_id: 'iss-1', experiment_id: '1', name: 'rude', description: 'd' },
      ...{ status: 'pending', severity: 'high', root_causes: ['prompt'], created_by: 'ada' },
      ...{ created_timestamp: 10, last_updated_timestamp: 20 },
    });
    const schemas = (await v3('GET', 'label-schemas/list?experiment_id=1')).body.label_schemas;
    expect(schemas).toMatchObject([
      {
        ...{ schema_id: 'ls-1', name: 'correct', type: 'EXPECTATION', instruction: 'Look.' },
        ...{ enable_comment: true, input: { numeric: { min_value: 0 } } },
        ...{ created_at: 11, last_updated_at: 21 },
      },
      { schema_id: 'ls-default-1', is_default: true },
    ]);
    expect((await v3('GET', 'review-queues/get?queue_id=rq-1')).body.review_queue).toEqual({
      ...{ queue_id: 'rq-1', experiment_id: '1', name: 'Weekly', queue_type: 'CUSTOM' },
      ...{ created_by: 'ada', users: ['bob'], schema_ids: ['ls-1', 'ls-default-1'] },
      ...{ creation_time_ms: 12, last_update_time_ms: 22 },
    });
    const own = 'review-queues/get-by-name?experiment_id=1&name=Bob';
    expect((await v3('GET', own)).body.review_queue.queue_id).toBe('rq-2');
    const { items } = (await v3('GET', 'review-queues/items/list?queue_id=rq-1')).body;
    expect(items).toEqual([
      {
        ...{ queue_id: 'rq-1', item_type: 'TRACE', item_id: trace, status: 'COMPLETE' },
        ...{ completed_by: 'bob', completed_time_ms: 40 },
        ...{ creation_time_ms: 30, last_update_time_ms: 40 },
      },
    ]);
    expect(await imports.server.rebuild()).toEqual([]);
  });

  test('get what changed at the source, and keep what was changed here', async () => {
    imports.makeDatabase('3.17.2', experiment(1, 'a') + review + issue('iss-2'));
    await again();
    const size = await imports.entries();
    expect(nonZero((await again()).changed)).toEqual({});
    expect(await imports.entries()).toBe(size);
    await v3('PATCH', 'issues/iss-2', { issue_id: 'iss-2', status: 'rejected' });
    imports.change(`UPDATE issues SET status = 'resolved', name = 'ruder', last_updated_timestamp = 99;
      UPDATE label_schemas SET name = 'right', last_update_time = 98 WHERE schema_id = 'ls-1';
      UPDATE review_queues SET name = 'Monthly', name_key = 'monthly', last_update_time_ms = 97 WHERE queue_id = 'rq-1';
      UPDATE review_queue_items SET status = 'pending', completed_by = NULL, completed_time_ms = NULL, last_update_time_ms = 96;`);
    const report = await again();
    expect(nonZero(report.changed)).toMatchObject({ issues: 2, 'label schemas': 1 });
    expect(report.differences).toEqual([{ what: 'issue iss-2', fields: ['status'] }]);
    expect((await v3('GET', 'issues/iss-1')).body.issue).toMatchObject({
      ...{ status: 'resolved', name: 'ruder', last_updated_timestamp: 99 },
    });
    expect((await v3('GET', 'issues/iss-2')).body.issue).toMatchObject({
      ...{ status: 'rejected', name: 'ruder' },
    });
    const schema = await v3('GET', 'label-schemas/get?schema_id=ls-1');
    expect(schema.body.label_schema).toMatchObject({ name: 'right', last_updated_at: 98 });
    const queue = await v3('GET', 'review-queues/get?queue_id=rq-1');
    expect(queue.body.review_queue).toMatchObject({ name: 'Monthly', last_update_time_ms: 97 });
    const { items } = (await v3('GET', 'review-queues/items/list?queue_id=rq-1')).body;
    expect(items).toMatchObject([{ status: 'PENDING', last_update_time_ms: 96 }]);
    imports.change('DELETE FROM review_queue_items');
    expect((await again()).changed['review queues']).toBe(1);
    expect((await v3('GET', 'review-queues/items/list?queue_id=rq-1')).body.items).toBeUndefined();
    expect(await imports.server.rebuild()).toEqual([]);
  });

  test('stay deleted when they were deleted here', async () => {
    imports.makeDatabase('3.17.2', experiment(1, 'a') + review);
    await again();
    await v3('POST', 'review-queues/delete', { queue_id: 'rq-1' });
    const size = await imports.entries();
    const report = await again();
    expect(report.notes).toContain('The review queue rq-1 was deleted here since it was brought.');
    expect(await imports.entries()).toBe(size);
  });

  test('are refused where another workspace has them, or another one their name', async () => {
    imports.makeDatabase('3.17.2', experiment(1, 'a') + review);
    await again();
    await imports.target().accept([{ import: 'workspace', body: { name: 'copy' } }]);
    const copy = await imports.importAll(imports.target('copy'));
    expect(copy.troubles).toEqual(
      expect.arrayContaining([
        { what: 'issue iss-1', reason: 'iss-1 is in another workspace here.' },
        { what: 'review queue rq-1', reason: 'rq-1 is in another workspace here.' },
      ]),
    );
    imports.change(`UPDATE label_schemas SET schema_id = 'ls-2' WHERE schema_id = 'ls-1';
      UPDATE review_queue_label_schemas SET schema_id = 'ls-2' WHERE schema_id = 'ls-1';`);
    const report = await imports.importAll();
    expect(report.troubles).toEqual([
      { what: 'label schema ls-2', reason: 'Another label schema correct is here.' },
    ]);
  });
});

describe('a source that went on', () => {
  test('gives its runs, experiments, versions and aliases as they are now', async () => {
    const version = (number: number): string =>
      `INSERT INTO model_versions (name, version, creation_time, last_updated_time, current_stage, source, workspace) VALUES ('m', ${number}, ${number}, ${number}, 'None', 's3://b', 'default');`;
    imports.makeDatabase(
      '3.17.2',
      `${experiment(1, 'a')}${experiment(2, 'b')}${runRow}
       INSERT INTO registered_models (name, creation_time, last_updated_time, workspace) VALUES ('m', 1, 1, 'default');
       ${version(1)}${version(2)}
       INSERT INTO registered_model_aliases (name, alias, version, workspace) VALUES ('m', 'champion', 1, 'default'), ('m', 'old', 1, 'default');`,
    );
    await again();
    imports.change(`UPDATE runs SET status = 'FAILED', end_time = 9000, name = 'second', lifecycle_stage = 'deleted', deleted_time = 9500;
      UPDATE tags SET value = 'new' WHERE key = 'team'; DELETE FROM tags WHERE key = 'gone';
      UPDATE experiments SET name = 'renamed' WHERE experiment_id = 1;
      UPDATE experiments SET lifecycle_stage = 'deleted' WHERE experiment_id = 2;
      UPDATE model_versions SET current_stage = 'Production', description = 'd' WHERE version = 1;
      UPDATE model_versions SET current_stage = 'Deleted_Internal' WHERE version = 2;
      UPDATE registered_model_aliases SET alias = 'new' WHERE alias = 'old';`);
    const report = await again();
    expect(nonZero(report.changed)).toEqual({
      ...{ experiments: 2, runs: 1, 'model versions': 2, aliases: 1 },
    });
    expect(report.differences).toEqual([]);
    const { body } = await imports.server.call('GET', `runs/get?run_id=${run}`);
    expect(body.run.info).toMatchObject({ run_name: 'second', status: 'FAILED', end_time: 9000 });
    expect(body.run.info.lifecycle_stage).toBe('deleted');
    expect(body.run.data.tags).toEqual([{ key: 'team', value: 'new' }]);
    const named = await imports.server.call('GET', 'experiments/get?experiment_id=1');
    expect(named.body.experiment.name).toBe('renamed');
    const gone = await imports.server.call('GET', 'experiments/get?experiment_id=2');
    expect(gone.body.experiment.lifecycle_stage).toBe('deleted');
    const model = await imports.server.call('GET', 'registered-models/get?name=m');
    expect(model.body.registered_model.aliases).toEqual([
      { alias: 'champion', version: '1' },
      { alias: 'new', version: '1' },
    ]);
    const first = await imports.server.call('GET', 'model-versions/get?name=m&version=1');
    expect(first.body.model_version).toMatchObject({ current_stage: 'Production' });
    expect((await imports.server.call('GET', 'model-versions/get?name=m&version=2')).status).toBe(
      404,
    );
    expect(await imports.server.rebuild()).toEqual([]);
    const size = await imports.entries();
    expect(nonZero((await again()).changed)).toEqual({});
    expect(await imports.entries()).toBe(size);
  });

  test('gives a file that it wrote anew, and leaves one that was written or deleted here', async () => {
    imports.makeDatabase('3.17.2', experiment(1, 'a') + runRow);
    await again();
    const path = `1/${run}/artifacts/table.json`;
    const put = (text: string) =>
      imports.target().putFile({ path, time: 1 }, Readable.from([Buffer.from(text)]));
    expect(await put('one')).toEqual({ outcome: 'brought', answer: {} });
    expect(await put('one')).toMatchObject({ outcome: 'there' });
    expect(await put('second')).toEqual({ outcome: 'brought', answer: { changed: true } });
    const url = `/api/2.0/mlflow-artifacts/artifacts/${path}`;
    await imports.server.send('PUT', url, 'ours');
    const kept = { outcome: 'there', answer: { kept: ['content'] } };
    expect(await put('third')).toEqual(kept);
    await imports.server.send('DELETE', url);
    expect(await put('second')).toEqual(kept);
  });

  test('takes no run away that was made here in an experiment that it deleted', async () => {
    imports.makeDatabase('3.17.2', experiment(1, 'a') + runRow);
    await again();
    await imports.server.post('runs/create', { experiment_id: '1', run_name: 'ours' });
    imports.change("UPDATE experiments SET lifecycle_stage = 'deleted'");
    const report = await again();
    expect(report.differences).toEqual([{ what: 'experiment 1 (a)', fields: ['lifecycle_stage'] }]);
    const { body } = await imports.server.call('GET', 'experiments/get?experiment_id=1');
    expect(body.experiment.lifecycle_stage).toBe('active');
  });

  test('of two that have an experiment of one name here, neither overwrites the other', async () => {
    const tag = (value: string): string =>
      `INSERT INTO experiment_tags (experiment_id, key, value) VALUES (1, 'team', '${value}');`;
    imports.makeDatabase('3.17.2', experiment(1, 'a') + tag('theirs'));
    await again();
    imports.change(`UPDATE experiments SET creation_time = 77;
      UPDATE experiment_tags SET value = 'of another';`);
    const report = await again();
    expect(report.differences).toEqual([{ what: 'experiment 1 (a)', fields: ['tag.team'] }]);
    const { body } = await imports.server.call('GET', 'experiments/get?experiment_id=1');
    expect(body.experiment.tags).toEqual([{ key: 'team', value: 'theirs' }]);
  });
});
