import type { JsonObject } from '../../../base/json.ts';
import type { LineageFact } from '../../../facts/lineage-facts.ts';
import { formatRef } from '../../../facts/ref.ts';
import { runRef } from './refs.ts';

/** Tags in which MLflow's clients say what code a run ran. */
const sourceTagNames = [
  'mlflow.source.name',
  'mlflow.source.type',
  'mlflow.source.git.commit',
  'mlflow.source.git.repoURL',
  'mlflow.source.git.branch',
  'mlflow.source.git.dirty',
  'mlflow.project.entryPoint',
] as const;

export type SourceTags = Readonly<Partial<Record<(typeof sourceTagNames)[number], string>>>;

export const isSourceTag = (key: string): boolean =>
  (sourceTagNames as readonly string[]).includes(key);

/** The names of the tags, for a look at those that a run has. */
export const sourceTags: readonly string[] = sourceTagNames;

/** What the tags say of the run rather than of the code: the same commit may run dirty or clean. */
export function sourceAttributes(tags: SourceTags): JsonObject {
  return present({
    sourceType: tags['mlflow.source.type'],
    branch: tags['mlflow.source.git.branch'],
    dirty: tags['mlflow.source.git.dirty'],
    entryPoint: tags['mlflow.project.entryPoint'],
  });
}

function present(attributes: Readonly<Record<string, string | undefined>>): JsonObject {
  const there: Record<string, string> = {};
  for (const name in attributes) {
    const value = attributes[name];
    if (value) there[name] = value;
  }
  return there;
}

/**
 * The code that source tags name, as a node of the graph; undefined when they name neither a source
 * nor a commit.
 */
export function sourceCode(
  tags: SourceTags,
  { workspace, time }: { readonly workspace: string; readonly time: number },
): (LineageFact & { readonly kind: 'entity.described' }) | undefined {
  const name = tags['mlflow.source.name'] || undefined;
  const commit = tags['mlflow.source.git.commit'] || undefined;
  if (name === undefined && commit === undefined) return undefined;
  const repository = tags['mlflow.source.git.repoURL'] || undefined;
  const ref = formatRef({
    kind: 'code',
    namespace: repository ?? workspace,
    name: name ?? 'unknown',
    version: commit,
  });
  const attributes = present({ name, commit, repository });
  return { kind: 'entity.described', ref, time, attributes, constant: true };
}

/** The field that told of the code: a commit says more than a name. */
export function sourceRule(tags: SourceTags): string {
  return tags['mlflow.source.git.commit'] ? 'mlflow.source.git.commit' : 'mlflow.source.name';
}

/** The code that a run used, from all its source tags. `time` is the run's. */
export function sourceCodeFacts(
  run: string,
  tags: SourceTags,
  { workspace, time }: { readonly workspace: string; readonly time: number },
): LineageFact[] {
  const code = sourceCode(tags, { workspace, time });
  if (code === undefined) return [];
  return [
    code,
    {
      kind: 'relation.stated',
      relation: 'used-by',
      from: code.ref,
      to: runRef(workspace, run),
      known: 'observed',
      rule: sourceRule(tags),
      time,
    },
  ];
}
