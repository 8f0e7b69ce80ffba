import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { importFixture, startImportServer } from '../../../testing/mlflow-import.ts';
import type { ImportTarget } from './target.ts';

type Imports = Awaited<ReturnType<typeof startImportServer>>;

let imports: Imports;
const run = 'a'.repeat(32);
const digits = '0'.repeat(31).concat('7');
const trace = `tr-${digits}`;

beforeEach(async () => {
  imports = await startImportServer();
});
afterEach(() => imports.close());

const text = (value: unknown): string => `'${JSON.stringify(value).replaceAll("'", "''")}'`;

const experiment = (id: number, name: string): string =>
  `INSERT INTO experiments (experiment_id, name, artifact_location, lifecycle_stage, creation_time, last_update_time)
   VALUES (${id}, '${name}', '${imports.directory}/mlruns/${id}', 'active', 1000, 2000);`;
const runRow = `INSERT INTO runs (run_uuid, name, experiment_id, artifact_uri, status, start_time, end_time, lifecycle_stage)
  VALUES ('${run}', 'evaluation', 1, 's3://b/r', 'FINISHED', 5000, 6000, 'active');`;

/** A span as MLflow's database keeps it; ids are base64 of 16 and 8 bytes. */
function spanRow(id: number, parent: number | null, attributes: object): string {
  const base64 = (number: number, bytes: number): string =>
    Buffer.from(number.toString(16).padStart(bytes * 2, '0'), 'hex').toString('base64');
  const start = `1700000000123456${id}89`;
  const dictionary = JSON.stringify({
    trace_id: base64(7, 16),
    span_id: base64(id, 8),
    parent_span_id: parent === null ? null : base64(parent, 8),
    name: `span ${id}`,
    events: [{ name: 'exception', time_unix_nano: 0, attributes: { 'exception.type': 'E' } }],
    status: { code: 'STATUS_CODE_ERROR', message: 'no' },
    attributes: Object.fromEntries(
      Object.entries(attributes).map(([key, value]) => [key, JSON.stringify(value)]),
    ),
    links: [],
  }).replace(
    '"events"',
    `"start_time_unix_nano": ${start}, "end_time_unix_nano": ${start}, "events"`,
  );
  const hex = id.toString(16).padStart(16, '0');
  return `INSERT INTO spans (trace_id, experiment_id, span_id, name, status, start_time_unix_nano, content)
    VALUES ('${trace}', 1, '${hex}', 'span ${id}', 'ERROR', ${start}, '${dictionary.replaceAll("'", "''")}');`;
}

const traceRow = `INSERT INTO trace_info (request_id, experiment_id, timestamp_ms, execution_time_ms, status, client_request_id, request_preview, trace_name, session_id, input_tokens, output_tokens, total_tokens)
    VALUES ('${trace}', 1, 7000, 12, 'ERROR', 'req', 'in', 'chat', 's-1', 3, 4, 7);
  INSERT INTO trace_tags (request_id, key, value) VALUES ('${trace}', 'team', 'risk'), ('${trace}', 'mlflow.trace.spansLocation', 'TRACKING_STORE');
  INSERT INTO trace_request_metadata (request_id, key, value) VALUES ('${trace}', 'mlflow.trace.user', 'ada'), ('${trace}', 'mlflow.trace.infoFinalized', 'true');`;

const assessmentRow = (id: string, value: string, more = "'HUMAN', 'ada', NULL, 1"): string =>
  `INSERT INTO assessments (assessment_id, trace_id, name, assessment_type, value, created_timestamp, last_updated_timestamp, rationale, assessment_metadata, source_type, source_id, overrides, valid)
   VALUES ('${id}', '${trace}', 'good', 'feedback', '${value}', 8000, 8500, 'why', '{"k": "v"}', ${more});`;

