import { isObject, type JsonObject } from '../../../base/json.ts';
import { limits } from '../../../base/limits.ts';
import type { DecideContext, Tokenise } from '../../../door/index.ts';
import type { Fact, FactContext } from '../../../facts/facts.ts';
import type { TrackedDataset } from '../../../facts/tracking-facts.ts';
import { datasetName, deltaVersion, evaluationDatasetId, roleOf } from '../lineage/dataset-name.ts';
import { modelRef, runRef } from '../lineage/refs.ts';
import { startOr } from '../lineage/run-facts.ts';
import { schemaFields } from '../lineage/schema.ts';
import { mlflowOperation, userTag } from '../operation.ts';
import type { LogInputs, LogOutputs } from '../tracking/wire.ts';
import { getActiveRun, getActiveRunHead, tagMap } from './define.ts';

type Logged = {
  readonly experiment_id: string;
  readonly start_time: number;
  /** Evaluation datasets among the inputs, by id, with their digests now; absent when there are none. */
  readonly evaluation?: { readonly [id: string]: string };
};
type WireDataset = NonNullable<LogInputs['datasets']>[number];

const contextTag = 'mlflow.data.context';

function toDataset({ dataset }: WireDataset): TrackedDataset {
  const { name, digest, source_type: sourceType, source, schema, profile } = dataset;
  return { name, digest, sourceType, source, schema, profile };
}

/** The source of a dataset that code made carries the run's tags, the user among them. */
function sourceWithoutPersons(source: string, tokenise: Tokenise): string {
  if (!source.includes(userTag)) return source;
  try {
    const value: unknown = JSON.parse(source);
    if (!isObject(value) || !isObject(value.tags)) return source;
    const user = value.tags[userTag];
    if (typeof user !== 'string') return source;
    return JSON.stringify({ ...value, tags: { ...value.tags, [userTag]: tokenise(user) } });
  } catch {
    return source;
  }
}

/** The first of each (name, digest): a message may name a dataset twice. */
function uniqueDatasets(body: LogInputs): readonly WireDataset[] {
  const byIdentity = new Map<string, WireDataset>();
  for (const input of body.datasets ?? []) {
    const identity = JSON.stringify([input.dataset.name, input.dataset.digest]);
    if (!byIdentity.has(identity)) byIdentity.set(identity, input);
  }
  return [...byIdentity.values()];
}

/** Digests of the evaluation datasets among the inputs, as they are now. */
async function evaluationDigests(
  body: LogInputs,
  { state, workspace }: DecideContext,
): Promise<Pick<Logged, 'evaluation'>> {
  const digests: Record<string, string> = {};
  for (const input of body.datasets ?? []) {
    const id = evaluationDatasetId(toDataset(input));
    const row = id === undefined ? undefined : await state.evaluation.findDataset(workspace, id);
    if (row !== undefined) digests[row.id] = row.digest;
  }
  return Object.keys(digests).length === 0 ? {} : { evaluation: digests };
}

/** JSON text as JSON when it is small enough for an attribute. */
function attribute(name: string, text: string | undefined): JsonObject {
  if (text === undefined || text === '' || text.length > limits.attributeBytesMax) return {};
  try {
    return { [name]: JSON.parse(text) };
  } catch {
    return { [name]: text };
  }
}

