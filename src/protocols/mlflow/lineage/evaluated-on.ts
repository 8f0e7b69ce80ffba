import { isObject, list, text } from '../../../base/json.ts';
import type { DecideContext } from '../../../door/index.ts';
import type { Fact } from '../../../facts/facts.ts';
import { formatRef } from '../../../facts/ref.ts';
import type { Known } from '../../../facts/relations.ts';
import { versionRef } from '../../../registry/index.ts';
import type { RunHead } from '../../../tracking/index.ts';
import { datasetNames, evaluationDatasetId, hasPlace } from './dataset-name.ts';
import { datasetVersion } from './dataset-version.ts';
import { modelRef } from './refs.ts';

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
  try {
    return list(JSON.parse(tag)).flatMap((item) => {
      if (!isObject(item)) return [];
      const name = text(item.name);
      const version = Number(item.version);
      return name === undefined || !Number.isSafeInteger(version) ? [] : [{ name, version }];
    });
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
  const { state, workspace } = context;
  const inputs = await state.tracking.inputs([run.key]);
  const evaluated: Evaluated[] = [];
  for (const { model, name, digest } of pairs) {
    const input = inputs.find(({ dataset }) => dataset.name === name && dataset.digest === digest);
    const source = input?.dataset ?? { name, digest, sourceType: '', source: '' };
    const id = evaluationDatasetId(source);
    const managed =
      id === undefined ? undefined : await state.evaluation.findDataset(workspace, id);
    const [place] = datasetNames(source, { workspace, experiment: run.experimentId });
    const current = managed?.digest ?? digest;
    const said = { ...source, digest: current };
    const version =
      datasetVersion(said, { hasPlace: hasPlace(place, workspace) }) ?? `mlflow-${current}`;
    evaluated.push({
      models: await modelsOf(model, context),
      version: formatRef({ kind: 'datasetVersion', ...place, version }),
      known: input === undefined ? 'inferred' : 'observed',
    });
  }
  return evaluated;
}

/** The edges of what `findEvaluated` found. `time` is the newest of the metrics, ms since 1970. */
export function evaluatedFacts(evaluated: readonly Evaluated[] | undefined, time: number): Fact[] {
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
              : 'mlflow.metric.dataset',
        time,
      }),
    ),
  );
}
