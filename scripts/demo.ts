/**
 * `npm run demo`: a real pipeline with unmodified clients, from a CSV file to a refused applicant,
 * and then the two questions that lineage is for.
 * Usage: npm run demo -- [--exit] [--json FILE] [--data DIR] [--port N]
 * It keeps serving until Ctrl-C, or with --exit ends. A second run adds to the first.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Client, createClient } from '../src/client/index.ts';
import { countPredictions, type DemoAnswers, findGaps } from './demo/check.ts';
import { createRunPython, files, placePipeline, placeSource } from './demo/pipeline.ts';
import { type DemoServer, startServer } from './demo/server.ts';
import { ensurePythonEnv } from './python-env.ts';

const usualUrl = 'http://127.0.0.1:4747';
const stepCount = 9;
let stepNumber = 0;
/** True once everything has been shown and checked. */
let finished = false;

const interruption = new AbortController();
const flags = readFlags();

await main().catch((error: unknown) => {
  if (interruption.signal.aborted) return;
  console.error(`\nThe demo failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});

async function main(): Promise<void> {
  step('Python environment with mlflow, scikit-learn, openlineage-python and duckdb');
  const { python } = await ensurePythonEnv({ log: note });

  step('Server');
  const server = await startServer({ data: resolve(flags.data), port: flags.port });
  note(`${server.url}, data in ${shown(flags.data)}`);
  endWith(server);
  try {
    const client = createClient({ url: server.url });
    const refused = await runPipeline(client, { python, url: server.url });
    await showAnswers(client, server, refused);
    finished = true;
    if (flags.exit) return;
    console.log(`\nServing at ${server.url} until Ctrl-C.`);
    await server.ended;
  } finally {
    await server.stop();
  }
}

/** Steps 3 to 8. @returns the id of a refused applicant's prediction. */
async function runPipeline(
  client: Client,
  { python, url }: { readonly python: string; readonly url: string },
): Promise<string> {
  const runPython = createRunPython({ python, url, signal: interruption.signal });

  step('Source file: German credit data, 1,000 applicants');
  await placeSource(python);
  const commit = await placePipeline();
  note(shown(files.source));
  note(`${shown(files.pipeline)}, ${commit ? `git commit ${commit.slice(0, 10)}` : 'without git'}`);

  step('Transformation: DuckDB, reported by the OpenLineage client');
  note(await runPython('transform.py', files.source, files.features));

  step('Training: scikit-learn, logged and registered by the MLflow client');
  const trained = JSON.parse(lastLine(await runPython('train.py', files.features))) as Training;
  for (const { version, auc } of trained.versions) {
    note(`credit-risk version ${version}: AUC ${auc.toFixed(3)} on the test data`);
  }

  step(`Deployment: credit-risk version ${trained.champion}, approved and in production`);
  const threshold = 0.5;
  await deploy(client, trained.champion, threshold);

  step('Scoring service: loads the model from the registry, scores every applicant');
  const scored = await runPython(
    'score.py',
    files.source,
    'credit-scoring',
    'models:/credit-risk@champion',
    `${threshold}`,
  );
  const decisions = Object.entries(JSON.parse(lastLine(scored)) as Record<string, string>);
  const refused = decisions.filter(([, decision]) => decision === 'refuse').map(([id]) => id);
  note(`${decisions.length} predictions recorded, ${refused.length} applicants refused`);

  step('Outcomes: what became of some of the loans, and a decision that a person changed');
  await recordOutcomes(client, decisions, refused);
  const [example] = refused;
  if (example === undefined) throw new Error('the model refused nobody');
  return example;
}

/** What train.py prints. */
interface Training {
  readonly versions: readonly { readonly version: number; readonly auc: number }[];
  readonly champion: number;
}

async function deploy(client: Client, version: number, threshold: number): Promise<void> {
  const modelVersion = `credit-risk@${version}`;
  await client.makeStatement({
    ref: modelVersion,
    type: 'intendedUse',
    text: 'Pre-selection of consumer loans up to 20,000 DM. A person decides on every complaint.',
  });
  await client.makeStatement({
    ref: modelVersion,
    type: 'approval',
    text: 'Better than the version before on the test data; sex is not used.',
    author: 'Dana Okafor',
  });
  await client.recordDeployment({
    name: 'credit-scoring',
    model: 'credit-risk',
    alias: 'champion',
    environment: 'production',
    endpoint: 'https://credit.example.com/v1/score',
    // Made up: no container is built here. In your pipeline it is what the registry says.
    imageDigest: 'sha256:5c9a1f1e0c2b7d8f4a6e3b9d0c1f2e4a5b6c7d8e9f0a1b2c3d4e5f6a7b8c9d0e',
    configuration: { threshold },
    by: 'Dana Okafor',
  });
}

/** The truth about the first 200 applicants, and one refusal that a person overrode. */
async function recordOutcomes(
  client: Client,
  decisions: readonly (readonly [id: string, decision: string])[],
  refused: readonly string[],
): Promise<void> {
  // The first column of the source is `risk`: 1 paid back, 0 did not.
  const rows = (await readFile(files.source, 'utf8')).trim().split('\n').slice(1);
  const truths = decisions.slice(0, 200).map(([prediction], index) => ({
    prediction,
    type: 'truth' as const,
    value: rows[index]?.startsWith('1') ? 'repaid' : 'defaulted',
    horizonDays: 30,
  }));
  const override = {
    prediction: refused.at(-1) ?? '',
    type: 'override' as const,
    value: 'grant',
    by: 'Robin Vega',
    reason: 'Income documents that the application lacked.',
  };
  const answer = await client.recordOutcomes([...truths, override]);
  if (answer.flagged || answer.refused) throw new Error(`outcomes: ${JSON.stringify(answer)}`);
  note(`${truths.length} outcomes after 30 days, 1 override`);
}

/** Step 9: asks both questions as a user would, and checks that nothing is missing in the answers. */
async function showAnswers(client: Client, server: DemoServer, refused: string): Promise<void> {
  step('Answers');
  const column = `${files.source}#age`;
  console.log(`\n$ bin/wherefrom trace ${refused} --columns\n`);
  console.log(await server.ask('trace', refused, '--columns'));
  console.log(`\n$ bin/wherefrom impact '${column}'\n`);
  console.log(await server.ask('impact', column));

  const answers = {
    trace: await client.trace({ ref: refused, columns: true }),
    impact: await client.impact({ ref: column }),
  };
  if (flags.json) await writeFile(flags.json, `${JSON.stringify(answers, null, 2)}\n`);
  await check(client, answers);
  printAddresses(server.url, refused, column);
}

async function check(client: Client, { trace, impact }: DemoAnswers): Promise<void> {
  const gaps = findGaps(trace, files.source);
  if (gaps.length > 0) throw new Error(`the trace has gaps:\n  ${gaps.join('\n  ')}`);
  const reached = countPredictions(impact);
  const made = countPredictions(await client.impact({ ref: 'model:default/credit-risk' }));
  if (reached !== made || made === 0) {
    throw new Error(`the column age reached ${reached} predictions, but the model made ${made}`);
  }
  const unused = await client.impact({ ref: `${files.source}#sex` });
  if (countPredictions(unused) > 0)
    throw new Error('sex reached predictions, but no feature uses it');
  console.log('Checked: the trace has no gap from the prediction to the source columns;');
  console.log(`the column age reached all ${reached} predictions, the column sex none.`);
}

/** Where both can be asked again: of the server, or after --exit of the data directory. */
function printAddresses(url: string, refused: string, column: string): void {
  const query = (text: string): string => encodeURIComponent(text);
  const data = ` --data ${shown(flags.data)}`;
  const option = flags.exit ? data : url === usualUrl ? '' : ` --url ${url}`;
  const base = flags.exit ? usualUrl : url;
  console.log(`
Ask again:
  bin/wherefrom trace ${refused} --columns${option}
  bin/wherefrom impact '${column}'${option}
${flags.exit ? `or, while "bin/wherefrom serve${data}" runs:` : 'or'}
  ${base}/api/wherefrom/v1/trace?ref=${query(refused)}&columns=true
  ${base}/api/wherefrom/v1/impact?ref=${query(column)}`);
}

/** Ctrl-C, or a kill of this process alone: ends what is under way, then the server gracefully. */
function endWith(server: DemoServer): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      console.log('\nStopping.');
      if (!finished) {
        interruption.abort();
        process.exitCode = 130;
      }
      void server.stop();
    });
  }
}

function readFlags() {
  try {
    return parseArgs({
      options: {
        exit: { type: 'boolean', default: false },
        json: { type: 'string' },
        data: { type: 'string', default: files.data },
        port: { type: 'string' },
      },
    }).values;
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    console.error('Usage: npm run demo -- [--exit] [--json FILE] [--data DIR] [--port N]');
    process.exit(2);
  }
}

function step(what: string): void {
  stepNumber += 1;
  console.log(`[${stepNumber}/${stepCount}] ${what}`);
}

function note(line: string): void {
  console.log(`      ${line.trimEnd()}`);
}

function shown(path: string): string {
  const short = relative('', path);
  return short.startsWith('..') ? path : short;
}

function lastLine(output: string): string {
  return output.trimEnd().split('\n').at(-1) ?? '';
}
