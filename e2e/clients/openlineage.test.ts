import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ensurePythonEnv } from '../../scripts/python-env.ts';
import type { Answer, AnswerEdge } from '../../src/contract/answer.ts';
import { findRef, parseRef } from '../../src/facts/ref.ts';
import { root, startTestServer, type TestServer } from './openlineage-server.ts';

const run = promisify(execFile);
const fixtures = join(root, 'src', 'protocols', 'openlineage', 'fixtures');

let server: TestServer;
let python: string;

beforeAll(async () => {
  ({ python } = await ensurePythonEnv({ log: console.log }));
  server = await startTestServer();
});
afterAll(() => server?.stop());

/** An edge in one line, with datasets, versions and columns by their names. */
function line(edge: AnswerEdge): string {
  return `${short(edge.from)} ${edge.relation} ${short(edge.to)}`;
}

function short(ref: string): string {
  const { kind, name, field, version } = parseRef(ref);
  const column = field === undefined ? '' : `#${field}`;
  return kind === 'code' ? `code ${name}@${version}` : `${kind} ${name}${column}`;
}

const lines = (answer: Answer): Set<string> => new Set(answer.edges.map(line));

describe('the OpenLineage Python client, unmodified, with gzip and an API key', () => {
  const runId = '0192f000-0000-7000-8000-00000000bbbb';

  test('is recorded: run, job, parent, code, owner, datasets, columns', async () => {
    await run(python, [
      join(root, 'e2e', 'clients', 'openlineage_client.py'),
      server.url,
      server.key,
      runId,
    ]);
    const written = (await server.ask('impact', `run:default/${runId}`)).edges.find(
      (edge) => edge.relation === 'wrote',
    );
    expect(written).toMatchObject({ known: 'observed', rule: 'openlineage.outputs' });
    const answer = await server.ask('trace', written?.to ?? '');
    const edges = lines(answer);
    for (const expected of [
      `run ${runId} wrote datasetVersion features/applicants.parquet`,
      `job applicants.features ran-as run ${runId}`,
      `code features.py@0a1b2c used-by run ${runId}`,
      'field shop.public.applicants#age derived-into field features/applicants.parquet#age_group',
    ]) {
      expect([...edges]).toContain(expected);
    }
    expect(
      [...edges].some((edge) =>
        /^dataset(Version)? shop\.public\.applicants read-by run/.test(edge),
      ),
    ).toBe(true);
    expect(JSON.stringify(answer)).toContain('Ada Lovelace');
  });

  test('without its key is refused, and the client says so', async () => {
    const refused = run(python, [
      join(root, 'e2e', 'clients', 'openlineage_client.py'),
      server.url,
      'wrong',
      runId,
    ]);
    await expect(refused).rejects.toThrow(/401/);
  });
});

test('dbt-ol on DuckDB: models, seeds and their columns', async () => {
  const project = join(server.directory, 'dbt');
  writeDbtProject(project);
  const bin = join(python, '..');
  const env = {
    ...process.env,
    PATH: `${bin}:${process.env.PATH}`,
    OPENLINEAGE_URL: server.url,
    OPENLINEAGE_API_KEY: server.key,
    OPENLINEAGE_NAMESPACE: 'dbt_test',
    DBT_SEND_ANONYMOUS_USAGE_STATS: 'false',
  };
  const options = { cwd: project, env, maxBuffer: 64 * 1024 * 1024 };
  const dbt = (...words: string[]) =>
    run(
      join(bin, words[0] ?? ''),
      [...words.slice(1), '--profiles-dir', project, '--project-dir', project],
      options,
    );
  await dbt('dbt', 'seed');
  await dbt('dbt-ol', 'run');
  const trace = await server.ask('trace', 'demo.main.user_features');
  const edges = [...lines(trace)].map((edge) => edge.replace(/run [0-9a-f-]{36}/, 'RUN'));
  for (const expected of [
    'RUN wrote datasetVersion demo.main.user_features',
    'datasetVersion demo.main.stg_orders read-by RUN',
    'RUN wrote datasetVersion demo.main.stg_orders',
    'field demo.main.stg_orders#amount derived-into field demo.main.user_features#total',
    'field demo.main.raw_orders#amount derived-into field demo.main.stg_orders#amount',
  ]) {
    expect(edges).toContain(expected);
  }
  expect(
    edges.some((edge) => /^dataset(Version)? demo\.main\.raw_orders read-by RUN/.test(edge)),
  ).toBe(true);
});

