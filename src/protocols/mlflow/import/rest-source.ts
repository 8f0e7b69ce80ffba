import { isObject, list } from '../../../base/json.ts';
import { limits } from '../../../base/limits.ts';
import { type Fields, type Message, readMessage } from '../wire.ts';
import type { Known } from './known.ts';
import {
  experimentMessage,
  type ImportExperiment,
  type ImportLoggedModel,
  type ImportMetrics,
  type ImportRun,
  loggedModelMessage,
  runMessage,
} from './messages.ts';
import { proxiedBy } from './proxied.ts';
import { createRestClient, type RestClient, type RestOptions } from './rest-client.ts';
import {
  readRestDatasets,
  readRestScorers,
  readRestWebhooks,
  unlessRefused,
} from './rest-evaluation.ts';
import { readRestModels } from './rest-models.ts';
import { latestIsHere, readHistories } from './rest-points.ts';
import { readRestIssues, readRestQueues, readRestSchemas } from './rest-review.ts';
import { searchPages } from './rest-search.ts';
import { readRestSpans, readRestTraces } from './rest-traces.ts';
import type { Left, MlflowSource } from './source.ts';
import { addRegistrations } from './sqlite-models.ts';

/** Runs, models and experiments of one page. */
const pageMax = { experiments: 1_000, runs: 200, models: 50 } as const;

export interface RestSourceOptions extends RestOptions {
  readonly proxied?: MlflowSource['proxied'];
}

type Json = Record<string, unknown>;

/** What no server tells. */
const untold: readonly Left[] = [
  {
    what: 'gateway and jobs, if there are any',
    reason: 'an import does not bring these',
  },
];

/** What MLflow says as a message of ours: each field read as its type, unknown ones left out. */
function read<T>(descriptor: Message<Fields>, said: Json): T {
  // The descriptor is that of the type, which the caller names.
  return readMessage(descriptor, said) as unknown as T;
}

const object = (value: unknown): Json => (isObject(value) ? value : {});

/** What is remembered while pages are read. */
interface Memory {
  /** What the page in hand told of metrics, by id: the latest points of runs, all of models. */
  readonly metrics: Map<string, readonly Json[]>;
  /** Which versions were made of logged models, by name and version. */
  readonly registrations: Map<string, string>;
  /** Where the files of logged models are. */
  readonly locations: Map<string, string>;
  /** Ids of runs by experiment. */
  readonly runs: Map<string, string[]>;
  /** Versions of prompts, as `name/version`. */
  readonly prompts: string[];
}

/**
 * A running MLflow server. It tells no numbers beforehand, and of no deleted model versions and
 * logged models.
 * @throws what the server refuses its first search with.
 */
export async function openRestSource(options: RestSourceOptions): Promise<MlflowSource> {
  const client = createRestClient(options);
  const experiments = await readExperiments(client);
  const ids = experiments.map(({ experiment_id }) => experiment_id);
  const active = experiments
    .filter(({ lifecycle_stage }) => lifecycle_stage !== 'deleted')
    .map(({ experiment_id }) => experiment_id);
  const left = [...untold];
  const memory: Memory = {
    metrics: new Map(),
    registrations: new Map(),
    locations: new Map(),
    runs: new Map(ids.map((id) => [id, []])),
    prompts: [],
  };
  const pointsOf = ({ id }: { readonly id: string }): readonly Json[] =>
    memory.metrics.get(id) ?? [];
  return {
    totals: { experiments: experiments.length },
    experiments: async () => experiments,
    runs: () => readRuns(client, ids, memory),
    points: (runs, known, failed) => runPoints(client, { runs, known, failed, pointsOf }),
    loggedModels: () => readLoggedModels(client, ids, memory),
    modelPoints: (models, known) => modelPoints(client, { models, known, pointsOf }),
    registeredModels: () => readRestModels(client, memory),
    traces: () => unlessRefused('traces', readRestTraces(client, memory), left),
    spans: (traces, failed) => readRestSpans(client, traces, failed),
    tellsAllSpans: true,
    evaluationDatasets: () => readRestDatasets(client, left),
    scorers: () => readRestScorers(client, active, left),
    issues: () => readRestIssues(client, active, left),
    labelSchemas: () => readRestSchemas(client, active, left),
    reviewQueues: () => readRestQueues(client, active, left),
    webhooks: () => readRestWebhooks(client, left),
    left: async () => left,
    proxied: options.proxied ?? proxiedBy(client),
    close: () => undefined,
  };
}

async function* readRuns(
  client: RestClient,
  experiments: readonly string[],
  { metrics, runs: known }: Memory,
): AsyncIterable<readonly ImportRun[]> {
  const whole = await hasLoggedModels(client, experiments);
  for (const id of experiments) {
    const body = { experiment_ids: [id], run_view_type: 'ALL', max_results: pageMax.runs };
    for await (const page of searchPages(client, 'runs/search', { body, items: 'runs' })) {
      metrics.clear();
      const runs = page.map(readRun);
      known.get(id)?.push(...runs.map(({ run_id }) => run_id));
      for (const [index, run] of page.entries())
        metrics.set(runs[index]?.run_id ?? '', list(object(run.data).metrics).filter(isObject));
      yield whole ? await withModels(client, runs) : runs;
    }
  }
}

