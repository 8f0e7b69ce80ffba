/** What the demo must have shown: every link of the chain, and every prediction counted. */
import type { Answer, AnswerNode } from '../../src/contract/answer.ts';

/** The answers of the demo, as `--json` writes them. */
export interface DemoAnswers {
  readonly trace: Answer;
  readonly impact: Answer;
}

/**
 * Walks the trace of a prediction from link to link, down to the columns of the source file.
 * @returns what is missing, in words; nothing when the chain has no gap.
 */
export function findGaps(trace: Answer, source: string): string[] {
  const gaps: string[] = [];
  const find = (to: readonly AnswerNode[], relation: string, kind: string): AnswerNode[] => {
    const targets = new Set(to.map(({ ref }) => ref));
    const edges = trace.edges.filter((edge) => edge.relation === relation && targets.has(edge.to));
    const from = new Set(edges.map((edge) => edge.from));
    return trace.nodes.filter((node) => node.kind === kind && from.has(node.ref));
  };
  /** The nodes of a kind that `relation` leads from into one of `to`; says so when there are none. */
  const before = (to: readonly AnswerNode[], relation: string, kind: string): AnswerNode[] => {
    const found = find(to, relation, kind);
    if (found.length === 0 && to.length > 0) {
      gaps.push(`no ${kind} ${relation} ${to.map(({ ref }) => ref).join(', ')}`);
    }
    return found;
  };

  const prediction = trace.nodes.filter(({ ref }) => ref === trace.ref);
  const deployment = before(prediction, 'served', 'deployment');
  const version = before(deployment, 'deployed-as', 'modelVersion');
  const model = before(version, 'registered-as', 'artifact');
  const training = before(model, 'produced', 'run');
  before(training, 'used-by', 'code');
  before(training, 'used-by', 'environment');
  before(training, 'did', 'agent');
  for (const { ref, attributes } of training) {
    const { parameters } = attributes;
    if (typeof parameters !== 'object' || parameters === null) gaps.push(`no parameters of ${ref}`);
  }
  const read = before(training, 'read-by', 'datasetVersion');
  // MLflow names what it read by a digest of its own: that content goes on from what was written.
  const written = [...read, ...find(read, 'continued-as', 'datasetVersion')];
  const transformation = before(written, 'wrote', 'run');
  const sourceData = before(transformation, 'read-by', 'datasetVersion').filter(({ name }) =>
    name.includes(source),
  );
  if (sourceData.length === 0) gaps.push(`no version of ${source} read by the transformation`);
  const trainingColumns = before(training, 'read-by', 'field');
  const sourceColumns = before(trainingColumns, 'derived-into', 'field');
  for (const column of ['age', 'credit_amount', 'duration', 'checking_account']) {
    if (!sourceColumns.some(({ ref }) => decodeURIComponent(ref).endsWith(`${source}#${column}`))) {
      gaps.push(`no column ${column} of ${source}`);
    }
  }
  for (const edge of trace.edges) {
    if (!edge.known)
      gaps.push(`${edge.from} ${edge.relation} ${edge.to} does not say how it is known`);
  }
  if (trace.stopped.length > 0) gaps.push(`the trace stopped ${trace.stopped.length} times`);
  return gaps;
}

/** How many predictions an impact reached. */
export function countPredictions(impact: Answer): number {
  return impact.counts
    .filter(({ kind }) => kind === 'prediction')
    .reduce((sum, { count }) => sum + count, 0);
}
