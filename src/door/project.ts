import { projectEvaluation } from '../evaluation/index.ts';
import type { Fact, FactContext } from '../facts/facts.ts';
import { projectImports } from '../imports/index.ts';
import { projectLineage } from '../lineage/project.ts';
import { projectPredictions } from '../predictions/index.ts';
import { projectRegistry } from '../registry/index.ts';
import { projectReview } from '../review/index.ts';
import { projectTraces } from '../traces/index.ts';
import { projectTracking } from '../tracking/index.ts';
import { projectWebhooks, saysPrompt } from '../webhooks/index.ts';
import type { WriteSession } from './session.ts';
import { projectWorkspaces } from './workspaces.ts';

/** Writes what facts mean into every projection. The only caller besides the door is rebuild. */
export async function projectFacts(
  facts: readonly Fact[],
  context: FactContext,
  session: WriteSession,
): Promise<void> {
  await projectWorkspaces(facts, session.workspaces);
  await projectTracking(facts, context, session.tracking);
  await projectRegistry(facts, context, session.registry);
  await projectPredictions(facts, context, session.predictions);
  await projectTraces(facts, context, session.traces);
  await projectEvaluation(facts, context, session.evaluation);
  await projectReview(facts, context, session.review);
  await projectImports(facts, context, session.imports);
  await projectLineage(facts, context, session.lineage);
  const { registry, webhooks: store } = session;
  await projectWebhooks(facts, context, {
    store,
    async isPrompt({ name, generation }) {
      const model = await registry.modelKey(context.workspace, name, generation);
      return saysPrompt(await registry.findModelTag(model, 'mlflow.prompt.is_prompt'));
    },
  });
}
