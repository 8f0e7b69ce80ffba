import type { KeyValue, MetricPoint } from '../../../facts/tracking-facts.ts';
import type {
  ExperimentRow,
  FullLoggedModel,
  FullRun,
  ListedArtifact,
  LoggedModelRow,
  RunRow,
} from '../../../tracking/index.ts';
import { writeDouble } from '../wire.ts';

/** Answers in MLflow's proto-JSON: what is empty or unset is left out. */
export type Answer = Record<string, unknown>;

function list<T, R>(name: string, items: readonly T[], write: (item: T) => R): Record<string, R[]> {
  return items.length === 0 ? {} : { [name]: items.map(write) };
}

const keyValue = ({ key, value }: KeyValue): Answer => ({ key, value });

export function writeExperiment(
  experiment: ExperimentRow,
  tags: readonly KeyValue[],
  workspace: string,
): Answer {
  const { id, name, artifactLocation, stage, creationTime, lastUpdateTime } = experiment;
  return {
    experiment_id: id,
    name,
    artifact_location: artifactLocation,
    lifecycle_stage: stage,
    ...(lastUpdateTime === 0 ? {} : { last_update_time: lastUpdateTime }),
    ...(creationTime === 0 ? {} : { creation_time: creationTime }),
    ...list('tags', tags, keyValue),
    workspace,
  };
}

export function writeRunInfo(run: Omit<RunRow, 'key' | 'experimentKey'>): Answer {
  return {
    run_uuid: run.id,
    experiment_id: run.experimentId,
    run_name: run.name,
    user_id: run.user,
    status: run.status,
    start_time: run.startTime,
    ...(run.endTime === null || run.endTime === 0 ? {} : { end_time: run.endTime }),
    artifact_uri: run.artifactUri,
    lifecycle_stage: run.stage,
    run_id: run.id,
  };
}

/** Histories have thousands: fields are set one by one, which costs a third of spreading them. */
export function writeMetric(metric: MetricPoint & { readonly run?: string | undefined }): Answer {
  const { key, timestamp, step } = metric;
  const written: Answer = { key, value: writeDouble(metric.value), timestamp, step };
  if (metric.datasetName !== undefined) written.dataset_name = metric.datasetName;
  if (metric.datasetDigest !== undefined) written.dataset_digest = metric.datasetDigest;
  if (metric.model !== undefined) written.model_id = metric.model;
  if (metric.run !== undefined) written.run_id = metric.run;
  return written;
}

export function writeRun(full: FullRun): Answer {
  return {
    info: writeRunInfo(full.run),
    data: {
      ...list('metrics', full.metrics, writeMetric),
      ...list('params', full.params, keyValue),
      ...list('tags', full.tags, keyValue),
    },
    inputs: {
      ...list('dataset_inputs', full.inputs, ({ dataset, tags }) => ({
        ...list('tags', tags, keyValue),
        dataset: {
          name: dataset.name,
          digest: dataset.digest,
          source_type: dataset.sourceType,
          source: dataset.source,
          ...(dataset.schema === undefined ? {} : { schema: dataset.schema }),
          ...(dataset.profile === undefined ? {} : { profile: dataset.profile }),
        },
      })),
      ...list('model_inputs', full.modelInputs, ({ model }) => ({ model_id: model })),
    },
    outputs: list('model_outputs', full.modelOutputs, ({ model, step }) => ({
      model_id: model,
      step,
    })),
  };
}

function writeLoggedModelInfo(
  model: Omit<LoggedModelRow, 'key'>,
  tags: readonly KeyValue[],
): Answer {
  return {
    model_id: model.id,
    experiment_id: model.experimentId,
    name: model.name,
    creation_timestamp_ms: model.creationTime,
    last_updated_timestamp_ms: model.lastUpdateTime,
    artifact_uri: model.artifactUri,
    status: model.status,
    model_type: model.modelType,
    source_run_id: model.sourceRun,
    ...list('tags', tags, keyValue),
  };
}

export function writeLoggedModel(
  full: Omit<FullLoggedModel, 'model'> & { readonly model: Omit<LoggedModelRow, 'key'> },
): Answer {
  return {
    info: writeLoggedModelInfo(full.model, full.tags),
    data: {
      ...list('params', full.params, keyValue),
      ...list('metrics', full.metrics, writeMetric),
    },
  };
}

/** Files of a directory; `below` is put before each name. */
export function writeFiles(files: readonly ListedArtifact[], below: string): Answer {
  return list('files', files, ({ name, isDirectory, bytes }) => ({
    path: below === '' ? name : `${below}/${name}`,
    is_dir: isDirectory,
    ...(bytes === 0 ? {} : { file_size: bytes }),
  }));
}
