import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClient } from '../client/index.ts';
import { type Answer, answerSchema } from '../contract/answer.ts';
import { completenessSchema } from '../contract/completeness.ts';
import { diffSchema } from '../contract/diff.ts';
import { receiptMessageSchema, statusSchema } from '../contract/status.ts';
import { loadConfig } from '../server/config.ts';
import { type RunningServer, startServer } from '../server/index.ts';
import { Database } from '../store/sqlite/database.ts';
import { captureCli } from '../testing/cli.ts';
import { exitCodes } from './io.ts';

const directory = mkdtempSync(join(tmpdir(), 'wherefrom-verbs-'));
const data = join(directory, 'data');
const environment = {
  config: {},
  data: undefined,
  configFile: undefined,
  apiKey: undefined,
  url: undefined,
  noColor: true,
};
let server: RunningServer;

async function post(path: string, body: unknown): Promise<void> {
  const response = await fetch(server.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
}

const start = (): Promise<RunningServer> =>
  startServer(loadConfig({ port: 0, data }, environment).config);

beforeAll(async () => {
  server = await start();
  await post('/api/v1/lineage', cleaning);
  await post('/api/2.0/mlflow/registered-models/create', { name: 'credit-risk' });
  const version = { name: 'credit-risk', source: 's3://models/1' };
  await post('/api/2.0/mlflow/model-versions/create', version);
  const client = createClient({ url: server.url });
  await client.recordDeployment({
    name: 'scoring',
    modelVersion: 'credit-risk@1',
    by: 'Ada Lovelace',
  });
  await client.recordPredictions(
    ['applicant-1', 'applicant-2'].map((id) => ({ id, deployment: 'scoring', output: 0.5 })),
  );
  await client.recordOutcomes([{ prediction: 'applicant-1', type: 'truth', value: 1 }]);
  await client.makeStatement({ ref: 'credit-risk@1', type: 'approval', author: 'Ada Lovelace' });
});
afterAll(async () => {
  await server.stop();
  rmSync(directory, { recursive: true, force: true });
});

const dataset = (namespace: string, name: string, columns: string[], facets: object = {}) => ({
  namespace,
  name,
  facets: {
    schema: {
      _producer: 'p',
      _schemaURL: 's',
      fields: columns.map((column) => ({ name: column })),
    },
    ...facets,
  },
});
const cleaning = {
  eventType: 'COMPLETE',
  eventTime: '2026-01-01T00:00:00Z',
  producer: 'p',
  schemaURL: 'https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent',
  run: { runId: '0190a000-0000-7000-8000-000000000001', facets: {} },
  job: { namespace: 'dbt', name: 'clean_credit', facets: {} },
  inputs: [dataset('file', '/data/raw.csv', ['age'])],
  outputs: [
    dataset('duckdb', 'main.clean', ['age_years'], {
      columnLineage: {
        _producer: 'p',
        _schemaURL: 's',
        fields: {
          age_years: {
            inputFields: [{ namespace: 'file', name: '/data/raw.csv', field: 'age' }],
          },
        },
      },
    }),
  ],
};

const run = (...argv: string[]) => captureCli(argv, { ...environment, url: server.url });

describe('reading verbs on a running server', () => {
  it('trace a bare ref up to the deployment, the model version and the person', async () => {
    const { code, out } = await run('applicant-1');
    expect(code).toBe(exitCodes.done);
    expect(out).toMatch(/^prediction applicant-1/);
    expect(out).toContain('└─ deployment scoring@1  served');
    expect(out).toContain('model version credit-risk@1  deployed-as · declared');
    expect(out).toContain('agent Ada Lovelace');
    expect(out).toContain('approval (Ada Lovelace)');
    expect(out).toContain('truth: 1');
    expect(out).toMatch(/Completeness \d+ %/);
    expect(out).toMatch(/Checkpoint: \d+ entries/);
  });

  it('trace a dataset down to its source columns', async () => {
    const { out } = await run('main.clean', '--columns');
    expect(out).toContain('· age_years ← age of /data/raw.csv');
    expect(out).toContain('job clean_credit');
  });

  it('count predictions in an impact, and never list them', async () => {
    const { out } = await run('impact', 'credit-risk@1');
    expect(out).toContain('2 predictions, counted, at deployment:default/scoring@1');
    expect(out).not.toContain('applicant-1');
  });

  it('answer in the shapes of the contract', async () => {
    const parse = async (...argv: string[]): Promise<unknown> =>
      JSON.parse((await run(...argv, '--json')).out);
    answerSchema.parse(await parse('trace', 'applicant-1', '--columns'));
    answerSchema.parse(await parse('impact', 'raw.csv#age'));
    completenessSchema.parse(await parse('completeness', 'credit-risk@1'));
    diffSchema.parse(await parse('diff', 'applicant-1', 'credit-risk@1'));
    const client = createClient({ url: server.url });
    statusSchema.parse(await client.status());
    receiptMessageSchema.parse(await client.receipt(1, 0));
  });

  it('fail as a gate below a score', async () => {
    expect((await run('completeness', 'credit-risk@1', '--min', '100')).code).toBe(
      exitCodes.failed,
    );
    expect((await run('completeness', 'credit-risk@1', '--min', '0')).code).toBe(exitCodes.done);
  });

  it('fail as a gate where nothing can be judged, and say so', async () => {
    const { nodes } = JSON.parse((await run('trace', 'main.clean', '--json')).out);
    const { ref } = nodes.find(({ kind }: { kind: string }) => kind === 'source');
    const { code, err, out } = await run('completeness', ref, '--min', '0');
    expect(code).toBe(exitCodes.failed);
    expect(err).toContain('nothing to judge');
    expect(out).toContain('Not judged');
    expect((await run('trace', ref)).out).toContain('Completeness: nothing to judge.');
    expect((await run('applicant-1', '--depth', '1')).out).toContain('Completeness: not judged');
  });

  it('judge how complete a lineage was at a position', async () => {
    const now = JSON.parse((await run('completeness', 'credit-risk@1', '--json')).out);
    const at = now.asOf.position - 1;
    const asked = ['completeness', 'credit-risk@1', '--json', '--as-of', String(at)];
    expect(JSON.parse((await run(...asked)).out).asOf).toEqual({ position: at });
  });

  it.each([
    ['trace', 'applicant-1'],
    ['completeness', 'credit-risk@1'],
    ['diff', 'credit-risk@1', 'applicant-1'],
  ])('answer as of an earlier position: %s', async (...verb) => {
    const { err, code } = await run(...verb, '--as-of', '0');
    expect(code).toBe(exitCodes.failed);
    expect(err).toContain('at that moment');
  });

  it('list whole refs to copy when a ref is ambiguous', async () => {
    const { code, err } = await run('applicant-');
    expect(code).toBe(exitCodes.failed);
    expect(err).toContain('can mean 2 things');
    expect(err).toContain('  prediction:default/applicant-2  ');
    expect((await run('trace', 'prediction:default/applicant-2')).code).toBe(exitCodes.done);
  });

  it('say which versions there are, and what is near', async () => {
    expect((await run('credit-risk@7')).err).toContain('credit-risk@1');
    expect((await run('clean_credti')).err).toContain('job:dbt/clean_credit');
  });

  it('answer the same from the directory itself', async () => {
    const strip = (text: string): unknown => ({
      ...JSON.parse(text),
      checkpoint: 0,
      asked: 0,
      asOf: 0,
    });
    const online = await run('trace', 'applicant-1', '--json');
    const offline = await run('trace', 'applicant-1', '--json', '--data', data);
    expect(strip(offline.out)).toEqual(strip(online.out));
  });

  it('doctor names the protocols', async () => {
    expect((await run('doctor', '--url', server.url)).out).toContain('(openlineage)');
  });
});

describe('verify and rebuild', () => {
  const answer = join(directory, 'answer.json');
  const note = join(directory, 'checkpoint');

  it('proves the record and what was kept of it, beside a running server', async () => {
    writeFileSync(answer, (await run('trace', 'applicant-1', '--json')).out);
    writeFileSync(note, await createClient({ url: server.url }).checkpoint());
    for (const file of [[], [answer], [note]]) {
      const { code, out } = await run('verify', ...file, '--data', data);
      expect(out).toContain('✓ Verified');
      expect(code).toBe(exitCodes.done);
    }
  });

  it('finds an answer that was changed', async () => {
    const text = (await run('trace', 'applicant-1', '--json')).out;
    const wrong = join(directory, 'wrong.json');
    for (const change of [
      text.replace(/"size": \d+/, '"size": 2'),
      // Never the same as before: in base64 an underscore may stand for a slash.
      text.replace(/"root": "(.)/, (_, first) => `"root": "${first === 'A' ? 'B' : 'A'}`),
      text.replace(/"positions": \[/, '"positions": [99999,'),
      text.replace(/"origin": "[^"]+"/, '"origin": "other"'),
      '{}',
      'no checkpoint',
    ]) {
      writeFileSync(wrong, change);
      expect((await run('verify', wrong, '--data', data)).code).toBe(exitCodes.unverified);
    }
  });

  it('asks again what an answer answers, and finds what was forged', async () => {
    const client = createClient({ url: server.url });
    const file = join(directory, 'kept.json');
    const kept = [
      (await run('trace', 'applicant-1', '--json')).out,
      (await run('trace', 'credit-risk@1', '--json', '--depth', '1', '--kinds', 'run,agent')).out,
      (await run('impact', 'raw.csv', '--json', '--columns')).out,
      (await run('completeness', 'credit-risk@1', '--json')).out,
      JSON.stringify(await client.statements('credit-risk@1')),
    ];
    // What is recorded later changes nothing of what was so.
    await client.makeStatement({ ref: 'credit-risk@1', type: 'incident', text: 'Too late.' });
    await client.recordPredictions([{ id: 'later', deployment: 'scoring', output: 0.1 }]);
    for (const text of kept) {
      writeFileSync(file, text);
      const { code, out } = await run('verify', file, '--data', data);
      expect(out).toContain('the record answers the same');
      expect(code).toBe(exitCodes.done);
    }
    const forge = async (text: string, change: (answer: Answer) => void) => {
      const answer = JSON.parse(text);
      change(answer);
      writeFileSync(file, JSON.stringify(answer));
      return run('verify', file, '--data', data);
    };
    const [trace = '', , , completeness = ''] = kept;
    const forgeries: ((answer: Answer) => void)[] = [
      ({ nodes }) => nodes.pop(),
      ({ edges }) => edges.pop(),
      ({ nodes }) => Object.assign(nodes[0]?.attributes ?? {}, { output: 0.1 }),
      (answer) => Object.assign(answer.completeness, { score: 1, missing: [] }),
      (answer) => Object.assign(answer, { ref: 'prediction:default/nobody' }),
      (answer) => Object.assign(answer, { extra: true }),
    ];
    for (const change of forgeries) {
      const { code, out } = await forge(trace, change);
      expect(out).toContain('✗ Not what the record answers');
      expect(out).not.toContain('✓ Verified');
      expect(code).toBe(exitCodes.failed);
    }
    const perfect = await forge(completeness, (answer) => Object.assign(answer, { score: 1 }));
    expect(perfect.code).toBe(exitCodes.failed);
    const diff = await forge(
      (await run('diff', 'credit-risk@1', 'applicant-1', '--json')).out,
      () => {},
    );
    expect(diff).toMatchObject({ code: exitCodes.done });
    expect(diff.out).toContain('Checked was only its checkpoint');
  });

  it('refuses to rebuild under a running server', async () => {
    const { code, err } = await run('rebuild', '--data', data);
    expect(code).toBe(exitCodes.failed);
    expect(err).toContain('in use');
  });

  it('rebuilds to the same, and finds a projection that nobody told of', async () => {
    await server.stop();
    const same = await run('rebuild', '--check', '--data', data);
    expect(same.out).toContain('comes out the same');
    const db = new Database(join(data, 'store.db'), 'write');
    db.exec("UPDATE lineage_nodes SET name = 'forged' WHERE name = 'clean_credit'");
    db.close();
    expect((await run('rebuild', '--check', '--data', data)).code).toBe(exitCodes.unverified);
    expect((await run('rebuild', '--data', data)).code).toBe(exitCodes.done);
    expect((await run('rebuild', '--check', '--data', data)).code).toBe(exitCodes.done);
    server = await start();
  });

  it('gc counts what nothing names, and asks before it removes what may be of others', async () => {
    await server.stop();
    const elsewhere = join(directory, 'elsewhere');
    const dry = await run('gc', '--dry-run', '--data', data, '--artifacts', elsewhere);
    expect(dry).toMatchObject({ code: exitCodes.done });
    expect(dry.out).toBe('Would remove 0 blobs of 0 bytes that nothing names any more.');
    const asked = await run('gc', '--data', data, '--artifacts', elsewhere);
    expect(asked.code).toBe(exitCodes.usage);
    expect(asked.err).toContain('--exclusive');
    for (const flags of [['--artifacts', elsewhere, '--exclusive'], []]) {
      const { code, out } = await run('gc', '--data', data, '--json', ...flags);
      expect(code).toBe(exitCodes.done);
      expect(JSON.parse(out)).toMatchObject({ dryRun: false, removed: { blobs: 0, bytes: 0 } });
    }
    server = await start();
  });

  it('says of webhooks that there are none, and of a workspace that is there nothing', async () => {
    expect(await run('webhook', 'list')).toMatchObject({
      code: exitCodes.done,
      out: 'There are no webhooks in this workspace.',
    });
    await run('workspace', 'create', 'fraud');
    // Its key would close this server for all others: made for a copy.
    const copy = join(directory, 'copy');
    await server.stop();
    cpSync(data, copy, { recursive: true });
    server = await start();
    const args = ['key', 'create', '--name', 'a', '--workspace', 'fraud', '--workspace', 'other'];
    const { err } = await run(...args, '--data', copy);
    expect(err).toContain('There is no workspace "other" yet');
    expect(err).not.toContain('"fraud"');
  });

  it('finds a flipped byte', async () => {
    await server.stop();
    const db = new Database(join(data, 'store.db'), 'write');
    db.exec(
      'UPDATE log_entries SET entry = CAST(replace(CAST(entry AS TEXT), \'"count":1\', \'"count":2\') AS BLOB) WHERE position = 1',
    );
    db.close();
    const { code, out } = await run('verify', '--data', data);
    expect(code).toBe(exitCodes.unverified);
    expect(out).toContain('✗ Not verified');
    expect((await run('verify', answer, '--data', data)).code).toBe(exitCodes.unverified);
    server = await start();
  });
});
