import type { DecideContext, Tokenise } from '../../../door/index.ts';
import type { Fact } from '../../../facts/facts.ts';
import type { IssueRow, LabelSchemaRow } from '../../../review/index.ts';
import { mlflowError } from '../errors.ts';
import { mlflowOperation } from '../operation.ts';
import { getExperiment } from '../operations/define.ts';
import { readLabelInput } from '../review/label-input.ts';
import type { ImportIssue, ImportSchema } from './messages.ts';
import {
  findSaid,
  type Statements,
  saidFact,
  taken,
  type Updated,
  updatedBy,
  weigh,
} from './said.ts';

/** `gone`: it was brought before, and deleted here since. */
export interface ImportedReview extends Updated {
  readonly gone: boolean;
}

/** `take`: null when it is made; else the fields that change. */
export type DecidedReview = { readonly take: readonly string[] | null };

/** Times of the source: when it was made and last changed. */
export const timesOf = ({
  created_time: time = 0,
  last_update_time,
}: {
  readonly created_time?: number;
  readonly last_update_time?: number;
}): { readonly time: number; readonly updatedTime: number } => ({
  time,
  updatedTime: last_update_time || time,
});

/**
 * Decides on an issue, label schema or queue: made, changed, gone, or nothing new.
 * @throws conflict when another workspace has it.
 */
export async function decideReview(
  of: {
    readonly kind: 'issue' | 'schema' | 'queue';
    readonly id: string;
    readonly experiment_id: string;
    readonly there: Statements;
    readonly here: Statements | undefined;
    /** Called before it is made. */
    readonly checkNew?: () => Promise<void>;
  },
  context: DecideContext,
): Promise<
  | { readonly decided: DecidedReview; readonly answer: ImportedReview }
  | { readonly unchanged: ImportedReview }
> {
  const { kind, id, here } = of;
  const said = await findSaid(kind, id, context);
  if (here === undefined) {
    if (said !== undefined) return { unchanged: { gone: true } };
    if (await context.state.review.hasId(kind, id))
      throw mlflowError('RESOURCE_CONFLICT', `${id} is in another workspace here.`);
    await getExperiment(of.experiment_id, context);
    await of.checkNew?.();
    return { decided: { take: null }, answer: { gone: false } };
  }
  const weighed = weigh(of.there, here, said);
  const answer = { gone: false, ...updatedBy(weighed) };
  const { take } = weighed;
  return take.length === 0 ? { unchanged: answer } : { decided: { take }, answer };
}

const issueFields = ({ name, description = '', status = 'pending', severity }: ImportIssue) => ({
  ...{ name, description, status },
  severity: severity ?? null,
});

const issueState = ({ name, description, status, severity }: IssueRow): Statements => ({
  ...{ name, description, status, severity },
});

/** An issue. Its causes, categories and run never change. */
export const importIssue = mlflowOperation<ImportIssue, ImportedReview, DecidedReview>({
  operation: 'import/issue',
  persons: (body, tokenise: Tokenise) =>
    body.created_by ? { ...body, created_by: tokenise(body.created_by) } : body,
  async decide(body, context) {
    const { issue_id: id, experiment_id } = body;
    const row = await context.state.review.findIssue(context.workspace, id);
    const here = row && issueState(row);
    return decideReview(
      { kind: 'issue', id, experiment_id, there: issueFields(body), here },
      context,
    );
  },
  facts(body, { take }) {
    const { issue_id: id, experiment_id: experiment } = body;
    const { time, updatedTime } = timesOf(body);
    const fields = issueFields(body);
    const fact: Fact =
      take === null
        ? {
            kind: 'issue.created',
            ...{ id, experiment, time, updatedTime },
            ...fields,
            rootCauses: body.root_causes ?? [],
            categories: body.categories ?? [],
            sourceRun: body.source_run_id || null,
            createdBy: body.created_by || null,
          }
        : { kind: 'issue.changed', id, time: updatedTime, ...taken(fields, take) };
    return [fact, saidFact('issue', id, fields)];
  },
});

const schemaFields = (body: ImportSchema) => ({
  name: body.name,
  instruction: body.instruction ?? null,
  comment: body.enable_comment ?? false,
  input: readLabelInput(body.input),
});

const schemaState = ({ name, instruction, comment, input }: LabelSchemaRow): Statements => ({
  ...{ name, instruction, comment, input },
});

/** A label schema. A name is one schema's: where another one has it, that stays. */
export const importSchema = mlflowOperation<ImportSchema, ImportedReview, DecidedReview>({
  operation: 'import/label-schema',
  async decide(body, context) {
    const { schema_id: id, experiment_id, name } = body;
    const { review } = context.state;
    const row = await review.findSchema(context.workspace, id);
    const here = row && schemaState(row);
    const there = schemaFields(body);
    const other = await review.findSchemaByName(context.workspace, experiment_id, name);
    if (other !== undefined && other.id !== id)
      throw mlflowError('RESOURCE_CONFLICT', `Another label schema ${name} is here.`);
    return decideReview({ kind: 'schema', id, experiment_id, there, here }, context);
  },
  facts(body, { take }) {
    const { schema_id: id, experiment_id: experiment, type = 'feedback' } = body;
    const { time, updatedTime } = timesOf(body);
    const fields = schemaFields(body);
    const fact: Fact =
      take === null
        ? { kind: 'labelSchema.created', ...{ id, experiment, time, updatedTime, type }, ...fields }
        : { kind: 'labelSchema.changed', id, time: updatedTime, ...taken(fields, take) };
    return [fact, saidFact('schema', id, fields)];
  },
});
