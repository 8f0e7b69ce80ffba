import type { DecideContext } from '../../../door/index.ts';
import type { Fact } from '../../../facts/facts.ts';
import type { KeyValue, MetricPoint } from '../../../facts/tracking-facts.ts';
import type { RunHead } from '../../../tracking/index.ts';
import { doesNotExist, invalidParameter, pythonText } from '../errors.ts';
import {
  type Evaluated,
  evaluatedFacts,
  findEvaluated,
  type Judged,
} from '../lineage/evaluated-on.ts';
import type { SourceTags } from '../lineage/source-code.ts';
import { mlflowOperation, tokeniseTags } from '../operation.ts';
import type { PromptLink } from '../prompts.ts';
import type { LogBatch, LogMetric } from '../tracking/wire.ts';
import type { Double } from '../wire.ts';
import { getActiveRunHead, uniqueTags } from './define.ts';
import { changedTags, decideSource, settledTagFacts } from './tags.ts';

interface WireMetric {
  readonly key: string;
  readonly value: Double;
  readonly timestamp: number;
  readonly step?: number;
  readonly model_id?: string;
  readonly dataset_name?: string;
  readonly dataset_digest?: string;
}

function toPoint(metric: WireMetric): MetricPoint {
  return {
    key: metric.key,
    value: metric.value === 'NaN' ? Number.NaN : metric.value,
    timestamp: metric.timestamp,
    step: metric.step ?? 0,
    model: metric.model_id || undefined,
    datasetName: metric.dataset_name || undefined,
    datasetDigest: metric.dataset_digest || undefined,
  };
}

async function checkModels(metrics: readonly WireMetric[], context: DecideContext): Promise<void> {
  const { state, workspace } = context;
  for (const id of new Set(metrics.map((metric) => metric.model_id))) {
    if (!id) continue;
    if ((await state.tracking.findLoggedModel(workspace, id)) === undefined) {
      throw doesNotExist(`Logged model with ID '${id}' not found.`);
    }
  }
}

/** A metric that names a model is new unless the model has it too. */
async function isNew(run: RunHead, metric: WireMetric, { state }: DecideContext): Promise<boolean> {
  return Boolean(metric.model_id) || !(await state.tracking.hasMetric(run.key, toPoint(metric)));
}

/** What models were evaluated on; absent where no metric names both a model and a dataset. */
type Measured = { readonly evaluated?: readonly Evaluated[] };

/** Few metrics name both a model and a dataset: only for them more is looked up. */
async function measured(
  run: RunHead,
  metrics: readonly WireMetric[] | undefined,
  context: DecideContext,
): Promise<Measured> {
  if (metrics?.some(({ model_id, dataset_name }) => model_id && dataset_name) !== true) return {};
  return { evaluated: await findEvaluated(run, metrics, context) };
}

const newestOf = (metrics: readonly WireMetric[]): number =>
  metrics.reduce((newest, { timestamp }) => Math.max(newest, timestamp), 0);

export const logMetric = mlflowOperation<LogMetric, Record<string, never>, Measured>({
  operation: 'runs/log-metric',
  async decide(body, context) {
    const run = await getActiveRunHead(body.run_id, context);
    if (body.model_id) await checkModels([body], context);
    if (!(await isNew(run, body, context))) return { unchanged: {} };
    const onDataset = body.model_id && body.dataset_name;
    return { decided: onDataset ? await measured(run, [body], context) : {}, answer: {} };
  },
  facts: (message, { evaluated }) => [
    { kind: 'metrics.logged', run: message.run_id, metrics: [toPoint(message)] },
    ...evaluatedFacts(evaluated, message.timestamp),
  ],
});

/** @throws invalid_message when a parameter has another value already. Returns the new ones. */
async function newParams(
  run: RunHead,
  body: LogBatch,
  { state }: DecideContext,
): Promise<readonly string[]> {
  if (body.params === undefined || body.params.length === 0) return [];
  const known = new Map(
    (await state.tracking.params([run.key])).map(({ key, value }) => [key, value]),
  );
  const conflicts = body.params.filter(
    ({ key, value }) => known.has(key) && known.get(key) !== (value ?? ''),
  );
  if (conflicts.length > 0) {
    const shown = conflicts.map(
      ({ key, value }) =>
        `{'key': ${pythonText(key)}, 'old_value': ${pythonText(known.get(key) ?? '')}, 'new_value': ${pythonText(value ?? '')}}`,
    );
    throw invalidParameter(
      `Changing param values is not allowed. Params were already logged='[${shown.join(', ')}]' for run ID='${body.run_id}'.`,
    );
  }
  return body.params.filter(({ key }) => !known.has(key)).map(({ key }) => key);
}

async function anyNewMetric(
  run: RunHead,
  body: LogBatch,
  context: DecideContext,
): Promise<boolean> {
  for (const metric of body.metrics ?? []) {
    if (await isNew(run, metric, context)) return true;
  }
  return false;
}

type Batch = {
  /** Source tags of the run with those of the batch; null when the batch names none. */
  readonly source: SourceTags | null;
  readonly start_time: number;
  readonly prompts?: readonly PromptLink[];
  readonly judged?: Judged;
} & Measured;

const asParams = (body: LogBatch): KeyValue[] =>
  (body.params ?? []).map(({ key, value }) => ({ key, value: value ?? '' }));

export const logBatch = mlflowOperation<LogBatch, Record<string, never>, Batch>({
  operation: 'runs/log-batch',
  persons(body, tokenise) {
    const tags = tokeniseTags(body.tags, tokenise);
    return tags === body.tags || tags === undefined ? body : { ...body, tags };
  },
  async decide(body, context) {
    const run = await getActiveRunHead(body.run_id, context);
    const added = await newParams(run, body, context);
    if (body.metrics !== undefined) await checkModels(body.metrics, context);
    const tags = await changedTags(run, uniqueTags(body.tags), context);
    const changes = added.length > 0 || tags.length > 0 || (await anyNewMetric(run, body, context));
    if (!changes) return { unchanged: {} };
    const source = await decideSource(body.run_id, run, tags, context);
    return { decided: { ...source, ...(await measured(run, body.metrics, context)) }, answer: {} };
  },
  facts(message, decided, context) {
    const run = message.run_id;
    const facts: Fact[] = [];
    const params = asParams(message);
    if (params.length > 0) facts.push({ kind: 'params.logged', run, params });
    if (message.metrics !== undefined && message.metrics.length > 0) {
      facts.push({ kind: 'metrics.logged', run, metrics: message.metrics.map(toPoint) });
      if (decided.evaluated !== undefined) {
        facts.push(...evaluatedFacts(decided.evaluated, newestOf(message.metrics)));
      }
    }
    const tags = uniqueTags(message.tags);
    if (tags.length > 0) facts.push(...settledTagFacts(run, tags, decided, context));
    return facts;
  },
});
