import type { DecideContext } from '../../../door/index.ts';
import type { LabelSchemaRow, ReviewPage } from '../../../review/index.ts';
import type { ExperimentRow } from '../../../tracking/index.ts';
import { doesNotExist, invalidParameter, mlflowError } from '../errors.ts';
import { mlflowOperation } from '../operation.ts';
import { checkActiveExperiment, getExperiment } from '../operations/define.ts';
import { newId } from '../operations/names.ts';
import type { Answer } from '../tracking/answers.ts';
import type { BodyOf } from '../wire.ts';
import { checkSameInput, readLabelInput } from './label-input.ts';
import type { createSchemaMessage, updateSchemaMessage } from './wire.ts';

/** The questions of reviewers. Source: mlflow/genai/label_schemas, sqlalchemy_store.py. */
type Create = BodyOf<typeof createSchemaMessage>;
type Update = BodyOf<typeof updateSchemaMessage>;
type Reading = Pick<DecideContext, 'state' | 'workspace'>;

/** A schema with whether it is the one that every experiment has. */
export interface ShownSchema extends LabelSchemaRow {
  readonly isDefault: boolean;
}

const nameCharactersMax = 250;
const instructionCharactersMax = 1_000;
const defaultName = 'Feedback';
/** Ids of default questions: the experiment's own number follows, so none need be kept. */
const defaultPrefix = 'ls-default-';

/** The id of the question that an experiment has from its beginning. */
export const defaultSchemaId = (experiment: string): string => `${defaultPrefix}${experiment}`;

/** @throws as MLflow does when the experiment is missing or deleted. */
export async function activeExperiment(id: string, context: Reading): Promise<ExperimentRow> {
  const experiment = await getExperiment(id, context);
  checkActiveExperiment(experiment);
  return experiment;
}

/** The question that every experiment has from its beginning; nobody made it, so nothing is kept of it. */
function defaultSchema(experiment: ExperimentRow): ShownSchema {
  return {
    id: defaultSchemaId(experiment.id),
    experiment: experiment.id,
    name: defaultName,
    type: 'feedback',
    instruction: 'Share any feedback on this trace.',
    comment: false,
    input: '{"text":{}}',
    createdTime: experiment.creationTime,
    updatedTime: experiment.creationTime,
    isDefault: true,
  };
}

const shown = (row: LabelSchemaRow): ShownSchema => ({ ...row, isDefault: false });

/** The default schema with that id. */
async function findDefault(
  id: string,
  { state, workspace }: Reading,
): Promise<ShownSchema | undefined> {
  const number = id.startsWith(defaultPrefix) ? id.slice(defaultPrefix.length) : '';
  if (!/^\d{1,18}$/.test(number)) return undefined;
  const experiment = await state.tracking.findExperiment(workspace, number);
  return experiment && defaultSchema(experiment);
}

async function findSchema(id: string, context: Reading): Promise<ShownSchema | undefined> {
  const row = await context.state.review.findSchema(context.workspace, id);
  return row === undefined ? findDefault(id, context) : shown(row);
}

/** @throws not_found with MLflow's text. */
export async function getSchema(id: string, context: Reading): Promise<ShownSchema> {
  const schema = await findSchema(id, context);
  if (schema !== undefined) return schema;
  throw doesNotExist(`Label schema with id '${id}' not found.`);
}

/** @throws not_found with MLflow's text. */
export async function getSchemaByName(
  experimentId: string,
  name: string,
  context: Reading,
): Promise<ShownSchema> {
  const experiment = await activeExperiment(experimentId, context);
  if (name === defaultName) return defaultSchema(experiment);
  const { state, workspace } = context;
  const row = await state.review.findSchemaByName(workspace, experiment.id, name);
  if (row !== undefined) return shown(row);
  throw doesNotExist(
    `Label schema with name '${name}' not found for experiment '${experimentId}'.`,
  );
}

/** The schemas of an experiment, newest first, its default question last. */
export async function listSchemas(
  experimentId: string,
  page: ReviewPage,
  context: Reading,
): Promise<ShownSchema[]> {
  const experiment = await activeExperiment(experimentId, context);
  const { state, workspace } = context;
  const rows = await state.review.listSchemas(workspace, experiment.id, page);
  if (rows.length === page.limit) return rows.map(shown);
  if (rows.length === 0 && page.offset > 0) {
    // The default question stands behind all others: it may be what this page begins with.
    const before = { limit: 1, offset: page.offset - 1 };
    const [last] = await state.review.listSchemas(workspace, experiment.id, before);
    if (last === undefined) return [];
  }
  return [...rows.map(shown), defaultSchema(experiment)];
}

/** Those of the ids that are no schemas of the experiment. */
export async function missingSchemas(
  ids: readonly string[],
  experiment: ExperimentRow,
  { state, workspace }: Reading,
): Promise<string[]> {
  const missing: string[] = [];
  for (const id of ids) {
    if (id === defaultSchema(experiment).id) continue;
    const row = await state.review.findSchema(workspace, id);
    if (row?.experiment !== experiment.id) missing.push(id);
  }
  return missing;
}