/** Servers before 3.0 have none, and no way to ask. */
async function hasLoggedModels(
  client: RestClient,
  experiments: readonly string[],
): Promise<boolean> {
  const body = { experiment_ids: experiments, max_results: 1 };
  return client.post('/api/2.0/mlflow/logged-models/search', body).then(
    ({ models }) => list(models).length > 0,
    () => false,
  );
}

/** A search does not tell which logged models runs read: each run is asked for. */
async function withModels(client: RestClient, runs: readonly ImportRun[]): Promise<ImportRun[]> {
  const found: ImportRun[] = [];
  for (let from = 0; from < runs.length; from += limits.importFetchesMax) {
    const some = runs.slice(from, from + limits.importFetchesMax);
    const asked = some.map(async (run): Promise<ImportRun> => {
      const answer = await client.get('/api/2.0/mlflow/runs/get', { run_id: run.run_id });
      const { models = [], outputs = [] } = readRun(object(answer.run));
      return { ...run, models, outputs };
    });
    found.push(...(await Promise.all(asked)));
  }
  return found;
}

async function* readLoggedModels(
  client: RestClient,
  experiments: readonly string[],
  { metrics, registrations, locations }: Memory,
): AsyncIterable<readonly ImportLoggedModel[]> {
  if (!(await hasLoggedModels(client, experiments))) return;
  for (const id of experiments) {
    const body = { experiment_ids: [id], max_results: pageMax.models };
    const search = { body, items: 'models' };
    for await (const page of searchPages(client, 'logged-models/search', search)) {
      metrics.clear();
      const models = page.map(readLoggedModel);
      for (const [index, { model_id, artifact_uri, tags }] of models.entries()) {
        metrics.set(model_id, list(object(page[index]?.data).metrics).filter(isObject));
        locations.set(model_id, artifact_uri);
        const tag = tags?.find(({ key }) => key === 'mlflow.modelVersions');
        addRegistrations(registrations, model_id, tag?.value);
      }
      yield models;
    }
  }
}

async function readExperiments(client: RestClient): Promise<ImportExperiment[]> {
  const body = { view_type: 'ALL', max_results: pageMax.experiments };
  const found: ImportExperiment[] = [];
  const search = { body, items: 'experiments' };
  for await (const page of searchPages(client, 'experiments/search', search))
    found.push(...page.map((each) => read<ImportExperiment>(experimentMessage, each)));
  return found.sort((a, b) => Number(a.experiment_id) - Number(b.experiment_id));
}

function readRun(run: Json): ImportRun {
  const { info, data, inputs, outputs } = run;
  return read<ImportRun>(runMessage, {
    ...object(info),
    tags: object(data).tags,
    params: object(data).params,
    datasets: object(inputs).dataset_inputs,
    models: object(inputs).model_inputs,
    outputs: object(outputs).model_outputs,
  });
}

function readLoggedModel(model: Json): ImportLoggedModel {
  const info = object(model.info);
  const { params } = object(model.data);
  return read<ImportLoggedModel>(loggedModelMessage, { ...info, params });
}

async function* runPoints(
  client: RestClient,
  of: {
    readonly runs: readonly ImportRun[];
    readonly known: Known['runs'];
    readonly failed: (run: string, reason: string) => void;
    readonly pointsOf: (of: { readonly id: string }) => readonly Json[];
  },
): AsyncIterable<ImportMetrics> {
  const missing = of.runs.filter((run) => {
    const here = of.known[run.run_id]?.latest ?? [];
    return of.pointsOf({ id: run.run_id }).some((metric) => !latestIsHere(metric, here));
  });
  for (let from = 0; from < missing.length; from += limits.importFetchesMax) {
    const some = missing.slice(from, from + limits.importFetchesMax);
    const read = await Promise.all(
      some.map(async (run) => {
        const keys = of.pointsOf({ id: run.run_id }).map(({ key }) => String(key));
        try {
          return await readHistories(client, run.run_id, keys, { failed: of.failed });
        } catch (thrown) {
          of.failed(run.run_id, thrown instanceof Error ? thrown.message : String(thrown));
          return [];
        }
      }),
    );
    yield* read.flat();
  }
}

async function* modelPoints(
  client: RestClient,
  of: {
    readonly models: readonly ImportLoggedModel[];
    readonly known: Known['models'];
    readonly pointsOf: (of: { readonly id: string }) => readonly Json[];
  },
): AsyncIterable<ImportMetrics> {
  for (const model of of.models) {
    const points = of.pointsOf({ id: model.model_id });
    if (points.length <= (of.known[model.model_id]?.points ?? 0)) continue;
    const runs = new Set(points.map(({ run_id }) => String(run_id)));
    for (const run of runs) {
      const mine = points.filter(({ run_id }) => String(run_id) === run);
      yield* await readHistories(client, run, [], {
        model: { model: model.model_id, points: mine },
      });
    }
  }
}
