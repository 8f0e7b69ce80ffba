import { isObject, type JsonObject } from '../../../base/json.ts';
import { limits } from '../../../base/limits.ts';
import type { DecideContext } from '../../../door/index.ts';
import type { Fact, FactContext } from '../../../facts/facts.ts';
import { findRef } from '../../../facts/ref.ts';
import type { TrackedDataset } from '../../../facts/tracking-facts.ts';
import { datasetNames, evaluationDatasetId, hasPlace, roleOf } from '../lineage/dataset-name.ts';
import { mayHoldSecrets, sourceWithoutSecrets } from '../lineage/dataset-secrets.ts';
import { datasetVersion } from '../lineage/dataset-version.ts';
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
  /** Models among the inputs that the run made itself; absent when there are none. */
  readonly made?: readonly string[];
};
type WireDataset = NonNullable<LogInputs['datasets']>[number];

const contextTag = 'mlflow.data.context';

function toDataset({ dataset }: WireDataset): TrackedDataset {
  const { name, digest, source_type: sourceType, source, schema, profile } = dataset;
  return { name, digest, sourceType, source, schema, profile };
}

const identity = ({ dataset: { name, digest } }: WireDataset): string =>
  JSON.stringify([name, digest]);

const contextOf = (input: WireDataset): string => tagMap(input.tags)[contextTag] ?? '';

/** The first of each key. */
function firstOf(
  inputs: readonly WireDataset[],
  keyOf: (input: WireDataset) => string,
): readonly WireDataset[] {
  const first = new Map<string, WireDataset>();
  for (const input of inputs) if (!first.has(keyOf(input))) first.set(keyOf(input), input);
  return [...first.values()];
}

/** MLflow keeps a dataset of a run once, with the context that it was logged in first. */
const uniqueDatasets = (body: LogInputs): readonly WireDataset[] =>
  firstOf(body.datasets ?? [], identity);

/** Each context is a read of its own: data may be trained and validated on. */
const uniqueReads = (body: LogInputs): readonly WireDataset[] =>
  firstOf(body.datasets ?? [], (input) => `${identity(input)} ${roleOf(contextOf(input)) ?? ''}`);

/** Reads in a context that the run is not known for, of datasets that it is known to have read. */
async function newRoles(
  run: { readonly id: string; readonly experiment: string },
  inputs: readonly WireDataset[],
  { state, workspace }: DecideContext,
): Promise<boolean> {
  const asked = inputs.filter((input) => contextOf(input) !== '');
  if (asked.length === 0) return false;
  const node = await state.lineage.findNode(runRef(workspace, run.id));
  const uses = node === undefined ? [] : await state.lineage.usesOfRuns([node.key]);
  const nodes = await state.lineage.nodes(uses.flatMap(({ version }) => version ?? []));
  const versions = new Map(nodes.map(({ key, ref }) => [key, findRef(ref)?.version]));
  const known = new Set(
    uses.map(({ version, role }) => `${version === null ? '' : versions.get(version)} ${role}`),
  );
  return asked.some((input) => {
    const { version = '' } = named(toDataset(input), workspace, run.experiment);
    return !known.has(`${version} ${roleOf(contextOf(input))}`);
  });
}

/** Of the models, those that came out of the run: autolog of Keras names them with its datasets. */
async function madeBy(
  run: string,
  models: NonNullable<LogInputs['models']>,
  { state, workspace }: DecideContext,
): Promise<string[]> {
  const made: string[] = [];
  for (const { model_id: id } of models) {
    const model = await state.tracking.findLoggedModel(workspace, id);
    if (model?.sourceRun === run) made.push(id);
  }
  return made;
}