function checkName(name: string): void {
  if (name === '')
    throw invalidParameter("Label schema `name` must be a non-empty string; got ''.");
  if (name.length > nameCharactersMax) {
    throw invalidParameter(
      `Label schema \`name\` must be at most ${nameCharactersMax} characters; got ${name.length}.`,
    );
  }
  if (name.trim().toLowerCase() === defaultName.toLowerCase()) {
    throw invalidParameter(
      `\`${name}\` is reserved for the experiment's default question and cannot be used for another label schema.`,
    );
  }
}

function checkInstruction(instruction: string | undefined): void {
  if (instruction === undefined || instruction.length <= instructionCharactersMax) return;
  throw invalidParameter(
    `Label schema \`instruction\` must be at most ${instructionCharactersMax} characters; got ${instruction.length}.`,
  );
}

const taken = (name: string, experiment: string): Error =>
  mlflowError(
    'RESOURCE_ALREADY_EXISTS',
    `Label schema with name '${name}' already exists for experiment '${experiment}'.`,
  );

type Created = { readonly id: string; readonly experiment: string };

/** POST `label-schemas/create`. */
export const createLabelSchema = mlflowOperation<Create, { readonly id: string }, Created>({
  operation: 'label-schemas/create',
  async decide(body, context) {
    if (body.type !== 'FEEDBACK' && body.type !== 'EXPECTATION') {
      throw invalidParameter(
        'Label schema `type` must be one of FEEDBACK or EXPECTATION; got proto enum value 0.',
      );
    }
    checkName(body.name);
    checkInstruction(body.instruction);
    readLabelInput(body.input);
    const { state, workspace } = context;
    const experiment = await activeExperiment(body.experiment_id, context);
    if (await state.review.findSchemaByName(workspace, experiment.id, body.name))
      throw taken(body.name, body.experiment_id);
    const id = `ls-${newId(context.random(16))}`;
    return { decided: { id, experiment: experiment.id }, answer: { id } };
  },
  facts: (body, { id, experiment }, { time }) => [
    {
      kind: 'labelSchema.created',
      ...{ id, experiment, time },
      name: body.name,
      type: body.type === 'EXPECTATION' ? 'expectation' : 'feedback',
      instruction: body.instruction ?? null,
      comment: body.enable_comment ?? false,
      input: readLabelInput(body.input),
    },
  ],
});

type Empty = Record<string, never>;

/** PATCH `label-schemas/update`: sets what is given; how it is answered stays of the same sort. */
export const updateLabelSchema = mlflowOperation<Update, { readonly id: string }, Empty>({
  operation: 'label-schemas/update',
  async decide(body, context) {
    const answer = { id: body.schema_id };
    const before = await getSchema(body.schema_id, context);
    if (before.isDefault)
      throw invalidParameter("The experiment's default question cannot be edited.");
    if (body.name !== undefined) checkName(body.name);
    checkInstruction(body.instruction);
    const change = changeOf(body);
    if (change.input !== undefined) checkSameInput(before.input, change.input);
    const { state, workspace } = context;
    if (body.name !== undefined && body.name !== before.name) {
      if (await state.review.findSchemaByName(workspace, before.experiment, body.name))
        throw taken(body.name, before.experiment);
    }
    const changed = Object.entries(change).some(
      // The keys are those of the row.
      ([key, value]) => value !== undefined && value !== before[key as keyof LabelSchemaRow],
    );
    return changed ? { decided: {}, answer } : { unchanged: answer };
  },
  facts: (body, _decided, { time }) => [
    { kind: 'labelSchema.changed', id: body.schema_id, time, ...changeOf(body) },
  ],
});

function changeOf({ name, instruction, enable_comment: comment, input }: Update) {
  return {
    name,
    instruction,
    comment,
    input: input === undefined ? undefined : readLabelInput(input),
  };
}

/** DELETE `label-schemas/delete`; one that is not there is deleted already. */
export const deleteLabelSchema = mlflowOperation<{ readonly schema_id: string }, null, Empty>({
  operation: 'label-schemas/delete',
  async decide({ schema_id: id }, context) {
    const schema = await findSchema(id, context);
    if (schema?.isDefault)
      throw invalidParameter("The experiment's default question cannot be deleted.");
    return schema === undefined ? { unchanged: null } : { decided: {}, answer: null };
  },
  facts: ({ schema_id: id }, _decided, { time }) => [{ kind: 'labelSchema.deleted', id, time }],
});

/** LabelSchema of label_schemas.proto. */
export function writeSchema(schema: ShownSchema): Answer {
  return {
    schema_id: schema.id,
    experiment_id: schema.experiment,
    name: schema.name,
    type: schema.type.toUpperCase(),
    ...(schema.instruction === null ? {} : { instruction: schema.instruction }),
    enable_comment: schema.comment,
    input: JSON.parse(schema.input),
    created_at: schema.createdTime,
    last_updated_at: schema.updatedTime,
    is_default: schema.isDefault,
  };
}