const whole = (): string => `${experiment(1, 'chat')}${runRow}${traceRow}
  ${spanRow(1, null, { 'mlflow.spanType': 'CHAIN', 'mlflow.spanInputs': { q: 'one', n: 12345678901234567890n.toString() } })}
  ${spanRow(2, 1, { 'mlflow.spanType': 'CHAT_MODEL', 'mlflow.llm.model': 'm-1', 'mlflow.llm.provider': 'acme', number: 1.5, text: '["no list"]' })}
  ${assessmentRow('a-1', 'false', "'HUMAN', 'ada', NULL, 0")}
  ${assessmentRow('a-2', '1.0', "'HUMAN', 'ada', 'a-1', 1")}
  INSERT INTO entity_associations (association_id, source_type, source_id, destination_type, destination_id, created_time)
    VALUES ('x', 'trace', '${trace}', 'run', '${run}', 1), ('y', 'trace', '${trace}', 'prompt_version', 'greeting/1', 1);`;

const v3 = (method: 'GET' | 'POST', path: string, body?: object) =>
  imports.server.send(method, `/api/3.0/mlflow/${path}`, body);
const brought = ({ brought: counts }: { readonly brought: object }): unknown =>
  Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));

describe('traces', () => {
  test('come with spans, tags, metadata, assessments, links and times, and are in the lineage', async () => {
    imports.makeDatabase('3.17.2', whole());
    const report = await imports.importAll();
    expect(report.troubles).toEqual([]);
    expect(report.left).toEqual([expect.objectContaining({ what: 'artifact locations (s3:)' })]);
    expect(brought(report)).toMatchObject({ runs: 1, traces: 1, spans: 2 });
    const { body } = await v3('GET', `traces/get?trace_id=${trace}`);
    const { trace_info: info, spans } = body.trace;
    expect(info).toMatchObject({
      client_request_id: 'req',
      request_preview: 'in',
      request_time: '1970-01-01T00:00:07Z',
      execution_duration: '0.012s',
      state: 'ERROR',
      tags: {
        team: 'risk',
        'mlflow.traceName': 'chat',
        'mlflow.trace.spansLocation': 'TRACKING_STORE',
      },
    });
    expect(info.trace_metadata).toMatchObject({
      'mlflow.trace.user': 'ada',
      'mlflow.trace.session': 's-1',
    });
    expect(JSON.parse(info.trace_metadata['mlflow.trace.tokenUsage'])).toEqual({
      ...{ input_tokens: 3, output_tokens: 4, total_tokens: 7 },
    });
    expect(info.assessments).toMatchObject([
      { assessment_id: 'a-1', feedback: { value: false }, valid: false },
      {
        ...{ assessment_id: 'a-2', overrides: 'a-1', valid: true, rationale: 'why' },
        create_time: '1970-01-01T00:00:08Z',
        last_update_time: '1970-01-01T00:00:08.500Z',
        source: { source_type: 'HUMAN', source_id: 'ada' },
        metadata: { k: 'v' },
      },
    ]);
    expect(spans.map(({ name }: { name: string }) => name)).toEqual(['span 1', 'span 2']);
    const found = await v3('GET', `traces/get?trace_id=${trace}`);
    expect(found.body.trace.spans[1].attributes).toEqual(
      expect.arrayContaining([
        { key: 'number', value: { double_value: 1.5 } },
        { key: 'text', value: { string_value: '["no list"]' } },
      ]),
    );
    const row = await imports.server.store.read(async ({ traces }) => {
      const one = await traces.find('default', trace);
      return one && { uses: await traces.uses([one.key]), spans: await traces.spans([one.key]) };
    });
    expect(row?.uses.map(({ ref, role }) => `${role} ${ref}`)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^model model:.*m-1/),
        `linked run:default/${run}`,
        expect.stringMatching(/^prompt modelVersion:default\/greeting@1/),
      ]),
    );
    expect(await imports.server.rebuild()).toEqual([]);
  });

  test('keep nanoseconds and long integers to the digit', async () => {
    imports.makeDatabase('3.17.2', whole());
    await imports.importAll();
    const { body } = await imports.server.send(
      'GET',
      `/ajax-api/2.0/mlflow/get-trace-artifact?request_id=${trace}`,
    );
    const answer = String(
      Buffer.isBuffer(body) ? body : typeof body === 'string' ? body : JSON.stringify(body),
    );
    expect(answer).toContain('1700000000123456189');
  });

  test('add nothing the second time, and what is new when something is', async () => {
    imports.makeDatabase('3.17.2', whole());
    await imports.importAll();
    const size = await imports.entries();
    const again = await imports.importAll();
    expect(again.there).toMatchObject({ traces: 1, spans: 2 });
    expect(await imports.entries()).toBe(size);
    imports.change(`INSERT INTO trace_tags (request_id, key, value) VALUES ('${trace}', 'late', 'yes');
      ${spanRow(3, 1, {})}${assessmentRow('a-3', '"new"')}`);
    const third = await imports.importAll();
    expect(brought(third)).toEqual({ spans: 1 });
    expect(third.changed.traces).toBe(1);
    expect(third.there.spans).toBe(2);
    const { body } = await v3('GET', `traces/get?trace_id=${trace}`);
    expect(body.trace.spans).toHaveLength(3);
    expect(body.trace.trace_info.tags.late).toBe('yes');
    expect(body.trace.trace_info.assessments).toHaveLength(3);
    expect(await imports.server.rebuild()).toEqual([]);
  });

  test('go on after a break between spans and the trace itself', async () => {
    imports.makeDatabase('3.17.2', whole());
    const target = imports.target();
    const broken: ImportTarget = {
      ...target,
      accept(messages) {
        if (messages[0]?.import === 'trace') throw new Error('cut off');
        return target.accept(messages);
      },
    };
    await expect(imports.importAll(broken)).rejects.toThrow('cut off');
    const report = await imports.importAll();
    expect(report.there.spans).toBe(2);
    expect(report.brought.traces).toBe(1);
  });

  test('that were deleted here stay deleted', async () => {
    imports.makeDatabase('3.17.2', whole());
    await imports.importAll();
    const body = { experiment_id: '1', request_ids: [trace] };
    await imports.server.send('POST', '/api/2.0/mlflow/traces/delete-traces', body);
    const report = await imports.importAll();
    expect(brought(report)).toEqual({});
    expect(report.notes).toEqual([expect.stringContaining('was deleted here')]);
    expect((await v3('GET', `traces/${trace}`)).status).toBe(404);
  });

  test('name persons as tokens in the record', async () => {
    imports.makeDatabase('3.17.2', whole());
    await imports.importAll();
    const texts = await imports.server.store.read(async (session) => {
      const { size } = await session.ledger.head();
      return Array.from({ length: size }, (_, position) => session.messageOf(position, 0) ?? '');
    });
    expect(texts.join('\n')).toContain('person_');
    expect(texts.join('\n')).not.toContain('"ada"');
  });

  test('that are archived come without their spans, and the report says so', async () => {
    imports.makeDatabase('3.17.2', whole());
    imports.change(`UPDATE spans SET content = '';
      UPDATE trace_tags SET value = 'ARCHIVE_REPO' WHERE key = 'mlflow.trace.spansLocation'`);
    const report = await imports.importAll();
    expect(brought(report)).toMatchObject({ traces: 1 });
    expect(report.left).toContainEqual(
      expect.objectContaining({ what: 'spans of archived traces', count: 1 }),
    );
  });

  test('bring the attachments that their spans name', async () => {
    const artifacts = join(imports.directory, 'mlruns', '1', 'traces', trace, 'artifacts');
    const named = { 'mlflow.spanInputs': { image: 'mlflow-attachment://file-1?content_type=x' } };
    imports.makeDatabase('3.17.2', whole() + spanRow(3, 1, named));
    imports.change(
      `INSERT INTO trace_tags (request_id, key, value) VALUES ('${trace}', 'mlflow.artifactLocation', '${artifacts}')`,
    );
    mkdirSync(join(artifacts, 'attachments'), { recursive: true });
    writeFileSync(join(artifacts, 'attachments', 'file-1'), 'pixels');
    expect((await imports.importAll()).brought.files).toBe(1);
    const query = `request_id=${trace}&path=file-1`;
    const answer = await imports.server.send(
      'GET',
      `/ajax-api/2.0/mlflow/get-trace-artifact?${query}`,
    );
    expect([answer.status, answer.body]).toEqual([200, 'pixels']);
  });

  test.each([
    ['2.22', '6c7eaad15a344bd698a593a00c59c147'],
    ['3.1', '950c396ab3534244b4eda91f657b3cc7'],
  ] as const)('of MLflow %s have their spans in files, which come too', async (version, id) => {
    const location = `${imports.directory}/mlruns/1/traces/${id}/artifacts`;
    imports.makeDatabase(
      version,
      `${experiment(1, 'old')}
      INSERT INTO trace_info (request_id, experiment_id, timestamp_ms, execution_time_ms, status) VALUES ('${id}', 1, 7000, 12, 'OK');
      INSERT INTO trace_tags (request_id, key, value) VALUES ('${id}', 'mlflow.artifactLocation', '${location}'), ('${id}', 'mlflow.traceName', 'chat');`,
    );
    mkdirSync(location, { recursive: true });
    writeFileSync(join(location, 'traces.json'), importFixture(`traces-${version}.json`));
    expect(brought(await imports.importAll())).toMatchObject({ traces: 1, spans: 2, files: 1 });
    const size = await imports.entries();
    expect((await imports.importAll()).there).toMatchObject({ traces: 1, spans: 2, files: 1 });
    expect(await imports.entries()).toBe(size);
    const { body } = await v3('GET', `traces/get?trace_id=${id}`);
    expect(body.trace.trace_info.tags['mlflow.artifactLocation']).toBe(
      `mlflow-artifacts:/1/traces/${id}/artifacts`,
    );
    expect(body.trace.spans).toMatchObject([
      { name: 'chat', status: { code: 'STATUS_CODE_OK' } },
      { name: 'ask', parent_span_id: body.trace.spans[0].span_id },
    ]);
    expect(body.trace.spans[0].attributes).toContainEqual({
      key: 'mlflow.traceRequestId',
      value: { string_value: id },
    });
    expect(await imports.server.rebuild()).toEqual([]);
  });
});

