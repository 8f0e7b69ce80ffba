import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startImportServer } from '../../../testing/mlflow-import.ts';
import { openSqliteSource } from './sqlite-source.ts';
import type { ImportTarget } from './target.ts';

type Imports = Awaited<ReturnType<typeof startImportServer>>;

let imports: Imports;
let server: Imports['server'];
let makeDatabase: Imports['makeDatabase'];
let change: Imports['change'];
let importAll: Imports['importAll'];
let entries: Imports['entries'];
let path: string;
const run = 'a'.repeat(32);

beforeEach(async () => {
  imports = await startImportServer();
  ({ server, makeDatabase, change, importAll, entries, path } = imports);
});
afterEach(() => imports.close());

const experiment = (id: number, name: string, more = "'active', 1000, 2000"): string =>
  `INSERT INTO experiments (experiment_id, name, artifact_location, lifecycle_stage, creation_time, last_update_time)
   VALUES (${id}, '${name}', '${imports.directory}/mlruns/${id}', ${more});`;
const runRow = (id: string, of: number, more = "'FINISHED', 5000, 6000, 'active', NULL"): string =>
  `INSERT INTO runs (run_uuid, name, user_id, experiment_id, artifact_uri, status, start_time, end_time, lifecycle_stage, deleted_time)
   VALUES ('${id}', 'name of ${id.slice(0, 4)}', 'ada', ${of}, '${imports.directory}/mlruns/${of}/${id}/artifacts', ${more});`;
const points = (id: string, count: number): string =>
  Array.from(
    { length: count },
    (_, step) =>
      `INSERT INTO metrics (run_uuid, key, timestamp, step, value, is_nan) VALUES ('${id}', 'loss', ${5000 + step}, ${step}, ${step / 2}, 0);`,
  ).join('');

test.each(['3.17.2', '3.1', '2.22'] as const)(
  'a database of MLflow %s comes with its ids, times, names, values and persons',
  async (version) => {
    makeDatabase(
      version,
      `${experiment(7, 'credit')}
       ${runRow(run, 7)}
       INSERT INTO params (run_uuid, key, value) VALUES ('${run}', 'C', '0.5');
       INSERT INTO tags (run_uuid, key, value) VALUES ('${run}', 'mlflow.user', 'ada');
       ${points(run, 3)}
       INSERT INTO metrics (run_uuid, key, timestamp, step, value, is_nan) VALUES ('${run}', 'odd', 1, 0, 0, 1);`,
    );
    const report = await importAll();
    expect(report.troubles).toEqual([]);
    expect(report.brought).toMatchObject({ experiments: 1, runs: 1, 'metric points': 4 });
    const { body } = await server.call('GET', `runs/get?run_id=${run}`);
    expect(body.run.info).toMatchObject({
      run_id: run,
      run_name: 'name of aaaa',
      experiment_id: '7',
      user_id: 'ada',
      status: 'FINISHED',
      start_time: 5000,
      end_time: 6000,
    });
    expect(body.run.data).toMatchObject({
      params: [{ key: 'C', value: '0.5' }],
      tags: [{ key: 'mlflow.user', value: 'ada' }],
      metrics: [
        { key: 'loss', value: 1, step: 2 },
        { key: 'odd', value: 'NaN' },
      ],
    });
    const found = await server.call('GET', 'experiments/get?experiment_id=7');
    expect(found.body.experiment).toMatchObject({
      name: 'credit',
      creation_time: 1000,
      last_update_time: 2000,
    });
    expect(await server.rebuild()).toEqual([]);
  },
);

test('a second import adds no entry; a run that went on brings what is new', async () => {
  makeDatabase(
    '3.17.2',
    `${experiment(1, 'a')}${runRow(run, 1, "'RUNNING', 5000, NULL, 'active', NULL")}${points(run, 2)}`,
  );
  await importAll();
  const size = await entries();
  const again = await importAll();
  expect(again.there).toMatchObject({ experiments: 1, runs: 1, 'metric points': 2 });
  expect(await entries()).toBe(size);
  change(`UPDATE runs SET status = 'FAILED', end_time = 9000;
    DELETE FROM metrics; ${points(run, 4)}
    INSERT INTO tags (run_uuid, key, value) VALUES ('${run}', 'late', 'yes');`);
  await importAll();
  const { body } = await server.call('GET', `runs/get?run_id=${run}`);
  expect(body.run.info).toMatchObject({ status: 'FAILED', end_time: 9000 });
  expect(body.run.data.tags).toEqual([{ key: 'late', value: 'yes' }]);
  const history = `metrics/get-history?run_id=${run}&metric_key=loss`;
  expect((await server.call('GET', history)).body.metrics).toHaveLength(4);
  expect(await server.rebuild()).toEqual([]);
});

