import { isObject, list } from '../base/json.ts';
import type { AnswerEdge, AnswerNode } from '../contract/answer.ts';
import type { CompletenessCheck } from '../contract/completeness.ts';
import { findRef } from '../facts/ref.ts';
import { strongDigest } from './identity/canonical-name.ts';

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
  /** Refs of datasets, without their kind, of which columns are in the graph. */
  readonly withColumns: ReadonlySet<string>;
  readonly anyAgent: boolean;
  readonly statements: ReadonlyMap<string, readonly string[]>;
  readonly checks: CompletenessCheck[];
}

/**
 * Which links a full lineage of the ref should have, and whether its trace has them. What is asked
 * of a thing depends on its kind: of a model version a run behind it, of a training run code, data,
 * environment, parameters and seeds, of data who made it and a digest.
 */
export function checkCompleteness(
  graph: Graph,
  statements: ReadonlyMap<string, readonly string[]>,
): CompletenessCheck[] {
  const { ref } = graph;
  const judge: Judge = {
    graph,
    nodes: new Map(graph.nodes.map((node) => [node.ref, node])),
    edgesInto: Map.groupBy(graph.edges, (edge) => edge.to),
    edgesFrom: Map.groupBy(graph.edges, (edge) => edge.from),
    withColumns: new Set(
      graph.nodes.flatMap(({ kind, ref }) =>
        kind === 'field' ? ref.slice('field:'.length, ref.indexOf('#')) : [],
      ),
    ),
    anyAgent: graph.edges.some((edge) => edge.relation === 'did'),
    statements,
    checks: [],
  };
  const kind = findRef(ref)?.kind;
  if (kind === 'prediction') {
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
  return judge.checks;
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
    ({ relation }) => relation === 'produced' || relation === 'registered-as',
  );
}

function modelVersion(judge: Judge, node: AnswerNode): void {
  const from = into(judge, node.ref, 'registered-as');
  need(judge, node.ref, 'training run', from, 'Register the model from a run or a logged model.');
  const said = judge.statements.get(node.ref) ?? [];
  check(
    judge,
    node.ref,
    'approval',
    said.includes('approval'),
    'POST a statement of type approval about it.',
  );
  check(
    judge,
    node.ref,
    'owner',
    judge.anyAgent,
    'Say who: a user on the run, or an owner statement.',
  );
}

function trainingRun(judge: Judge, run: AnswerNode): void {
  const code = into(judge, run.ref, 'used-by').filter((node) => node.kind === 'code');
  need(judge, run.ref, 'code', code, 'Run it from a git checkout, or set mlflow.source.name.');
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
    ? Object.keys(run.attributes.parameters)
    : [];
  check(judge, run.ref, 'parameters', parameters.length > 0, 'Log the parameters of the run.');
  check(
    judge,
    run.ref,
    'seed',
    parameters.some((name) => /seed|random_state/i.test(name)),
    'Log the random seed as a parameter.',
  );
  const reads = (judge.edgesInto.get(run.ref) ?? []).filter(
    (edge) => edge.relation === 'read-by' && findRef(edge.from)?.kind !== 'field',
  );
  const data = reads.flatMap((edge) => judge.nodes.get(edge.from) ?? []);
  need(judge, run.ref, 'training data', data, 'Log the dataset as an input of the run.');
  if (reads.length > 0) {
    const evaluation = reads.some((edge) =>
      ['validation', 'test', 'evaluation'].includes(edge.role ?? ''),
    );
    check(
      judge,
      run.ref,
      'evaluation data',
      evaluation,
      'Log the test or validation dataset with its context.',
    );
  }
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
  const schema =
    list(node.attributes.schema).length > 0 ||
    judge.withColumns.has(node.ref.slice('dataset:'.length));
  const versionsSchema = outgoing.some(
    (edge) =>
      edge.relation === 'has' && list(judge.nodes.get(edge.to)?.attributes.schema).length > 0,
  );
  check(judge, node.ref, 'columns', schema || versionsSchema, 'Report the schema of the dataset.');
}