const datasetRows = `
  INSERT INTO evaluation_datasets (dataset_id, name, schema, profile, digest, created_time, last_update_time, created_by, last_updated_by)
    VALUES ('d-1', 'golden', '{"inputs": {"q": "string"}}', '{"num_records": 2}', 'abcd1234', 100, 300, 'ada', 'bob');
  INSERT INTO evaluation_dataset_tags (dataset_id, key, value) VALUES ('d-1', 'of', 'chat');
  INSERT INTO entity_associations (association_id, source_type, source_id, destination_type, destination_id, created_time)
    VALUES ('z', 'evaluation_dataset', 'd-1', 'experiment', '1', 1);
  INSERT INTO evaluation_dataset_records (dataset_record_id, dataset_id, inputs, outputs, expectations, tags, source, created_time, last_update_time, created_by, last_updated_by, input_hash)
    VALUES ('dr-1', 'd-1', '{"q": "one", "n": 1.0}', '{"mlflow_wrapped": {"a": 1}}', '{"e": "x"}', '{"mlflow.user": "ada"}', '{"source_type": "TRACE", "source_data": {"trace_id": "${trace}"}}', 100, 200, 'ada', 'bob', 'h1'),
      ('dr-2', 'd-1', '{"q": "two"}', 'null', NULL, 'null', NULL, 150, 150, NULL, NULL, 'h2');`;