function writeDbtProject(project: string): void {
  const files: Record<string, string> = {
    'dbt_project.yml':
      'name: demo\nversion: "1.0"\nprofile: demo\nmodels:\n  demo:\n    +materialized: table\n',
    'profiles.yml': `demo:\n  target: dev\n  outputs:\n    dev:\n      type: duckdb\n      path: ${join(project, 'demo.duckdb')}\n      threads: 2\n`,
    'seeds/raw_orders.csv': 'id,user_id,amount\n1,1,10.5\n2,1,3\n3,2,7\n',
    'models/stg_orders.sql':
      "select id, user_id, cast(amount as double) as amount from {{ ref('raw_orders') }}\n",
    'models/user_features.sql':
      "select user_id, sum(amount) as total, count(*) as n from {{ ref('stg_orders') }} group by 1\n",
  };
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(project, name, '..'), { recursive: true });
    writeFileSync(join(project, name), content);
  }
}

interface ExpectedRun {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly cols: readonly string[];
}

describe.each(['airflow_pg', 'dbt', 'feast', 'spark'])(
  'the captured events of %s over HTTP',
  (group) => {
    test('give the expected edges of every run', async () => {
      for (const name of readdirSync(join(fixtures, group)).sort()) {
        const answer = await fetch(`${server.url}/api/v1/lineage`, {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            'content-encoding': 'gzip',
            authorization: `Bearer ${server.key}`,
          },
          body: gzipSync(readFileSync(join(fixtures, group, name))),
        });
        expect(answer.status, name).toBe(201);
      }
      const all: Record<string, { runs: Record<string, ExpectedRun> }> = JSON.parse(
        readFileSync(join(fixtures, 'expected.json'), 'utf8'),
      );
      for (const [id, expected] of Object.entries(all[group]!.runs)) {
        const sources = expected.cols.map((col) =>
          col.slice(0, col.lastIndexOf('#', col.indexOf(' -> '))),
        );
        expect(await edgesOfRun(`run:default/${id}`), id).toEqual({
          inputs: sorted([...expected.inputs, ...sources]),
          outputs: sorted(expected.outputs),
          cols: sorted(expected.cols),
        });
      }
    });
  },
);

const sorted = (values: Iterable<string>): string[] => [...new Set(values)].sort();

function datasetOf(ref: string): string {
  const { namespace, name } = parseRef(ref);
  return `${namespace}|${name}`;
}

async function edgesOfRun(
  ref: string,
): Promise<{ inputs: string[]; outputs: string[]; cols: string[] }> {
  const up = await server.ask('trace', ref);
  const down = await server.ask('impact', ref);
  const wrote = down.edges
    .filter((edge) => edge.from === ref && edge.relation === 'wrote')
    .map((edge) => edge.to);
  const cols: string[] = [];
  for (const version of wrote) {
    for (const edge of (await server.ask('trace', version)).edges) {
      if (edge.relation !== 'derived-into' || edge.run !== ref) continue;
      cols.push(
        `${datasetOf(edge.from)}#${parseRef(edge.from).field} -> ${datasetOf(edge.to)}#${parseRef(edge.to).field}`,
      );
    }
  }
  const read = up.edges.filter(
    (edge) =>
      edge.to === ref && edge.relation === 'read-by' && findRef(edge.from)?.kind !== 'field',
  );
  return {
    inputs: sorted(read.map((edge) => datasetOf(edge.from))),
    outputs: sorted(wrote.map(datasetOf)),
    cols: sorted(cols),
  };
}
