import { mlflowOperation } from '../operation.ts';
import { checkPlace, type Owned, ownerOf, putArtifact } from '../operations/artifacts.ts';
import { liveFacts } from './live.ts';
import type { ImportArtifact } from './messages.ts';
import { findSaid, saidFact, type Updated, updatedBy, weigh } from './said.ts';

/**
 * A file at a path. Another one that is there stays, unless it is what the source had before. Its
 * edges have the time of the file.
 */
export const importArtifact = mlflowOperation<ImportArtifact, Updated, Owned>({
  operation: 'import/artifact',
  async decide({ path, digest }, context) {
    const known = await context.state.tracking.findArtifact(context.workspace, path);
    const said = await findSaid('artifact', path, context);
    const weighed = weigh({ content: digest }, { content: known?.digest }, said);
    const answer = known === undefined && weighed.kept.length === 0 ? {} : updatedBy(weighed);
    if (weighed.take.length === 0) return { unchanged: answer };
    if (known === undefined) await checkPlace(path, context);
    return { decided: await ownerOf(path, context), answer };
  },
  facts: ({ time: at, ...message }, decided, context) => [
    ...liveFacts(putArtifact, { message, decided }, { ...context, at }),
    saidFact('artifact', message.path, { content: message.digest }),
  ],
});
