import { isObject, list, text } from '../../../base/json.ts';
import { limits } from '../../../base/limits.ts';
import type { DecideContext } from '../../../door/index.ts';
import type { Fact, FactContext } from '../../../facts/facts.ts';
import { formatRef } from '../../../facts/ref.ts';
import type { Known } from '../../../facts/relations.ts';
import type { TrackedDataset } from '../../../facts/tracking-facts.ts';
import { versionRef } from '../../../registry/index.ts';
import type { RunHead } from '../../../tracking/index.ts';
import { datasetNames, evaluationDatasetId, hasPlace } from './dataset-name.ts';
import { datasetVersion } from './dataset-version.ts';
import { modelRef, runRef } from './refs.ts';

/** What of a metric says which model was measured on what. */
export interface ModelMetric {
  readonly model_id?: string;
  readonly dataset_name?: string;
  readonly dataset_digest?: string;
}

/** A model that was evaluated on a version of a dataset, found when the metrics came. */
export type Evaluated = {
  /** Whole refs. */
  readonly models: readonly { readonly ref: string; readonly known: Known }[];
  readonly version: string;
  readonly known: Known;
};

/** Each pair of model and dataset once. */
function pairsOf(
  metrics: readonly ModelMetric[],
): { model: string; name: string; digest: string }[] {
  const pairs = new Map<string, { model: string; name: string; digest: string }>();
  for (const { model_id, dataset_name, dataset_digest } of metrics) {
    if (!model_id || !dataset_name || !dataset_digest) continue;
    const pair = { model: model_id, name: dataset_name, digest: dataset_digest };
    pairs.set(JSON.stringify(pair), pair);
  }
  return [...pairs.values()];
}

/** The logged model, and the versions that it was registered as before it was evaluated. */
async function modelsOf(
  id: string,
  { state, workspace }: DecideContext,
): Promise<Evaluated['models']> {
  const model = await state.tracking.findLoggedModel(workspace, id);
  const tags = model === undefined ? [] : await state.tracking.loggedModelTags([model.key]);
  const tag = tags.find(({ key }) => key === 'mlflow.modelVersions')?.value ?? '[]';
  const models: { ref: string; known: Known }[] = [
    { ref: modelRef(workspace, id), known: 'observed' },
  ];
  for (const item of registrations(tag)) {
    const row = await state.registry.findVersion(workspace, item.name, item.version);
    if (row?.modelId !== id) continue;
    models.push({ ref: versionRef(workspace, row, row.version), known: 'inferred' });
  }
  return models;
}

function registrations(tag: string): { name: string; version: number }[] {
  return items(tag).flatMap((item) => {
    if (!isObject(item)) return [];
    const name = text(item.name);
    const version = Number(item.version);
    return name === undefined || !Number.isSafeInteger(version) ? [] : [{ name, version }];
  });
}

/** The items of a list in JSON; none of what is no list. */
function items(json: string): readonly unknown[] {
  try {
    return list(JSON.parse(json));
  } catch {
    return [];
  }
}

/**
 * Which models the metrics of a message were measured on which datasets. A dataset is found among
 * the inputs of the run by name and digest; when it is not there, only its name is known.
 */
export async function findEvaluated(
  run: RunHead,
  metrics: readonly ModelMetric[],
  context: DecideContext,
): Promise<Evaluated[]> {
  const pairs = pairsOf(metrics);
  if (pairs.length === 0) return [];
  const inputs = await context.state.tracking.inputs([run.key]);
  const evaluated: Evaluated[] = [];
  for (const { model, name, digest } of pairs) {
    const input = inputs.find(({ dataset }) => dataset.name === name && dataset.digest === digest);
    const source = input?.dataset ?? { name, digest, sourceType: '', source: '' };
    evaluated.push({
      models: await modelsOf(model, context),
      version: await versionOf(source, run, context),
      known: input === undefined ? 'inferred' : 'observed',
    });
  }
  return evaluated;
}

/** The ref of the version that a dataset of a run is. */
async function versionOf(
  source: TrackedDataset,
  { experimentId: experiment }: RunHead,
  { state, workspace }: DecideContext,
): Promise<string> {
  const id = evaluationDatasetId(source);
  const managed = id === undefined ? undefined : await state.evaluation.findDataset(workspace, id);
  const [place] = datasetNames(source, { workspace, experiment });
  const said = { ...source, digest: managed?.digest ?? source.digest };
  const version =
    datasetVersion(said, { hasPlace: hasPlace(place, workspace) }) ?? `mlflow-${said.digest}`;
  return formatRef({ kind: 'datasetVersion', ...place, version });
}