function readFact(run: string, input: WireDataset, decided: Logged, context: FactContext): Fact {
  const { workspace } = context;
  const dataset = toDataset(input);
  const fields = schemaFields(dataset.schema);
  const evaluation = evaluationDatasetId(dataset);
  const current = evaluation === undefined ? undefined : decided.evaluation?.[evaluation];
  // The client keeps the digest that the dataset had when it was made or asked for, but reads the
  // records that are there now.
  const stale = current !== undefined && current !== dataset.digest;
  const version = deltaVersion(dataset) ?? `mlflow-${current ?? dataset.digest}`;
  return {
    kind: 'dataset.read',
    run: runRef(workspace, run),
    dataset: datasetName(dataset, { workspace, experiment: decided.experiment_id }),
    digest: { algorithm: 'mlflow', value: dataset.digest },
    version,
    // mlflow.genai.evaluate names no context.
    role: roleOf(tagMap(input.tags)[contextTag]) ?? (evaluation && 'evaluation'),
    known: stale ? 'inferred' : 'observed',
    rule: stale ? 'evaluation-dataset-now' : 'mlflow.runs/log-inputs',
    time: startOr(decided.start_time, context),
    attributes: {
      name: dataset.name,
      digest: current ?? dataset.digest,
      sourceType: dataset.sourceType,
      ...attribute('profile', dataset.profile),
      ...(fields.length === 0
        ? {}
        : {
            schema: fields.map(({ name, type }) => ({ name, type })),
            fields: fields.map(({ name }) => name),
          }),
    },
  };
}

export const logInputs = mlflowOperation<LogInputs, Record<string, never>, Logged>({
  operation: 'runs/log-inputs',
  persons(body, tokenise) {
    if (!body.datasets?.some(({ dataset }) => dataset.source.includes(userTag))) return body;
    const datasets = body.datasets.map(({ dataset, ...input }) => ({
      ...input,
      dataset: { ...dataset, source: sourceWithoutPersons(dataset.source, tokenise) },
    }));
    return { ...body, datasets };
  },
  async decide(body, context) {
    const run = await getActiveRun(body.run_id, context);
    const { tracking } = context.state;
    const known = new Set(
      (await tracking.inputs([run.key])).map(({ dataset }) =>
        JSON.stringify([dataset.name, dataset.digest]),
      ),
    );
    const models = new Set((await tracking.modelInputs([run.key])).map(({ model }) => model));
    const news =
      (body.models ?? []).some(({ model_id }) => !models.has(model_id)) ||
      uniqueDatasets(body).some(
        ({ dataset }) => !known.has(JSON.stringify([dataset.name, dataset.digest])),
      );
    if (!news) return { unchanged: {} };
    const decided = { experiment_id: run.experimentId, start_time: run.startTime };
    return { decided: { ...decided, ...(await evaluationDigests(body, context)) }, answer: {} };
  },
  facts(message, decided, context) {
    const run = message.run_id;
    const datasets = uniqueDatasets(message);
    const models = (message.models ?? []).map(({ model_id }) => model_id);
    const tracked = datasets.map((input) => ({
      dataset: toDataset(input),
      tags: input.tags ?? [],
    }));
    return [
      { kind: 'inputs.logged', run, datasets: tracked, models },
      ...datasets.map((input) => readFact(run, input, decided, context)),
      ...models.map(
        (model): Fact => ({
          kind: 'relation.stated',
          relation: 'read-by',
          from: modelRef(context.workspace, model),
          to: runRef(context.workspace, run),
          known: 'observed',
          rule: 'mlflow.runs/log-inputs',
          time: startOr(decided.start_time, context),
        }),
      ),
    ];
  },
});

export const logOutputs = mlflowOperation<LogOutputs, Record<string, never>, Record<string, never>>(
  {
    operation: 'runs/outputs',
    async decide(body, context) {
      const run = await getActiveRunHead(body.run_id, context);
      const outputs = await context.state.tracking.modelOutputs([run.key]);
      const known = new Set(outputs.map(({ model, step }) => `${model} ${step}`));
      const news = body.models.some(({ model_id, step }) => !known.has(`${model_id} ${step ?? 0}`));
      return news ? { decided: {}, answer: {} } : { unchanged: {} };
    },
    facts(message, _decided, { workspace, time }) {
      const models = message.models.map(({ model_id, step }) => ({
        model: model_id,
        step: step ?? 0,
      }));
      return [
        { kind: 'outputs.logged', run: message.run_id, models },
        ...models.map(
          ({ model }): Fact => ({
            kind: 'relation.stated',
            relation: 'produced',
            from: runRef(workspace, message.run_id),
            to: modelRef(workspace, model),
            known: 'observed',
            rule: 'mlflow.runs/outputs',
            time,
          }),
        ),
      ];
    },
  },
);