describe('evaluation datasets', () => {
  test('come with records, experiments, digest, times and persons', async () => {
    imports.makeDatabase('3.17.2', whole() + datasetRows);
    const report = await imports.importAll();
    expect(report.troubles).toEqual([]);
    expect(brought(report)).toMatchObject({ 'evaluation datasets': 1, 'evaluation records': 2 });
    const { body } = await v3('GET', 'datasets/d-1');
    expect(body.dataset).toMatchObject({
      ...{ name: 'golden', digest: 'abcd1234', created_time: 100, last_update_time: 300 },
      ...{ created_by: 'ada', last_updated_by: 'bob', tags: '{"of": "chat"}' },
      schema: '{"inputs": {"q": "string"}}',
    });
    expect((await v3('GET', 'datasets/d-1/experiment-ids')).body.experiment_ids).toEqual(['1']);
    const records = (await v3('GET', 'datasets/d-1/records')).body.records;
    expect(records).toContain('"n":1.0');
    expect(JSON.parse(records)).toMatchObject([
      {
        ...{ dataset_record_id: 'dr-1', outputs: { a: 1 }, expectations: { e: 'x' } },
        ...{ created_time: 100, last_update_time: 200, created_by: 'ada', last_updated_by: 'bob' },
        source: { source_type: 'TRACE' },
      },
      { dataset_record_id: 'dr-2', created_time: 150 },
    ]);
    const version = 'datasetVersion:mlflow:default/datasets/d-1@mlflow-abcd1234';
    expect(await imports.server.edges(version)).toContainEqual(
      expect.objectContaining({ from: `prediction:default/${trace}`, relation: 'derived-into' }),
    );
    const size = await imports.entries();
    await imports.importAll();
    expect(await imports.entries()).toBe(size);
    expect(await imports.server.rebuild()).toEqual([]);
  });

  test('get the records that are new, and the digest that the source has then', async () => {
    imports.makeDatabase('3.17.2', whole() + datasetRows);
    await imports.importAll();
    imports.change(`UPDATE evaluation_datasets SET digest = 'ffff0000', last_update_time = 900;
      INSERT INTO evaluation_dataset_records (dataset_record_id, dataset_id, inputs, created_time, last_update_time, input_hash)
      VALUES ('dr-3', 'd-1', '{"q": "three"}', 900, 900, 'h3')`);
    await imports.importAll();
    const { dataset } = (await v3('GET', 'datasets/d-1')).body;
    expect(dataset).toMatchObject({ digest: 'ffff0000', last_update_time: 900 });
    expect(JSON.parse((await v3('GET', 'datasets/d-1/records')).body.records)).toHaveLength(3);
    const edges = await imports.server.edges(
      'datasetVersion:mlflow:default/datasets/d-1@mlflow-ffff0000',
    );
    expect(edges).toContainEqual(expect.objectContaining({ relation: 'continued-as' }));
  });

  test('that were deleted here stay deleted', async () => {
    imports.makeDatabase('3.17.2', whole() + datasetRows);
    await imports.importAll();
    await imports.server.send('DELETE', '/api/3.0/mlflow/datasets/d-1');
    const report = await imports.importAll();
    expect(brought(report)).toEqual({});
    expect(report.notes).toEqual([expect.stringContaining('golden was deleted here')]);
  });
});