test('an import that stopped between a run and its points goes on with the points', async () => {
  makeDatabase('3.17.2', `${experiment(1, 'a')}${runRow(run, 1)}${points(run, 3)}`);
  const target = imports.target();
  const broken: ImportTarget = {
    ...target,
    accept(messages) {
      if (messages[0]?.import === 'metrics') throw new Error('cut off');
      return target.accept(messages);
    },
  };
  await expect(importAll(broken)).rejects.toThrow('cut off');
  const report = await importAll();
  expect(report.there.runs).toBe(1);
  expect(report.brought['metric points']).toBe(3);
});

describe('what is taken', () => {
  test('an id that another experiment has: the next free one above all of the source', async () => {
    await server.post('experiments/create', { name: 'ours' });
    makeDatabase('3.17.2', `${experiment(1, 'theirs')}${experiment(2, 'two')}${runRow(run, 1)}`);
    const report = await importAll();
    expect(report.notes).toEqual(['Experiment 1 (theirs) is 3 here.']);
    const { body } = await server.call('GET', `runs/get?run_id=${run}`);
    expect(body.run.info.experiment_id).toBe('3');
    expect((await importAll()).brought.experiments).toBe(0);
  });

  test('a name that an experiment has: its runs join that one', async () => {
    await server.post('experiments/create', { name: 'first' });
    await server.post('experiments/create', { name: 'same' });
    makeDatabase('3.17.2', `${experiment(9, 'same')}${runRow(run, 9)}`);
    expect((await importAll()).notes).toEqual(['Experiment 9 (same) is 2 here.']);
  });

  test('a run of that id with another start or parameter stays, and is told', async () => {
    makeDatabase(
      '3.17.2',
      `${experiment(1, 'a')}${runRow(run, 1)}
      INSERT INTO params (run_uuid, key, value) VALUES ('${run}', 'C', '1');`,
    );
    await importAll();
    change("UPDATE params SET value = '2'");
    const report = await importAll();
    expect(report.troubles).toEqual([
      { what: `run ${run}`, reason: expect.stringContaining('another value of the parameter C') },
    ]);
  });

  test('a registered model of that name, made at another time, stays as it is', async () => {
    await server.post('registered-models/create', { name: 'm' });
    makeDatabase(
      '3.17.2',
      `INSERT INTO registered_models (name, creation_time) VALUES ('m', 5);
      INSERT INTO model_versions (name, version, creation_time, source) VALUES ('m', 1, 6, 's3://b/m');`,
    );
    const report = await importAll();
    expect(report.troubleCount).toBe(2);
    expect(report.brought['model versions']).toBe(0);
  });
});

test('deleted runs, experiments and versions come as deleted, with their numbers', async () => {
  makeDatabase(
    '3.17.2',
    `${experiment(1, 'a')}${experiment(2, 'gone', "'deleted', 1000, 3000")}
     ${runRow(run, 1, "'FINISHED', 5000, 6000, 'deleted', 7000")}${points(run, 2)}
     INSERT INTO registered_models (name, creation_time, last_updated_time) VALUES ('m', 5, 50);
     INSERT INTO model_versions (name, version, creation_time, last_updated_time, current_stage, source, run_id)
       VALUES ('m', 1, 6, 9, 'Production', 'https://old.example/m', '${run}'), ('m', 2, 7, 10, 'Deleted_Internal', 'REDACTED-SOURCE-PATH', NULL);
     INSERT INTO registered_model_aliases (name, alias, version) VALUES ('m', 'best', 1);`,
  );
  expect((await importAll()).troubles).toEqual([]);
  const { body } = await server.call('GET', `runs/get?run_id=${run}`);
  expect(body.run.info.lifecycle_stage).toBe('deleted');
  expect(body.run.data.metrics).toHaveLength(1);
  const gone = await server.call('GET', 'experiments/get?experiment_id=2');
  expect(gone.body.experiment).toMatchObject({
    lifecycle_stage: 'deleted',
    last_update_time: 3000,
  });
  const model = await server.call('GET', 'registered-models/get?name=m');
  expect(model.body.registered_model).toMatchObject({
    creation_timestamp: 5,
    last_updated_timestamp: 50,
    aliases: [{ alias: 'best', version: '1' }],
    latest_versions: [
      {
        version: '1',
        current_stage: 'Production',
        creation_timestamp: 6,
        // A server takes no such source from a client, but an import tells where the files were.
        source: 'https://old.example/m',
      },
    ],
  });
  const next = await server.post('model-versions/create', { name: 'm', source: 's3://b/n' });
  expect(next.body.model_version.version).toBe('3');
  const edges = await server.edges('modelVersion:default/m@1');
  expect(edges).toContainEqual(
    expect.objectContaining({ from: `run:default/${run}`, relation: 'registered-as' }),
  );
  expect(await server.rebuild()).toEqual([]);
});

