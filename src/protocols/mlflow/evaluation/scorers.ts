import { sha256Hex } from '../../../base/digest.ts';
import { list, text } from '../../../base/json.ts';
import type { DecideContext, StateReader } from '../../../door/index.ts';
import type { ScorerConfigRow, ScorerRow, ScorerVersionRow } from '../../../evaluation/index.ts';
import type { Fact } from '../../../facts/facts.ts';
import { formatRef } from '../../../facts/ref.ts';
import { doesNotExist, invalidParameter } from '../errors.ts';
import { experimentRef } from '../lineage/refs.ts';
import { mlflowOperation } from '../operation.ts';
import { checkActiveExperiment, getExperiment } from '../operations/define.ts';
import { newId } from '../operations/names.ts';
import { checkExperimentId } from '../validate.ts';
import { checkModel, isGateway, modelOf, readScorer } from './scorer-text.ts';
import type {
  ListScorers,
  RegisterScorer,
  ScorerConfig,
  ScorerOnly,
  ScorerVersions,
} from './wire.ts';

type Reading = Pick<DecideContext, 'state' | 'workspace'>;

/** @throws as MLflow does when the experiment is missing or deleted. */
async function activeExperiment(id: string, context: Reading): Promise<string> {
  const experiment = await getExperiment(id, context);
  checkActiveExperiment(experiment);
  return experiment.id;
}

const noScorer = (body: ScorerOnly): Error =>
  doesNotExist(
    `Scorer with name '${body.name}'${body.version === undefined ? '' : ` and version ${body.version}`} not found for experiment ${body.experiment_id}.`,
  );

async function getScorerRow(body: ScorerVersions, context: Reading): Promise<ScorerRow> {
  const experiment = await activeExperiment(body.experiment_id, context);
  const { state, workspace } = context;
  const row = await state.evaluation.findScorer(workspace, experiment, body.name);
  if (row !== undefined) return row;
  const { experiment_id, name } = body;
  throw noScorer({ experiment_id, name });
}

/** The ref of a scorer's version: code, by an id that no other scorer ever has. */
export const scorerRef = (workspace: string, scorer: string, version: number): string =>
  formatRef({
    kind: 'code',
    namespace: workspace,
    name: `scorer/${scorer}`,
    version: String(version),
  });