test('scorers come with the numbers and times of their versions, and how they were to run', async () => {
  const scorer = (text: string): string => JSON.stringify({ name: 'kind', text });
  imports.makeDatabase(
    '3.17.2',
    `${experiment(1, 'chat')}
    INSERT INTO scorers (experiment_id, scorer_name, scorer_id) VALUES (1, 'kind', 's-1');
    INSERT INTO scorer_versions (scorer_id, scorer_version, serialized_scorer, creation_time)
      VALUES ('s-1', 1, ${text({ name: 'kind' })}, 100), ('s-1', 3, '${scorer('3')}', 300);
    INSERT INTO online_scoring_configs (online_scoring_config_id, scorer_id, sample_rate, experiment_id, filter_string)
      VALUES ('c-1', 's-1', 0.5, 1, 'x');`,
  );
  const report = await imports.importAll();
  expect(brought(report)).toMatchObject({ 'scorer versions': 2 });
  const { body } = await v3('GET', 'scorers/versions?experiment_id=1&name=kind');
  expect(body.scorers).toMatchObject([
    { scorer_version: 1, creation_time: 100, scorer_id: 's-1' },
    { scorer_version: 3, creation_time: 300, serialized_scorer: scorer('3') },
  ]);
  const configs = await v3('GET', 'scorers/online-configs?scorer_ids=s-1');
  expect(configs.body.configs).toMatchObject([{ sample_rate: 0.5, filter_string: 'x' }]);
  const size = await imports.entries();
  await imports.importAll();
  expect(await imports.entries()).toBe(size);
  imports.change(
    `UPDATE scorer_versions SET serialized_scorer = '{"other": 1}' WHERE scorer_version = 3`,
  );
  expect((await imports.importAll()).troubles).toEqual([
    { what: 'scorer kind', reason: expect.stringContaining('Another version 3') },
  ]);
  expect(await imports.server.rebuild()).toEqual([]);
});

