import { isObject } from '../../../base/json.ts';
import { defaultSchemaId } from '../review/label-schemas.ts';
import { acceptPages, inExperiment, tellProgress } from './accept-pages.ts';
import type { ImportContext } from './context.ts';
import type { ImportBody } from './messages.ts';

type Kind = 'issue' | 'label-schema' | 'review-queue';
const things = {
  issue: 'issues',
  'label-schema': 'label schemas',
  'review-queue': 'review queues',
} as const;

/** Brings issues, label schemas and review queues. */
export async function bringReview(context: ImportContext): Promise<void> {
  const { source, tally } = context;
  const issues: ImportBody<'issue'>[] = [];
  for await (const each of source.issues()) {
    const issue = inExperiment(each, `issue ${each.issue_id}`, context);
    if (issue !== undefined) issues.push(issue);
  }
  await bring('issue', issues, { nameOf: ({ issue_id }) => issue_id, context });
  /** Ids here of the default questions of the source. */
  const defaults = new Map<string, string>();
  const schemas: ImportBody<'label-schema'>[] = [];
  for await (const each of source.labelSchemas()) {
    const schema = inExperiment(each, `label schema ${each.schema_id}`, context);
    if (schema === undefined) continue;
    if (each.is_default) defaults.set(each.schema_id, defaultSchemaId(schema.experiment_id));
    else schemas.push(schema);
  }
  await bring('label-schema', schemas, { nameOf: ({ schema_id }) => schema_id, context });
  const queues: ImportBody<'review-queue'>[] = [];
  for await (const each of source.reviewQueues()) {
    const queue = inExperiment(each, `review queue ${each.queue_id}`, context);
    if (queue === undefined) continue;
    const schema_ids = (queue.schema_ids ?? []).map((id) => defaults.get(id) ?? id);
    queues.push({ ...queue, schema_ids });
  }
  const brought = await bring('review-queue', queues, {
    nameOf: ({ queue_id }) => queue_id,
    context,
  });
  for (const [queue, outcome] of brought)
    tally.count('review items', outcome, queue.items?.length ?? 0);
}

/** Sends bodies of one kind. @returns those that are here, with what became of them. */
async function bring<K extends Kind>(
  kind: K,
  bodies: readonly ImportBody<K>[],
  of: { readonly nameOf: (body: ImportBody<K>) => string; readonly context: ImportContext },
): Promise<[ImportBody<K>, 'brought' | 'changed' | 'there'][]> {
  const { tally } = of.context;
  const results = await acceptPages(of.context, kind, bodies);
  const here: [ImportBody<K>, 'brought' | 'changed' | 'there'][] = [];
  for (const [index, body] of bodies.entries()) {
    const result = results[index];
    const what = `${kind.replace('-', ' ')} ${of.nameOf(body)}`;
    if (!tally.result(things[kind], what, result)) continue;
    const answer = isObject(result?.answer) ? result.answer : {};
    const brought = answer.changed === true ? 'changed' : 'brought';
    if (answer.gone === true) tally.note(`The ${what} was deleted here since it was brought.`);
    else here.push([body, result?.outcome === 'brought' ? brought : 'there']);
  }
  tellProgress(of.context, 'review queues');
  return here;
}
