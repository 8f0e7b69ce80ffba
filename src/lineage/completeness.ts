import { isObject, list } from '../base/json.ts';
import type { AnswerEdge, AnswerNode } from '../contract/answer.ts';
import type { CompletenessCheck } from '../contract/completeness.ts';
import { findRef } from '../facts/ref.ts';
import { strongDigest } from './identity/canonical-name.ts';
import type { Approval } from './statements.ts';

/** A trace: all of its nodes and edges. */
interface Graph {
  readonly ref: string;
  readonly nodes: readonly AnswerNode[];
  readonly edges: readonly AnswerEdge[];
}

interface Judge {
  readonly graph: Graph;
  readonly nodes: ReadonlyMap<string, AnswerNode>;
  readonly edgesInto: ReadonlyMap<string, readonly AnswerEdge[]>;
  readonly edgesFrom: ReadonlyMap<string, readonly AnswerEdge[]>;
  readonly known: Known;
  readonly checks: CompletenessCheck[];
}

/** What is known of the things of the trace beside its nodes and edges, all by ref. */
export interface Known {
  readonly approvalOf: (ref: string) => Approval;
  /** A statement of type `owner` about it holds. */
  readonly hasStatedOwner: (ref: string) => boolean;
  /** The dataset has columns, wherever they were told of. */
  readonly hasColumns: (ref: string) => boolean;
  /** The agent stands for a person that was not named. */
  readonly isNobody: (agent: string) => boolean;
  /** The walk did not go on here: what is not found may be behind it. */
  readonly isStopped: (ref: string) => boolean;
}

/**
 * Which links a full lineage of the ref should have, and whether its trace has them. What is asked
 * of a thing depends on its kind: of a model version a run behind it, of a training run code, data,
 * environment, parameters and seeds, of data who made it and a digest.
 */
export function checkCompleteness(graph: Graph, known: Known): CompletenessCheck[] {
  const { ref } = graph;
  const judge: Judge = {
    graph,
    nodes: new Map(graph.nodes.map((node) => [node.ref, node])),
    edgesInto: Map.groupBy(graph.edges, (edge) => edge.to),
    edgesFrom: Map.groupBy(graph.edges, (edge) => edge.from),
    known,
    checks: [],
  };
  const kind = findRef(ref)?.kind;
  if (kind === 'prediction' && judge.nodes.get(ref)?.attributes.trace === true) {
    languageModel(judge, ref);
  } else if (kind === 'prediction') {
    need(
      judge,
      ref,
      'model version',
      graph.nodes.filter((node) => node.kind === 'modelVersion'),
      'Send modelVersion, or deployment, with the prediction.',
    );
    need(
      judge,
      ref,
      'deployment',
      into(judge, ref, 'served').filter((node) => node.kind === 'deployment'),
      'POST the deployment, and name it in predictions.',
    );
    check(
      judge,
      ref,
      'features',
      judge.nodes.get(ref)?.attributes.features !== undefined,
      'Send the features with the prediction.',
    );
  }
  for (const node of graph.nodes) {
    if (node.kind === 'modelVersion') modelVersion(judge, node);
    if (node.kind === 'run' && makesModel(judge, node)) trainingRun(judge, node);
    else if (node.kind === 'run' && node.ref === ref) plainRun(judge, node);
    if (node.kind === 'deployment')
      check(
        judge,
        node.ref,
        'image digest',
        node.attributes.imageDigest !== undefined,
        'Record imageDigest with the deployment.',
      );
    if (node.kind === 'datasetVersion') datasetVersion(judge, node);
    if (node.kind === 'dataset') dataset(judge, node);
  }
  return judge.checks.filter(({ found, ref }) => found || !known.isStopped(ref));
}

/** A trace: which model answered, from which prompt, with which code and settings. */
function languageModel(judge: Judge, ref: string): void {
  const served = into(judge, ref, 'served');
  const withRole = (role: string): AnswerNode[] =>
    (judge.edgesInto.get(ref) ?? [])
      .filter((edge) => edge.role === role)
      .flatMap((edge) => judge.nodes.get(edge.from) ?? []);
  need(judge, ref, 'model', served, 'Record gen_ai.response.model on the span that calls it.');
  need(
    judge,
    ref,
    'model version',
    served.filter(({ kind, attributes }) => kind !== 'model' && attributes.unknown !== true),
    'Name the version of the application: mlflow.set_active_model, or the resource attribute ml.model.version.',
  );
  const prompts = withRole('prompt').filter(({ attributes }) => attributes.unknown !== true);
  need(judge, ref, 'prompt version', prompts, 'Register the prompt, and load it in the trace.');
  need(judge, ref, 'code', withRole('code'), 'Run it from a git checkout.');
  const { parameters, request, response } = judge.nodes.get(ref)?.attributes ?? {};
  const settings = isObject(parameters) && Object.keys(parameters).length > 0;
  check(judge, ref, 'parameters', settings, 'Record gen_ai.request.temperature and its like.');
  check(judge, ref, 'input', request !== undefined, 'Record the inputs of the root span.');
  check(judge, ref, 'output', response !== undefined, 'Record the outputs of the root span.');
}