test('webhooks come switched off and without their secret; one deleted here stays deleted', async () => {
  imports.makeDatabase(
    '3.17.2',
    `INSERT INTO webhooks (webhook_id, name, url, status, secret, creation_timestamp, last_updated_timestamp, deleted_timestamp)
      VALUES ('w-1', 'ci', 'https://ci.example/x', 'ACTIVE', 'encrypted', 100, 200, NULL),
        ('w-2', 'gone', 'https://ci.example/y', 'ACTIVE', NULL, 100, 200, 300);
    INSERT INTO webhook_events (webhook_id, entity, action) VALUES ('w-1', 'model_version', 'created'), ('w-1', 'prompt_alias', 'deleted');`,
  );
  const report = await imports.importAll();
  expect(brought(report)).toEqual({ webhooks: 1 });
  expect(report.notes).toEqual([
    'Webhooks are switched off here (1): "wherefrom webhook enable ID" switches one on. 1 of them had a secret, which stays behind: give them one.',
  ]);
  const { body } = await imports.server.call('GET', 'webhooks');
  expect(body.webhooks).toMatchObject([
    {
      ...{ webhook_id: 'w-1', name: 'ci', status: 'DISABLED', creation_timestamp: 100 },
      ...{ last_updated_timestamp: 200, url: 'https://ci.example/x' },
      events: [
        { entity: 'MODEL_VERSION', action: 'CREATED' },
        { entity: 'PROMPT_ALIAS', action: 'DELETED' },
      ],
    },
  ]);
  await imports.server.call('DELETE', 'webhooks/w-1');
  expect(brought(await imports.importAll())).toEqual({});
  expect(await imports.server.rebuild()).toEqual([]);
});

describe('workspaces', () => {
  test('go over apart; a run that is in one is refused in another', async () => {
    imports.makeDatabase('3.17.2', `${experiment(1, 'a')}${experiment(2, 'b')}${runRow}`);
    imports.change("UPDATE experiments SET workspace = 'risk' WHERE experiment_id = 1");
    const body = { name: 'risk', description: 'of risk' };
    const make = (): Promise<unknown> =>
      imports
        .target()
        .accept([{ import: 'workspace', body }])
        .then(([result]) => result?.outcome);
    expect(await make()).toBe('brought');
    expect(await make()).toBe('there');
    const first = await imports.importAll(imports.target(), 'default');
    expect(brought(first)).toEqual({ experiments: 1 });
    expect(first.left).toContainEqual(
      expect.objectContaining({ what: 'experiments of other workspaces', count: 1 }),
    );
    expect(brought(await imports.importAll(imports.target('risk'), 'risk'))).toEqual({
      ...{ experiments: 1, runs: 1 },
    });
    const twice = await imports.importAll(imports.target(), 'risk');
    expect(twice.troubles).toEqual([
      { what: `run ${run}`, reason: `Run ${run} is in another workspace here.` },
    ]);
    expect(await imports.server.rebuild()).toEqual([]);
  });

  test('whose name was deleted, or cannot be one, are refused', async () => {
    const [result] = await imports
      .target()
      .accept([{ import: 'workspace', body: { name: 'Not A Name' } }]);
    expect(result).toMatchObject({
      outcome: 'refused',
      message: expect.stringContaining('pattern'),
    });
  });
});
