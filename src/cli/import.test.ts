import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadConfig } from '../server/config.ts';
import { type RunningServer, startServer } from '../server/index.ts';
import { captureCli } from '../testing/cli.ts';
import { importFixture } from '../testing/mlflow-import.ts';
import { temporaryDirectory } from '../testing/store.ts';
import { exitCodes } from './io.ts';

const environment = {
  config: {},
  data: undefined,
  configFile: undefined,
  apiKey: undefined,
  url: undefined,
  noColor: true,
};
const files = temporaryDirectory();
const source = `sqlite:///${join(files.path, 'mlflow.db')}`;
let server: RunningServer;

beforeAll(async () => {
  const { config } = loadConfig({ port: 0, data: join(files.path, 'data') }, environment);
  server = await startServer(config);
  const db = new DatabaseSync(join(files.path, 'mlflow.db'));
  const experiment = (id: number, workspace: string): string =>
    `INSERT INTO experiments (experiment_id, name, artifact_location, lifecycle_stage, creation_time, last_update_time, workspace)
     VALUES (${id}, 'of ${workspace}', 's3://b/${id}', 'active', 1, 1, '${workspace}');`;
  db.exec(`${importFixture('schema-3.17.2.sql')}
    INSERT INTO workspaces (name, description) VALUES ('default', NULL), ('risk', 'Who pays back');
    ${experiment(1, 'default')}${experiment(2, 'risk')}
    INSERT INTO webhooks (webhook_id, name, url, workspace) VALUES ('w-1', 'ci', 'https://ci.example/x', 'risk');
    INSERT INTO webhook_events (webhook_id, entity, action) VALUES ('w-1', 'model_version', 'created');`);
  db.close();
});
afterAll(async () => {
  await server.stop();
  files.remove();
});

const run = (...argv: string[]) => captureCli(argv, { ...environment, url: server.url });

async function experimentsOf(workspace: string): Promise<string[]> {
  const response = await fetch(`${server.url}/api/2.0/mlflow/experiments/search?max_results=10`, {
    headers: { 'x-mlflow-workspace': workspace },
  });
  const { experiments } = (await response.json()) as { experiments: { name: string }[] };
  return experiments.map(({ name }) => name).filter((name) => name !== 'Default');
}

describe('import mlflow', () => {
  test('brings all workspaces into those of the same name, and names their webhooks', async () => {
    const { code, out } = await run('import', 'mlflow', source, '--all-workspaces');
    expect({ code, out }).toMatchObject({ code: exitCodes.done });
    expect(out).toContain('Workspace risk');
    expect(out).not.toContain('other workspaces');
    expect(out).toContain('Webhooks are switched off here (1)');
    expect(await experimentsOf('default')).toEqual(['of default']);
    expect(await experimentsOf('risk')).toEqual(['of risk']);
    expect((await run('workspace', 'list')).out).toContain('risk  Who pays back');
  });

  test('brings one workspace into another one, which it makes', async () => {
    const argv = ['import', 'mlflow', source, '--workspace', 'default', '--into', 'copy'];
    const { code, out } = await run(...argv);
    expect([code, out]).toEqual([exitCodes.done, expect.stringContaining('--all-workspaces')]);
    expect(await experimentsOf('copy')).toEqual(['of default']);
  });

  test.each([
    [['--workspace', 'none'], 'There is no workspace "none".'],
    [['--all-workspaces', '--into', 'x1'], '--all-workspaces takes no'],
  ])('refuses %j', async (more, message) => {
    const { code, err } = await run('import', 'mlflow', source, ...more);
    expect([code, err]).toEqual([exitCodes.usage, expect.stringContaining(message)]);
  });

  test.each([
    ['postgresql+psycopg2://ada:hush@db/mlflow', 'PostgreSQL is read through a server of MLflow'],
    ['mysql://ada:hush@db/mlflow', 'mlflow server --backend-store-uri'],
    ['oracle://ada:hush@db/mlflow', 'is no source'],
  ])('says what to do with %s, and no password', async (uri, message) => {
    const { code, err } = await run('import', 'mlflow', uri);
    expect([code, err]).toEqual([exitCodes.usage, expect.stringContaining(message)]);
    expect(err).not.toContain('hush');
  });
});

describe('workspace and webhook', () => {
  test('create a workspace, refuse a second, delete it when it is empty', async () => {
    expect((await run('workspace', 'create', 'team-b', '--description', 'b')).out).toContain(
      'team-b',
    );
    expect((await run('workspace', 'create', 'team-b')).err).toContain('already exists');
    expect((await run('workspace', 'delete', 'risk')).err).toContain('still contains');
    expect((await run('workspace', 'delete', 'team-b')).code).toBe(exitCodes.done);
    expect((await run('workspace', 'list')).out).not.toContain('team-b');
  });

  test('list the webhooks of a workspace, and switch them on', async () => {
    const listed = (await run('webhook', 'list', '--workspace', 'risk')).out;
    expect(listed).toBe('w-1  DISABLED  ci  https://ci.example/x  model_version.created');
    const enabled = await run('webhook', 'enable', 'w-1', '--workspace', 'risk');
    expect(enabled.out).toContain('w-1  ACTIVE');
    const { out } = await run('webhook', 'list', '--workspace', 'risk', '--json');
    expect(JSON.parse(out)).toMatchObject([{ webhook_id: 'w-1', status: 'ACTIVE' }]);
    expect((await run('webhook', 'enable', 'none')).err).toContain('not found');
  });
});
