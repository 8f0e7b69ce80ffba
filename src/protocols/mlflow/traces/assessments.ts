import { isObject } from '../../../base/json.ts';
import type { DecideContext } from '../../../door/index.ts';
import type { TraceAssessment } from '../../../facts/trace-facts.ts';
import type { AssessmentRow } from '../../../traces/index.ts';
import { doesNotExist, invalidParameter } from '../errors.ts';
import { mlflowOperation } from '../operation.ts';
import {
  assessmentOf,
  checkAssessment,
  type DecidedAssessment,
  decideAssessment,
  getTrace,
} from './define.ts';
import { tokeniseAssessment } from './persons.ts';
import { readAssessment, type SentAssessment } from './read.ts';

type Empty = Record<string, never>;

interface CreateAssessment {
  readonly trace_id: string;
  readonly assessment: SentAssessment;
}

export const createAssessment = mlflowOperation<
  CreateAssessment,
  { readonly id: string },
  DecidedAssessment
>({
  operation: 'assessments/create',
  persons: (body, tokenise) => ({
    ...body,
    assessment: tokeniseAssessment(body.assessment, tokenise),
  }),
  async decide({ trace_id, assessment }, context) {
    checkAssessment(assessment);
    const { key } = await getTrace(trace_id, context);
    const { traces } = context.state;
    const { overrides } = assessment;
    if (overrides !== undefined && !(await traces.findAssessment(key, overrides))) {
      throw doesNotExist(`Assessment with ID '${overrides}' not found for trace '${trace_id}'`);
    }
    const decided = decideAssessment(assessment, context);
    if (await traces.findAssessment(key, decided.id)) {
      throw invalidParameter(
        `Failed to create assessment for trace '${trace_id}' due to a constraint violation.`,
      );
    }
    return { decided, answer: { id: decided.id } };
  },
  facts: ({ trace_id: trace, assessment }, decided) => [
    { kind: 'assessment.recorded', trace, assessment: assessmentOf(assessment, decided) },
  ],
});

/** @throws not_found with MLflow's texts. */
export async function getAssessment(
  trace: string,
  id: string,
  { state, workspace }: Pick<DecideContext, 'state' | 'workspace'>,
): Promise<AssessmentRow> {
  const row = await state.traces.find(workspace, trace);
  if (row === undefined) throw doesNotExist(`Trace with request_id '${trace}' not found`);
  const found = await state.traces.findAssessment(row.key, id);
  if (found !== undefined) return found;
  throw doesNotExist(`Assessment with ID '${id}' not found for trace '${trace}'`);
}

interface UpdateAssessment {
  readonly trace_id: string;
  readonly assessment_id: string;
  readonly assessment: Readonly<Record<string, unknown>>;
  /** Fields that are changed; others of `assessment` are passed over. */
  readonly paths: readonly string[];
}

/** Source and span stay; metadata is merged. Source: sqlalchemy_store.py (update_assessment). */
export const updateAssessment = mlflowOperation<
  UpdateAssessment,
  Empty,
  { readonly assessment: TraceAssessment }
>({
  operation: 'assessments/update',
  async decide(body, context) {
    const before = await getAssessment(body.trace_id, body.assessment_id, context);
    return { decided: { assessment: changed(before, body, context.time) }, answer: {} };
  },
  facts: ({ trace_id: trace }, { assessment }) => [
    { kind: 'assessment.recorded', trace, assessment },
  ],
});

function changed(before: AssessmentRow, body: UpdateAssessment, time: number): TraceAssessment {
  const { paths, assessment } = body;
  const asks = (path: string): boolean => paths.some((each) => each.split('.')[0] === path);
  const [feedback, expectation] = [asks('feedback'), asks('expectation')];
  if (feedback && expectation) {
    throw invalidParameter('Cannot specify both `expectation` and `feedback` parameters.');
  }
  if (expectation && before.type !== 'expectation')
    throw invalidParameter('Cannot update expectation value on a Feedback assessment.');
  if (feedback && before.type !== 'feedback')
    throw invalidParameter('Cannot update feedback value on an Expectation assessment.');
  const { owner: _, valid: __, ...kept } = before;
  const sent =
    feedback || expectation
      ? assessmentOf(readAssessment(assessment), { id: before.id, time })
      : undefined;
  const metadata = asks('metadata') && isObject(assessment.metadata) ? assessment.metadata : {};
  const merged = new Map(before.metadata.map(({ key, value }) => [key, value]));
  for (const [key, value] of Object.entries(metadata)) merged.set(key, String(value));
  const { assessment_name: name, rationale } = assessment;
  return {
    ...kept,
    ...(asks('assessment_name') && typeof name === 'string' ? { name } : {}),
    ...(asks('rationale') && typeof rationale === 'string' ? { rationale } : {}),
    ...(sent === undefined
      ? {}
      : { value: sent.value, number: sent.number, numeric: sent.numeric, error: sent.error }),
    metadata: [...merged].map(([key, value]) => ({ key, value })),
    updatedTime: time,
  };
}

interface DeleteAssessment {
  readonly trace_id: string;
  readonly assessment_id: string;
}

/** An assessment that is not there is deleted already. */
export const deleteAssessment = mlflowOperation<DeleteAssessment, Empty, Empty>({
  operation: 'assessments/delete',
  async decide({ trace_id, assessment_id }, { state, workspace }) {
    const row = await state.traces.find(workspace, trace_id);
    const found = row && (await state.traces.findAssessment(row.key, assessment_id));
    return found === undefined ? { unchanged: {} } : { decided: {}, answer: {} };
  },
  facts: ({ trace_id: trace, assessment_id: id }) => [{ kind: 'assessment.deleted', trace, id }],
});