function check(judge: Judge, ref: string, what: string, found: boolean, hint: string): void {
  judge.checks.push({ what, ref, found, ...(found ? {} : { hint }) });
}

function need(
  judge: Judge,
  ref: string,
  what: string,
  by: readonly AnswerNode[],
  hint: string,
): void {
  judge.checks.push({
    what,
    ref,
    found: by.length > 0,
    ...(by.length > 0 ? { by: by.map((node) => node.ref) } : { hint }),
  });
}

function into(judge: Judge, ref: string, ...relations: string[]): AnswerNode[] {
  return (judge.edgesInto.get(ref) ?? [])
    .filter((edge) => relations.includes(edge.relation))
    .flatMap((edge) => judge.nodes.get(edge.from) ?? []);
}

function makesModel(judge: Judge, run: AnswerNode): boolean {
  return (judge.edgesFrom.get(run.ref) ?? []).some(
    ({ relation, to }) =>
      (relation === 'produced' || relation === 'registered-as') &&
      judge.nodes.get(to)?.kind !== 'prediction',
  );
}

const approvalHints: Readonly<Record<Approval, string>> = {
  approved: '',
  none: 'POST a statement of type approval about it.',
  refused: 'The newest approval says that it is not approved.',
  unheld: 'No approval holds: GET /statements?ref= tells which ended or were superseded.',
};

function modelVersion(judge: Judge, node: AnswerNode): void {
  const from = into(judge, node.ref, 'registered-as');
  // A prompt is written, not trained.
  if (node.attributes['tag.mlflow.prompt.is_prompt'] !== 'true')
    need(judge, node.ref, 'training run', from, 'Register the model from a run or a logged model.');
  const approval = judge.known.approvalOf(node.ref);
  check(judge, node.ref, 'approval', approval === 'approved', approvalHints[approval]);
  owner(judge, node);
}

/** Somebody of the version itself, of its model, or of the run that made it. */
function owner(judge: Judge, version: AnswerNode): void {
  const { known } = judge;
  const models = into(judge, version.ref, 'has-version');
  const made = into(judge, version.ref, 'registered-as');
  const runs = [...made, ...made.flatMap(({ ref }) => into(judge, ref, 'produced'))]
    .filter(({ kind }) => kind === 'run')
    .flatMap(({ ref }) => [...wholesOf(judge, ref)]);
  const jobs = runs.flatMap((run) => into(judge, run, 'ran-as')).map(({ ref }) => ref);
  const own = [version, ...models].map(({ ref }) => ref);
  const owned = [...own, ...made.map(({ ref }) => ref), ...runs, ...jobs];
  const agents = owned
    .flatMap((ref) => into(judge, ref, 'did'))
    .filter(({ ref }) => !known.isNobody(ref));
  const by = [...new Set(agents.map(({ ref }) => ref))];
  const found = by.length > 0 || own.some(known.hasStatedOwner);
  if (!found && owned.some(known.isStopped)) return;
  judge.checks.push({
    what: 'owner',
    ref: version.ref,
    found,
    ...(by.length > 0 && { by }),
    ...(!found && { hint: 'Say who: a user on the run, or an owner statement.' }),
  });
}

/** A run that was asked about and made no model: what it ran, in what, on what. */
function plainRun(judge: Judge, { ref }: AnswerNode): void {
  const used = into(judge, ref, 'used-by');
  const withKind = (kind: string): AnswerNode[] => used.filter((node) => node.kind === kind);
  need(judge, ref, 'code', withKind('code'), codeHint);
  need(judge, ref, 'environment', withKind('environment'), 'Record the packages or the image.');
  const read = [...wholesOf(judge, ref)].flatMap((run) => into(judge, run, 'read-by'));
  need(judge, ref, 'data', read, 'Log the data that it read as inputs of the run.');
}

const codeHint = 'Run it from a git checkout, or set mlflow.source.name.';

