import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ChildServer, createKey, startChildServer } from '../server.ts';
import { runMlflowFlow } from './python-flow.ts';

let server: ChildServer;
// What mlflow_teams.py printed; its shape is that script's.
let out: Record<string, unknown>;

beforeAll(async () => {
  const keys: Record<string, string> = {};
  server = await startChildServer(['--webhook-allow', '127.0.0.1'], async (data) => {
    keys.KEY_ADMIN = await createKey(data, ['--role', 'admin']);
    keys.KEY_ALPHA = await createKey(data, ['--workspace', 'alpha']);
    keys.KEY_BETA = await createKey(data, ['--workspace', 'beta']);
  });
  out = await runMlflowFlow('mlflow_teams.py', server, { env: keys });
});
afterAll(() => server?.stop());

describe('the mlflow client, unmodified, in two teams', () => {
  test('an administrator makes workspaces, a team sees its own', () => {
    expect(out.workspaces).toEqual([
      ['alpha', 'team alpha'],
      ['beta', 'the other team'],
      ['default', null],
    ]);
    expect(out.twice).toBe('RESOURCE_ALREADY_EXISTS');
    expect(out.alpha_sees).toEqual(['alpha']);
    expect(out.alpha_creates).toBe('PERMISSION_DENIED');
    expect(out.restricted).toBe('INVALID_PARAMETER_VALUE');
  });

  test('the same names are other things in another workspace, and closed to other teams', () => {
    expect(out.beta_reads).toEqual({
      run: 'RESOURCE_DOES_NOT_EXIST',
      own_run: { of_beta: 1 },
      model: { team: 'beta' },
      note: 'of beta',
      alpha_note: 'RESOURCE_DOES_NOT_EXIST',
      write: 'RESOURCE_DOES_NOT_EXIST',
    });
    expect(out.beta_in_alpha).toBe('PERMISSION_DENIED');
    expect(out.admin_in_alpha).toEqual({ of_alpha: 1 });
    expect(out.nowhere).toBe('RESOURCE_DOES_NOT_EXIST');
  });

  test('webhooks are made, tested, listed, changed and deleted; their secret is told to nobody', () => {
    expect(out.webhook).toEqual({
      status: 'ACTIVE',
      events: ['model_version_alias.created', 'prompt_version.created'],
      description: 'tells the pipeline',
      secret: null,
    });
    expect(out.private).toBe('INVALID_PARAMETER_VALUE');
    expect(out.tested).toEqual([true, 200, 'thanks']);
    expect(out.changed).toEqual(['paused', 'DISABLED', true]);
    expect(out.listed).toEqual(['paused']);
    expect(out.deleted).toBe('RESOURCE_DOES_NOT_EXIST');
    expect([out.beta_webhooks, out.beta_gets]).toEqual([0, 'RESOURCE_DOES_NOT_EXIST']);
  });

  test("calls carry the team's events only, and MLflow's own signature", () => {
    expect(out.signed).toEqual([true, true, true]);
    const [tested, ...others] = out.told as unknown[][];
    expect(tested).toEqual([
      'model_version_alias.created',
      'alpha',
      expect.objectContaining({ name: 'example_model' }),
    ]);
    // Two calls of one webhook may be under way at a time: their order is not promised.
    expect(others.sort((a, b) => String(a[0]).localeCompare(String(b[0])))).toEqual([
      ['model_version_alias.created', 'alpha', { name: 'churn', alias: 'champion', version: '1' }],
      [
        'prompt_version.created',
        'alpha',
        expect.objectContaining({ name: 'greeting', version: '1', template: 'Hello {{name}}!' }),
      ],
    ]);
  });
});