/** The tag in which `mlflow.models.evaluate` says which model it measured on what. */
export const datasetsTag = 'mlflow.datasets';

/** What that tag says that it did not say before: each model, and the name and hash of the data. */
function entriesOf(tag: string, before: string): { model: string; name: string; hash: string }[] {
  const read = (json: string) =>
    items(json).flatMap((item) => {
      const [model, name, hash] = isObject(item)
        ? [text(item.model), text(item.name), text(item.hash) ?? '']
        : [];
      return model && name && hash !== undefined ? [{ model, name, hash }] : [];
    });
  const known = new Set(read(before).map((each) => JSON.stringify(each)));
  return read(tag)
    .filter((each) => !known.has(JSON.stringify(each)))
    .slice(0, limits.evaluatedModelsMax);
}

/** Logged models that a run measured: whole ids, and what they were evaluated on. */
export type Judged = {
  /** Those that the run did not make itself. */
  readonly read: readonly string[];
  readonly evaluated: readonly Evaluated[];
};

/**
 * Which logged models a run's tag `mlflow.datasets` tells of anew; undefined for none. A client logs
 * the data as an input before it sets the tag. The tag's hash is not the digest of that input, so the
 * input is found by its name, and is inferred where the run has several of the name.
 * Source: mlflow/data/evaluation_dataset.py (_log_dataset_tag).
 */
export async function findJudged(
  run: RunHead & { readonly id: string },
  tag: string,
  context: DecideContext,
): Promise<Judged | undefined> {
  const { tracking } = context.state;
  const entries = entriesOf(tag, (await tracking.findTag(run.key, datasetsTag)) ?? '');
  if (entries.length === 0) return undefined;
  const inputs = await tracking.inputs([run.key]);
  const read = new Set<string>();
  const evaluated: Evaluated[] = [];
  for (const { model, name, hash } of entries) {
    const row = await tracking.findLoggedModel(context.workspace, model);
    if (row === undefined) continue;
    if (row.sourceRun !== run.id) read.add(model);
    const named = inputs.filter(({ dataset }) => dataset.name === name);
    const exact = named.filter(({ dataset }) => dataset.digest === hash);
    const found = exact.length > 0 ? exact : named;
    const known = found.length === 1 ? 'observed' : 'inferred';
    const models = await modelsOf(model, context);
    for (const { dataset } of found.slice(0, limits.evaluatedModelsMax)) {
      evaluated.push({ models, version: await versionOf(dataset, run, context), known });
    }
  }
  return read.size + evaluated.length === 0 ? undefined : { read: [...read], evaluated };
}

/** The edges of what `findJudged` found. `started` is when the run began, ms since 1970. */
export function judgedFacts(
  run: string,
  judged: Judged | undefined,
  { workspace, time, started }: FactContext & { readonly started: number },
): Fact[] {
  if (judged === undefined) return [];
  const read = judged.read.map(
    (model): Fact => ({
      kind: 'relation.stated',
      relation: 'read-by',
      from: modelRef(workspace, model),
      to: runRef(workspace, run),
      known: 'observed',
      rule: datasetsTag,
      time: started,
    }),
  );
  return [...read, ...evaluatedFacts(judged.evaluated, time, datasetsTag)];
}

/**
 * The edges of what `findEvaluated` found. `time` is the newest of the metrics, ms since 1970; `rule`
 * is what says that the model was measured on the data.
 */
export function evaluatedFacts(
  evaluated: readonly Evaluated[] | undefined,
  time: number,
  rule = 'mlflow.metric.dataset',
): Fact[] {
  return (evaluated ?? []).flatMap(({ models, version, known }) =>
    models.map(
      (model): Fact => ({
        kind: 'relation.stated',
        relation: 'evaluated-on',
        from: model.ref,
        to: version,
        known: known === 'inferred' ? 'inferred' : model.known,
        rule:
          known === 'inferred'
            ? 'dataset-name'
            : model.known === 'inferred'
              ? 'mlflow.modelVersions'
              : rule,
        time,
      }),
    ),
  );
}
