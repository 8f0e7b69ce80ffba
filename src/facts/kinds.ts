/**
 * The entity kinds, with the W3C PROV class of each, so that exports are exact.
 * Codes are stored: a kind is only ever added, never renumbered.
 */
export const entityKinds = {
  source: {
    code: 1,
    prov: 'Entity',
    says: 'a database, API, stream, public dataset or file system',
  },
  dataset: { code: 2, prov: 'Entity', says: 'a table, file, topic, feature view or label set' },
  datasetVersion: { code: 3, prov: 'Entity', says: 'the content of a dataset at one time' },
  field: { code: 4, prov: 'Entity', says: 'a column or feature of a dataset' },
  job: { code: 5, prov: 'Plan', says: 'a program that runs again and again' },
  jobVersion: { code: 6, prov: 'Plan', says: 'a job with the code it had' },
  run: { code: 7, prov: 'Activity', says: 'one execution' },
  experiment: { code: 8, prov: 'Collection', says: 'runs that belong together' },
  code: { code: 9, prov: 'Entity', says: 'a repository at a commit, or a script' },
  environment: { code: 10, prov: 'Entity', says: 'packages, image and hardware' },
  artifact: {
    code: 11,
    prov: 'Entity',
    says: 'content that a run produced; a logged model is one',
  },
  model: { code: 12, prov: 'Collection', says: 'a registered model' },
  modelVersion: { code: 13, prov: 'Entity', says: 'one version of a registered model' },
  deployment: { code: 14, prov: 'Activity', says: 'a model version running somewhere' },
  prediction: { code: 15, prov: 'Entity', says: 'one answer of a model' },
  agent: { code: 16, prov: 'Agent', says: 'a person, team or service account' },
  workspace: { code: 17, prov: 'Collection', says: 'a separate area of one team' },
} as const;

export type EntityKind = keyof typeof entityKinds;

/**
 * Kinds that live in a workspace, which is the namespace of their refs. Sources, datasets, columns,
 * jobs and code are the organisation's.
 */
export const workspaceKinds: ReadonlySet<EntityKind> = new Set([
  'run',
  'experiment',
  'artifact',
  'environment',
  'model',
  'modelVersion',
  'deployment',
  'prediction',
  'agent',
]);

const byCode = new Map<number, EntityKind>(
  Object.entries(entityKinds).map(([kind, { code }]) => [code, kind as EntityKind]),
);

export function isEntityKind(text: string): text is EntityKind {
  return Object.hasOwn(entityKinds, text);
}

/** The kind of a stored code. Throws a plain error on an unknown code: a broken invariant. */
export function kindOfCode(code: number): EntityKind {
  const kind = byCode.get(code);
  if (kind === undefined) throw new Error(`unknown entity kind code ${code}`);
  return kind;
}