test('a copy of a model version is derived from it', async () => {
  makeDatabase(
    '3.17.2',
    `INSERT INTO registered_models (name, creation_time, last_updated_time) VALUES ('a', 5, 50), ('b', 5, 50);
     INSERT INTO model_versions (name, version, creation_time, last_updated_time, current_stage, source, storage_location)
       VALUES ('a', 1, 6, 9, 'None', 's3://b/m', 's3://b/m'), ('b', 1, 7, 10, 'None', 'models:/a/1', 's3://b/m');`,
  );
  expect((await importAll()).troubles).toEqual([]);
  expect(await server.edges('modelVersion:default/b@1')).toContainEqual(
    expect.objectContaining({ from: 'modelVersion:default/a@1', relation: 'derived-into' }),
  );
  expect(await server.rebuild()).toEqual([]);
});

test('files of local directories become blobs, with their time and what they say', async () => {
  makeDatabase('3.17.2', `${experiment(1, 'a')}${runRow(run, 1)}`);
  const directory = join(imports.directory, 'mlruns', '1', run, 'artifacts', 'model');
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'requirements.txt'), 'scikit-learn==1.7\n');
  const report = await importAll();
  expect(report.brought.files).toBe(1);
  const { body } = await server.call('GET', `artifacts/list?run_id=${run}&path=model`);
  expect(body).toMatchObject({
    root_uri: `mlflow-artifacts:/1/${run}/artifacts`,
    files: [{ path: 'model/requirements.txt' }],
  });
  const edges = await server.edges(`run:default/${run}`);
  expect(edges.map(({ relation }) => relation)).toEqual(
    expect.arrayContaining(['produced', 'used-by']),
  );
  expect((await importAll()).there.files).toBe(1);
});

test('locations that cannot be read stay as they were, and are told', async () => {
  makeDatabase('3.17.2', `${experiment(1, 'a')}${runRow(run, 1)}`);
  rmSync(join(imports.directory, 'mlruns'), { recursive: true, force: true });
  change(`UPDATE runs SET artifact_uri = 's3://bucket/1/${run}/artifacts'`);
  const report = await importAll();
  expect(report.left).toEqual([
    { what: 'artifact locations (s3:)', count: 1, reason: expect.stringContaining('kept') },
  ]);
  const { body } = await server.call('GET', `runs/get?run_id=${run}`);
  expect(body.run.info.artifact_uri).toBe(`s3://bucket/1/${run}/artifacts`);
});

test('a database of an unknown version, or none of MLflow, is refused with what to do', () => {
  makeDatabase('3.17.2');
  change("UPDATE alembic_version SET version_num = 'ffffffffffff'");
  expect(() => openSqliteSource({ path, workspace: 'default' })).toThrow(/schema ffffffffffff/);
  writeFileSync(path, 'no database');
  expect(() => openSqliteSource({ path, workspace: 'default' })).toThrow(/no database of MLflow/);
  expect(() => openSqliteSource({ path: `${path}.none`, workspace: 'default' })).toThrow(/no file/);
});

test('persons are tokens in the record', async () => {
  makeDatabase('3.17.2', `${experiment(1, 'a')}${runRow(run, 1)}`);
  await importAll();
  const texts = await server.store.read(async (session) => {
    const { size } = await session.ledger.head();
    return Array.from({ length: size }, (_, position) => session.messageOf(position, 0) ?? '');
  });
  expect(texts.join('\n')).toContain('person_');
  expect(texts.join('\n')).not.toContain('"ada"');
});

describe('the route', () => {
  const post = (payload: string) =>
    server.app.inject({
      method: 'POST',
      url: '/api/wherefrom/v1/import/mlflow',
      headers: { 'content-type': 'application/x-ndjson' },
      payload,
    });

  test('takes lines, and answers what became of each', async () => {
    const line = {
      import: 'experiment',
      body: { experiment_id: '4', name: 'x', creation_time: 9 },
    };
    const wrong = { import: 'run', body: { run_id: run, experiment_id: '4', start_time: 1 } };
    const answer = await post(`${JSON.stringify(line)}\n${JSON.stringify(wrong)}\n`);
    expect(answer.json().results).toEqual([
      expect.objectContaining({ outcome: 'brought' }),
      expect.objectContaining({ outcome: 'brought' }),
    ]);
    expect((await post(JSON.stringify(line))).json().results[0].outcome).toBe('there');
  });

  test.each([
    ['{', 'Line 1 is not valid JSON.'],
    ['{"import":"x","body":{}}', 'Line 1 is no message of an import.'],
    ['{"import":"run","body":{}}', "Missing value for required parameter 'run_id'"],
  ])('refuses %s as a problem', async (line, message) => {
    const answer = await post(line);
    expect(answer.statusCode).toBeGreaterThanOrEqual(400);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(answer.json().detail).toContain(message);
  });
});