function trainingRun(judge: Judge, run: AnswerNode): void {
  const code = into(judge, run.ref, 'used-by').filter((node) => node.kind === 'code');
  need(judge, run.ref, 'code', code, codeHint);
  if (code.length > 0)
    check(
      judge,
      run.ref,
      'code commit',
      code.some((node) => findRef(node.ref)?.version !== undefined),
      'Commit the script to git before the run.',
    );
  const environments = [...into(judge, run.ref, 'used-by')].filter(
    (node) => node.kind === 'environment',
  );
  need(judge, run.ref, 'environment', environments, 'Log the model with its requirements.');
  const parameters = isObject(run.attributes.parameters)
    ? Object.entries(run.attributes.parameters)
    : [];
  check(judge, run.ref, 'parameters', parameters.length > 0, 'Log the parameters of the run.');
  check(
    judge,
    run.ref,
    'seed',
    parameters.some(([name, value]) => /seed|random_state/i.test(name) && isValue(value)),
    'Log the random seed as a parameter, with its value.',
  );
  const having = [...wholesOf(judge, run.ref)].flatMap((ref) => judge.edgesInto.get(ref) ?? []);
  const reads = having.filter(
    (edge) => edge.relation === 'read-by' && judge.nodes.get(edge.from)?.kind !== 'field',
  );
  const data = reads.flatMap((edge) => judge.nodes.get(edge.from) ?? []);
  need(judge, run.ref, 'training data', data, 'Log the dataset as an input of the run.');
  if (reads.length > 0) {
    const own = reads.filter((edge) => evaluationRoles.has(edge.role ?? ''));
    const evaluation = [...own.map(({ from }) => from), ...evaluatedOn(judge, run.ref)];
    need(
      judge,
      run.ref,
      'evaluation data',
      [...new Set(evaluation)].flatMap((ref) => judge.nodes.get(ref) ?? []),
      'Log the test or validation dataset with its context.',
    );
  }
}

const evaluationRoles: ReadonlySet<string> = new Set(['validation', 'test', 'evaluation']);

/** What the models that a run made were evaluated on, in whichever run that was. */
function evaluatedOn(judge: Judge, run: string): string[] {
  const made = new Set([run]);
  const found: string[] = [];
  // A set grows while it is walked: a logged model is registered as a version.
  for (const ref of made)
    for (const { relation, to } of judge.edgesFrom.get(ref) ?? [])
      if (relation === 'evaluated-on') found.push(to);
      else if (relation === 'produced' || relation === 'registered-as') made.add(to);
  return found;
}

/** What clients log where there is no value: `random_state=None` is no seed. */
const noValues: ReadonlySet<string> = new Set(['', 'none', 'null', 'nan', 'undefined', 'n/a']);

const isValue = (value: unknown): boolean =>
  !noValues.has(
    String(value ?? '')
      .trim()
      .toLowerCase(),
  );

/** The run and those that it is part of: a search reads the data, its trials make the models. */
function wholesOf(judge: Judge, run: string): ReadonlySet<string> {
  const wholes = new Set([run]);
  // A set grows while it is walked.
  for (const part of wholes)
    for (const edge of judge.edgesFrom.get(part) ?? [])
      if (edge.relation === 'part-of') wholes.add(edge.to);
  return wholes;
}

/** A digest over the full content, of the version itself or of the one that it was found to continue. */
function datasetVersion(judge: Judge, node: AnswerNode): void {
  const strong = (ref: string): boolean => {
    const [algorithm = '', value = ''] = (findRef(ref)?.version ?? '').split(':');
    return strongDigest({ algorithm, value }) !== undefined;
  };
  const continued = (judge.edgesInto.get(node.ref) ?? []).filter(
    (edge) => edge.relation === 'continued-as' && strong(edge.from),
  );
  const own = strong(node.ref);
  judge.checks.push({
    what: 'content digest',
    ref: node.ref,
    found: own || continued.length > 0,
    ...(own ? { known: 'observed' as const } : {}),
    ...(!own && continued.length > 0
      ? { known: 'inferred' as const, by: continued.map((edge) => edge.from) }
      : {}),
    ...(own || continued.length > 0
      ? {}
      : { hint: 'Report a version or digest over the full content.' }),
  });
}

/** A dataset ends the trace well when it is a source; otherwise some run should have made it. */
function dataset(judge: Judge, node: AnswerNode): void {
  need(
    judge,
    node.ref,
    'source',
    into(judge, node.ref, 'holds'),
    'Report the dataset with its namespace.',
  );
  const outgoing = judge.edgesFrom.get(node.ref) ?? [];
  const readDirectly = outgoing.some((edge) => edge.relation === 'read-by');
  if (readDirectly)
    check(
      judge,
      node.ref,
      'data version',
      false,
      'Report which version was read (version facet, digest).',
    );
  // A document has no columns.
  if (node.attributes.usedAs === 'document') return;
  const schema = list(node.attributes.schema).length > 0 || judge.known.hasColumns(node.ref);
  const versionsSchema = outgoing.some(
    (edge) =>
      edge.relation === 'has' && list(judge.nodes.get(edge.to)?.attributes.schema).length > 0,
  );
  check(judge, node.ref, 'columns', schema || versionsSchema, 'Report the schema of the dataset.');
}
