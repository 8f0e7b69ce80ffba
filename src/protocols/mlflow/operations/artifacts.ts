import type { DecideContext } from '../../../door/index.ts';
import type { Fact } from '../../../facts/facts.ts';
import { invalidParameter } from '../errors.ts';
import { describeModel, modelFileNames } from '../lineage/model-files.ts';
import { fileRef, runRef } from '../lineage/refs.ts';
import { mlflowOperation } from '../operation.ts';
import { environmentFacts } from './logged-models.ts';

/** A file that was uploaded; `text` is what it says when it is one of those that describe a model. */
export type PutArtifact = {
  readonly path: string;
  /** SHA-256, hex, of the blob that was stored before. */
  readonly digest: string;
  readonly bytes: number;
  readonly text?: string;
};

/** Whose file it is: a run's, with its path below the run's artifacts, or nobody's we know. */
export type Owned = { readonly run: string | null; readonly path: string };

/** `…/{run_id}/artifacts/{path}`; files of logged models belong to the model, not to a run. */
export async function ownerOf(path: string, { state, workspace }: DecideContext): Promise<Owned> {
  const match = /(?:^|\/)([^/]+)\/artifacts\/(.+)$/.exec(path);
  const [, id, rest] = match ?? [];
  if (id === undefined || rest === undefined) return { run: null, path };
  const run = await state.tracking.findRunHead(workspace, id);
  return run === undefined ? { run: null, path } : { run: id, path: rest };
}

/**
 * A path is a file or a directory, never both: clients download into a file system.
 * @throws invalid_message. MLflow's server fails with 500 where its file system refuses.
 */
export async function checkPlace(path: string, { state, workspace }: DecideContext): Promise<void> {
  const { tracking } = state;
  for (let end = path.indexOf('/'); end > 0; end = path.indexOf('/', end + 1)) {
    const parent = path.slice(0, end);
    if ((await tracking.findArtifact(workspace, parent)) !== undefined)
      throw invalidParameter(
        `Artifact path '${path}' is below '${parent}', which is a file, not a directory.`,
      );
  }
  if ((await tracking.artifactsBelow(workspace, path, 1)).length > 0)
    throw invalidParameter(`Artifact path refers to a directory, not a file: '${path}'`);
}

/** The last part of a path. */
export const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

export const isModelFile = (path: string): boolean =>
  (modelFileNames as readonly string[]).includes(baseName(path));

export const putArtifact = mlflowOperation<PutArtifact, undefined, Owned>({
  operation: 'artifacts/put',
  async decide(body, context) {
    const known = await context.state.tracking.findArtifact(context.workspace, body.path);
    if (known?.digest === body.digest) return { unchanged: undefined };
    if (known === undefined) await checkPlace(body.path, context);
    return { decided: await ownerOf(body.path, context), answer: undefined };
  },
  facts(message, decided, context) {
    const { workspace, time } = context;
    const { path, digest, bytes, text } = message;
    const facts: Fact[] = [{ kind: 'artifact.stored', path, digest, bytes }];
    if (decided.run === null) return facts;
    const ref = fileRef(workspace, digest);
    const run = runRef(workspace, decided.run);
    // A 2.x client logs a model as files of its run: what they say is kept with the file.
    const files = text === undefined ? {} : { [baseName(path)]: text };
    facts.push(
      {
        kind: 'entity.described',
        ref,
        time,
        attributes: {
          digest: `sha256:${digest}`,
          bytes,
          path: decided.path,
          ...describeModel(files),
        },
      },
      {
        kind: 'relation.stated',
        relation: 'produced',
        from: run,
        to: ref,
        role: decided.path,
        known: 'observed',
        rule: 'mlflow-artifacts',
        time,
      },
    );
    if (baseName(path) === 'requirements.txt')
      facts.push(...environmentFacts(files, [run], context));
    return facts;
  },
});

export const deleteArtifacts = mlflowOperation<
  { readonly path: string },
  Record<string, never>,
  Record<string, never>
>({
  operation: 'artifacts/delete',
  async decide({ path }, { state, workspace }) {
    const { tracking } = state;
    const there =
      (await tracking.findArtifact(workspace, path)) !== undefined ||
      (await tracking.artifactsBelow(workspace, path, 1)).length > 0;
    return there ? { decided: {}, answer: {} } : { unchanged: {} };
  },
  facts: ({ path }) => [{ kind: 'artifact.removed', path }],
});
