import type { DecideContext } from '../../../door/index.ts';
import {
  type IssueSeverity,
  type IssueStatus,
  issueSeverities,
  issueStatuses,
} from '../../../facts/review-facts.ts';
import type { IssueRow, IssueSearch } from '../../../review/index.ts';
import { doesNotExist, invalidParameter, pythonText } from '../errors.ts';
import { readClauses, unquote } from '../filter.ts';
import { mlflowOperation } from '../operation.ts';
import { checkActiveExperiment, getExperiment, getRun } from '../operations/define.ts';
import { newId } from '../operations/names.ts';
import { readPageToken } from '../paging.ts';
import type { Answer } from '../tracking/answers.ts';
import { checkExperimentId } from '../validate.ts';
import type { BodyOf } from '../wire.ts';
import { pageLimit } from './paging.ts';
import type { createIssueMessage, searchIssuesMessage, updateIssueMessage } from './wire.ts';

type Create = BodyOf<typeof createIssueMessage>;
type Update = BodyOf<typeof updateIssueMessage>;
type Reading = Pick<DecideContext, 'state' | 'workspace'>;

/** One of a list of words. @throws invalid_message with Python's text. */
function oneOfWords<T extends string>(
  value: string | undefined,
  words: readonly T[],
  what: string,
): T | undefined {
  if (value === undefined) return undefined;
  const found = words.find((word) => word === value);
  if (found === undefined)
    throw invalidParameter(`${pythonText(value.slice(0, 200))} is not a valid ${what}`);
  return found;
}

const statusOf = (sent: string | undefined): IssueStatus | undefined =>
  oneOfWords(sent, issueStatuses, 'IssueStatus');
const severityOf = (sent: string | undefined): IssueSeverity | undefined =>
  oneOfWords(sent, issueSeverities, 'IssueSeverity');

/** @throws not_found with MLflow's text. */
export async function getIssue(id: string, { state, workspace }: Reading): Promise<IssueRow> {
  const row = await state.review.findIssue(workspace, id);
  if (row !== undefined) return row;
  throw doesNotExist(`Issue with ID '${id}' not found`);
}

type Created = { readonly id: string; readonly experiment: string };

/** POST `issues`: a problem that somebody, or a run, found in traces. */
export const createIssue = mlflowOperation<Create, { readonly id: string }, Created>({
  operation: 'issues/create',
  persons: (body, tokenise) =>
    body.created_by ? { ...body, created_by: tokenise(body.created_by) } : body,
  async decide(body, context) {
    statusOf(body.status);
    severityOf(body.severity);
    const experiment = await getExperiment(body.experiment_id, context);
    checkActiveExperiment(experiment);
    if (body.source_run_id) await getRun(body.source_run_id, context);
    const id = `iss-${newId(context.random(16))}`;
    return { decided: { id, experiment: experiment.id }, answer: { id } };
  },
  facts: (body, { id, experiment }, { time }) => [
    {
      kind: 'issue.created',
      ...{ id, experiment, time },
      name: body.name,
      description: body.description,
      status: statusOf(body.status) ?? 'pending',
      severity: severityOf(body.severity) ?? null,
      rootCauses: body.root_causes ?? [],
      categories: body.categories ?? [],
      sourceRun: body.source_run_id || null,
      createdBy: body.created_by || null,
    },
  ],
});

/** PATCH `issues/{id}`: sets what is given and not empty. */
export const updateIssue = mlflowOperation<Update, { readonly id: string }, Record<string, never>>({
  operation: 'issues/update',
  async decide(body, context) {
    const answer = { id: body.issue_id };
    const before = await getIssue(body.issue_id, context);
    const changed = Object.entries(changeOf(body)).some(
      // The keys are those of the row.
      ([key, value]) => value !== undefined && value !== before[key as keyof IssueRow],
    );
    return changed ? { decided: {}, answer } : { unchanged: answer };
  },
  facts: (body, _decided, { time }) => [
    { kind: 'issue.changed', id: body.issue_id, time, ...changeOf(body) },
  ],
});

function changeOf({ name, description, status, severity }: Update) {
  return {
    name: name || undefined,
    description: description || undefined,
    status: statusOf(status),
    severity: severityOf(severity),
  };
}

/** Issue of issues.proto. */
export function writeIssue(row: IssueRow): Answer {
  return {
    issue_id: row.id,
    experiment_id: row.experiment,
    name: row.name,
    description: row.description,
    status: row.status,
    ...(row.severity === null ? {} : { severity: row.severity }),
    ...(row.rootCauses.length === 0 ? {} : { root_causes: row.rootCauses }),
    ...(row.sourceRun === null ? {} : { source_run_id: row.sourceRun }),
    created_timestamp: row.createdTime,
    last_updated_timestamp: row.updatedTime,
    ...(row.createdBy === null ? {} : { created_by: row.createdBy }),
    ...(row.categories.length === 0 ? {} : { categories: row.categories }),
    ...(row.traces === undefined ? {} : { trace_count: row.traces }),
  };
}

const searched = { status: 'status', source_run_id: 'sourceRun' } as const;

/** Source: mlflow/utils/search_utils.py (SearchIssuesUtils). */
function readConditions(filter: string | undefined): IssueSearch['conditions'] {
  if (filter === undefined || filter.trim() === '') return [];
  return readClauses(filter).map(({ identifier, operator, value }) => {
    const name = unquote(identifier);
    const key = Object.hasOwn(searched, name)
      ? searched[name as keyof typeof searched] // checked by hasOwn
      : undefined;
    if (key === undefined) {
      throw invalidParameter(
        `Invalid filter field '${name}'. Supported fields: {'status', 'source_run_id'}`,
      );
    }
    if (operator !== '=' && operator !== '!=') {
      throw invalidParameter(
        `Invalid comparator '${operator}'. Supported comparators: {'=', '!='}`,
      );
    }
    return { key, equal: operator === '=', value: unquote(value?.text ?? '').trim() };
  });
}

/** What a search of issues asks, with one more than its page to know whether another follows. */
export function readIssueSearch(
  body: BodyOf<typeof searchIssuesMessage>,
  workspace: string,
): IssueSearch {
  if (body.experiment_id) checkExperimentId(body.experiment_id);
  return {
    workspace,
    experiment: body.experiment_id ? String(BigInt(body.experiment_id.trim())) : undefined,
    conditions: readConditions(body.filter_string),
    counted: body.include_trace_count ?? false,
    limit: pageLimit(body.max_results, 100) + 1,
    offset: readPageToken(body.page_token),
  };
}
