import { isObject, withoutUndefined } from '../../../base/json.ts';
import { accept, acceptPages, cutBySize, inExperiment, tellProgress } from './accept-pages.ts';
import type { ImportContext } from './context.ts';
import type { ImportRecord, ImportScorer } from './messages.ts';
import type { SourceDataset } from './source.ts';
import type { ImportResult } from './target.ts';

/** Brings evaluation datasets with their records, and scorers with their versions. */
export async function bringEvaluation(context: ImportContext): Promise<void> {
  for await (const each of context.source.evaluationDatasets()) {
    await bringDataset(each, context);
    tellProgress(context, 'evaluation datasets');
  }
  const scorers: ImportScorer[] = [];
  for await (const each of context.source.scorers()) {
    const scorer = inExperiment(each, `scorer ${each.name}`, context);
    if (scorer !== undefined) scorers.push(scorer);
  }
  const results = await acceptPages(context, 'scorer', scorers);
  for (const [index, { name, versions = [] }] of scorers.entries())
    context.tally.result('scorer versions', `scorer ${name}`, results[index], versions.length);
}

async function bringDataset(
  { dataset, records }: SourceDataset,
  context: ImportContext,
): Promise<void> {
  const { tally, experiments } = context;
  const what = `evaluation dataset ${dataset.dataset_id} (${dataset.name})`;
  const experiment_ids = (dataset.experiment_ids ?? []).map((id) => experiments.get(id) ?? id);
  const body = { ...dataset, experiment_ids };
  const [result] = await accept(context, [{ import: 'evaluation-dataset', body }]);
  if (!tally.result('evaluation datasets', what, result)) return;
  if (isObject(result?.answer) && result.answer.gone === true) {
    tally.note(`Evaluation dataset ${dataset.name} was deleted here since it was brought.`);
    return;
  }
  const { dataset_id, digest, schema, profile, last_update_time, last_updated_by } = dataset;
  const state = { digest, schema, profile, last_update_time, last_updated_by };
  const said = withoutUndefined(state);
  const send = async (part: { records?: ImportRecord[]; removed?: string[] }): Promise<void> => {
    const message = { dataset_id, ...said, ...part };
    const [one] = await acceptPages(context, 'evaluation-records', [message]);
    tally.result('evaluation records', `records of ${what}`, one, part.records?.length ?? 0);
  };
  const ids = new Set<string>();
  for await (const page of records()) {
    for (const { id } of page) ids.add(id);
    for (const some of cutBySize(page, page.length)) await send({ records: some });
  }
  if (result?.outcome === 'brought' && !isChanged(result)) return;
  const { datasets } = await context.target.known({ datasets: [dataset_id] });
  const removed = (datasets[dataset_id] ?? []).filter((id) => !ids.has(id));
  for (let from = 0; from < removed.length; from += removedMax)
    await send({ removed: removed.slice(from, from + removedMax) });
}

/** Ids of records in one message. */
const removedMax = 1_000;

const isChanged = ({ answer }: ImportResult): boolean =>
  isObject(answer) && answer.changed === true;

/** Brings webhooks, switched off. */
export async function bringWebhooks(context: ImportContext): Promise<void> {
  const { tally } = context;
  let off = 0;
  let signed = 0;
  for await (const webhook of context.source.webhooks()) {
    const [result] = await accept(context, [{ import: 'webhook', body: webhook }]);
    if (!tally.result('webhooks', `webhook ${webhook.name}`, result)) continue;
    if (result?.outcome !== 'brought' || isChanged(result)) continue;
    off += 1;
    if (webhook.signed === true) signed += 1;
  }
  if (off === 0) return;
  const secrets =
    signed === 0 ? '' : ` ${signed} of them had a secret, which stays behind: give them one.`;
  tally.note(
    `Webhooks are switched off here (${off}): "wherefrom webhook enable ID" switches one on.${secrets}`,
  );
}
