import { mlflowError } from '../errors.ts';
import { mlflowOperation } from '../operation.ts';
import { checkPlace, type Owned, ownerOf, putArtifact } from '../operations/artifacts.ts';
import { liveFacts } from './live.ts';
import type { ImportArtifact } from './messages.ts';

/** A file at a path; another one that is there stays. Its edges have the time of the file. */
export const importArtifact = mlflowOperation<ImportArtifact, undefined, Owned>({
  operation: 'import/artifact',
  async decide({ path, digest }, context) {
    const known = await context.state.tracking.findArtifact(context.workspace, path);
    if (known?.digest === digest) return { unchanged: undefined };
    if (known !== undefined)
      throw mlflowError('RESOURCE_CONFLICT', `Another file is at ${path} here.`);
    await checkPlace(path, context);
    return { decided: await ownerOf(path, context), answer: undefined };
  },
  facts: ({ time: at, ...message }, decided, context) =>
    liveFacts(putArtifact, { message, decided }, { ...context, at }),
});