/** A random UUID, version 4. */
function newUuid(random: Buffer): string {
  return newId(random).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

type Registered = {
  readonly scorer: string;
  readonly version: number;
  readonly experiment: string;
};

/** POST `scorers/register`. Numbers are never handed out again, also after a deletion. */
export const registerScorer = mlflowOperation<RegisterScorer, ScorerVersionRow, Registered>({
  operation: 'scorers/register',
  async decide(body, context) {
    const { experiment_id, name, serialized_scorer: serialized } = body;
    const read = readScorer(serialized);
    if (name.trim() === '') {
      throw invalidParameter('Scorer name cannot be empty or contain only whitespace.');
    }
    const experiment = await activeExperiment(experiment_id, context);
    checkModel(read);
    const { state, workspace, time } = context;
    const known = await state.evaluation.findScorer(workspace, experiment, name);
    const id = known?.id ?? newUuid(context.random(16));
    const version = (known?.versionCount ?? 0) + 1;
    return {
      decided: { scorer: id, version, experiment },
      answer: { id, experiment, name, version, serialized, createdTime: time },
    };
  },
  facts({ name, serialized_scorer: serialized }, { scorer, version, experiment }, context) {
    const { workspace, time } = context;
    const read = readScorer(serialized);
    const model = text(modelOf(read));
    const attributes = {
      name,
      version: String(version),
      type: 'scorer',
      experiment: experimentRef(workspace, experiment),
      digest: `sha256:${sha256Hex(serialized)}`,
      ...(model === undefined ? {} : { model }),
    };
    const ref = scorerRef(workspace, scorer, version);
    return [
      { kind: 'scorer.registered', experiment, name, scorer, version, serialized },
      { kind: 'entity.described', ref, time, attributes },
    ];
  },
});

type ScorerDeleted = { readonly scorer: string; readonly versions: readonly number[] };

/** DELETE `scorers/delete`: one version, or all of them. */
export const deleteScorer = mlflowOperation<ScorerOnly, null, ScorerDeleted>({
  operation: 'scorers/delete',
  async decide(body, context) {
    const row = await getScorerRow(body, context);
    const all = await context.state.evaluation.listScorerVersions(row.key);
    const numbers = all.map(({ version }) => version);
    const versions = numbers.filter((each) => body.version === undefined || each === body.version);
    if (versions.length === 0) throw noScorer(body);
    return { decided: { scorer: row.id, versions }, answer: null };
  },
  facts: ({ version = null }, { scorer, versions }, { workspace, time }) => [
    { kind: 'scorer.deleted', scorer, version },
    ...versions.map(
      (each): Fact => ({
        kind: 'entity.deleted',
        ref: scorerRef(workspace, scorer, each),
        time,
      }),
    ),
  ],
});

/** PUT `scorers/online-config`. Nothing runs scorers here: what is configured is kept and answered. */
export const configureScorer = mlflowOperation<
  ScorerConfig,
  ScorerConfigRow,
  { readonly scorer: string; readonly config: string }
>({
  operation: 'scorers/online-config',
  async decide(body, context) {
    const rate = sampleRate(body);
    const row = await getScorerRow(body, context);
    const newest = await context.state.evaluation.findScorerVersion(row.key, undefined);
    if (rate > 0 && newest && !isGateway(modelOf(readScorer(newest.serialized)))) {
      throw invalidParameter(
        `Scorer '${body.name}' does not use a gateway model. Automatic evaluation is only supported for scorers that use gateway models.`,
      );
    }
    const config = newId(context.random(16));
    const { experiment } = row;
    const filter = body.filter_string ?? null;
    return {
      decided: { scorer: row.id, config },
      answer: { config, scorer: row.id, experiment, sampleRate: rate, filter },
    };
  },
  facts: (body, { scorer, config }) => [
    {
      kind: 'scorer.configured',
      scorer,
      config,
      sampleRate: sampleRate(body),
      filter: body.filter_string ?? null,
    },
  ],
});

/** @throws invalid_message with MLflow's text. */
function sampleRate({ sample_rate: rate }: ScorerConfig): number {
  if (rate !== 'NaN' && rate >= 0 && rate <= 1) return rate;
  const shown = typeof rate === 'number' && Number.isInteger(rate) ? rate.toFixed(1) : rate;
  throw invalidParameter(`sample_rate must be between 0.0 and 1.0, got ${shown}`);
}

/** The answer of `scorers/register`. */
export const writeRegistered = (row: ScorerVersionRow): Record<string, unknown> => ({
  version: row.version,
  scorer_id: row.id,
  experiment_id: row.experiment,
  name: row.name,
  serialized_scorer: row.serialized,
  creation_time: row.createdTime,
});

/** Scorer of MLflow's protobuf, in JSON. */
const writeScorer = (row: ScorerVersionRow): Record<string, unknown> => ({
  experiment_id: Number(row.experiment),
  scorer_name: row.name,
  scorer_version: row.version,
  serialized_scorer: row.serialized,
  creation_time: row.createdTime,
  scorer_id: row.id,
});

const writeScorers = (rows: readonly ScorerVersionRow[]): Record<string, unknown> =>
  rows.length === 0 ? {} : { scorers: rows.map(writeScorer) };

export const writeConfig = (row: ScorerConfigRow): Record<string, unknown> => ({
  online_scoring_config_id: row.config,
  scorer_id: row.scorer,
  sample_rate: row.sampleRate,
  experiment_id: row.experiment,
  ...(row.filter === null ? {} : { filter_string: row.filter }),
});

/** GET `scorers/list`: the newest version of each scorer, of one, of some or of all experiments. */
export async function listScorers(
  body: ListScorers,
  workspace: string,
  state: StateReader,
): Promise<unknown> {
  const { experiment_id: one, experiment_ids: some } = body;
  if (one && some !== undefined) {
    throw invalidParameter(
      "Cannot specify both 'experiment_id' and 'experiment_ids'. Use 'experiment_ids' to scope the query to multiple experiments, or 'experiment_id' to scope it to a single experiment.",
    );
  }
  for (const id of some ?? []) checkExperimentId(id);
  const only = one ? [await activeExperiment(one, { state, workspace })] : some;
  const rows = await state.evaluation.listScorers(workspace, only);
  const active: ScorerVersionRow[] = [];
  for (const row of rows) {
    const experiment = await state.tracking.findExperiment(workspace, row.experiment);
    if (experiment?.stage === 'active') active.push(row);
  }
  return writeScorers(active);
}

/** GET `scorers/versions`. */
export async function listScorerVersions(
  body: ScorerVersions,
  workspace: string,
  state: StateReader,
): Promise<unknown> {
  const row = await getScorerRow(body, { state, workspace });
  const versions = await state.evaluation.listScorerVersions(row.key);
  if (versions.length === 0) throw noScorer(body);
  return writeScorers(versions);
}

/** GET `scorers/get`: the newest version unless one is named. */
export async function getScorer(
  body: ScorerOnly,
  workspace: string,
  state: StateReader,
): Promise<unknown> {
  const row = await getScorerRow(body, { state, workspace });
  const version = await state.evaluation.findScorerVersion(row.key, body.version);
  if (version === undefined) throw noScorer(body);
  return { scorer: writeScorer(version) };
}

/** GET `scorers/online-configs`. */
export async function listScorerConfigs(
  { scorer_ids }: { readonly scorer_ids: readonly string[] },
  workspace: string,
  { evaluation }: StateReader,
): Promise<unknown> {
  const rows = await evaluation.listScorerConfigs(workspace, list(scorer_ids).map(String));
  return { configs: rows.map(writeConfig) };
}