/** The names of a dataset and of the files that it was put together from, and which version it is. */
function named(dataset: TrackedDataset, workspace: string, experiment: string) {
  const [name, ...files] = datasetNames(dataset, { workspace, experiment });
  return {
    name,
    files,
    version: datasetVersion(dataset, { hasPlace: hasPlace(name, workspace) }),
  };
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

/** What the source says, without who wrote it. */
function sourceAttribute(source: string): JsonObject {
  const { source: said } = attribute('source', source);
  if (!isObject(said) || !isObject(said.tags)) return said === undefined ? {} : { source: said };
  const { [userTag]: _, ...tags } = said.tags as JsonObject; // parsed from JSON
  return { source: { ...said, tags } as JsonObject };
}

function readFacts(
  run: string,
  input: WireDataset,
  decided: Logged,
  context: FactContext,
): readonly Fact[] {
  const { workspace } = context;
  const dataset = toDataset(input);
  const fields = schemaFields(dataset.schema);
  const evaluation = evaluationDatasetId(dataset);
  const current = evaluation === undefined ? undefined : decided.evaluation?.[evaluation];
  // The client keeps the digest that the dataset had when it was made or asked for, but reads the
  // records that are there now.
  const stale = current !== undefined && current !== dataset.digest;
  const digest = current ?? dataset.digest;
  const { name, files, version } = named({ ...dataset, digest }, workspace, decided.experiment_id);
  const read = {
    kind: 'dataset.read',
    run: runRef(workspace, run),
    // mlflow.genai.evaluate names no context.
    role: roleOf(contextOf(input)) ?? (evaluation && 'evaluation'),
    known: stale ? 'inferred' : 'observed',
    time: startOr(decided.start_time, context),
  } as const;
  const attributes: JsonObject = {
    name: dataset.name,
    digest,
    sourceType: dataset.sourceType,
    ...sourceAttribute(dataset.source),
    ...attribute('profile', dataset.profile),
    ...(fields.length === 0
      ? {}
      : {
          schema: fields.map(({ name, type }) => ({ name, type })),
          fields: fields.map(({ name }) => name),
        }),
  };
  return [
    {
      ...read,
      dataset: name,
      ...(version === undefined
        ? {}
        : { version, digest: { algorithm: 'mlflow', value: dataset.digest } }),
      rule: stale ? 'evaluation-dataset-now' : 'mlflow.runs/log-inputs',
      attributes,
    },
    // The digest is over all of them: which version of each was read is for the graph to find.
    ...files.map((file): Fact => ({ ...read, dataset: file, rule: 'mlflow.dataset.data_files' })),
  ];
}

export const logInputs = mlflowOperation<LogInputs, Record<string, never>, Logged>({
  operation: 'runs/log-inputs',
  persons(body, tokenise) {
    if (!body.datasets?.some(({ dataset }) => mayHoldSecrets(dataset.source))) return body;
    const datasets = body.datasets.map(({ dataset, ...input }) => ({
      ...input,
      dataset: { ...dataset, source: sourceWithoutSecrets(dataset.source, tokenise) },
    }));
    return { ...body, datasets };
  },
  async decide(body, context) {
    const run = await getActiveRun(body.run_id, context);
    const { tracking } = context.state;
    const known = new Map(
      (await tracking.inputs([run.key])).map(({ dataset, tags }) => [
        JSON.stringify([dataset.name, dataset.digest]),
        tagMap(tags)[contextTag] ?? '',
      ]),
    );
    const models = new Set((await tracking.modelInputs([run.key])).map(({ model }) => model));
    const reads = uniqueReads(body);
    const again = reads.filter((input) => known.get(identity(input)) !== contextOf(input));
    const news =
      (body.models ?? []).some(({ model_id }) => !models.has(model_id)) ||
      reads.some((input) => !known.has(identity(input))) ||
      (await newRoles({ id: body.run_id, experiment: run.experimentId }, again, context));
    if (!news) return { unchanged: {} };
    const made = await madeBy(body.run_id, body.models ?? [], context);
    const decided = {
      experiment_id: run.experimentId,
      start_time: run.startTime,
      ...(made.length === 0 ? {} : { made }),
      ...(await evaluationDigests(body, context)),
    };
    return { decided, answer: {} };
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
      ...uniqueReads(message).flatMap((input) => readFacts(run, input, decided, context)),
      ...models
        .filter((model) => decided.made?.includes(model) !== true)
        .map(
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
