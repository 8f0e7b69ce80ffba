import { WherefromError } from '../../../base/errors.ts';
import { parseExact, writeExact } from '../../../base/exact-json.ts';
import { isObject, list, text } from '../../../base/json.ts';
import { type WebhookEvent, webhookEvents } from '../../../facts/webhook-facts.ts';
import { readTagsText } from '../evaluation/json-text.ts';
import { readMessage } from '../wire.ts';
import { datasetMessage, scorerMessage, webhookMessage } from './genai-messages.ts';
import type { ImportRecord, ImportScorer, ImportWebhook } from './messages.ts';
import { isRefused, type RestClient } from './rest-client.ts';
import { searchPages } from './rest-search.ts';
import type { Left, SourceDataset } from './source.ts';

type Json = Record<string, unknown>;

const v3 = '/api/3.0/mlflow';
const pageMax = 500;

/** Nothing of a server that has no such things; what else it refuses the first question with is told. */
export async function* unlessRefused<T>(
  what: string,
  items: AsyncIterable<T>,
  left: Left[],
): AsyncIterable<T> {
  let answered = false;
  try {
    for await (const item of items) {
      answered = true;
      yield item;
    }
  } catch (thrown) {
    if (answered || !(thrown instanceof WherefromError)) throw thrown;
    if (thrown.code !== 'not_found') left.push({ what, reason: thrown.message });
  }
}

/** Evaluation datasets; none of servers before 3.4. */
export const readRestDatasets = (client: RestClient, left: Left[]): AsyncIterable<SourceDataset> =>
  unlessRefused('evaluation datasets', datasets(client), left);

async function* datasets(client: RestClient): AsyncIterable<SourceDataset> {
  const search = { body: { max_results: pageMax }, items: 'datasets', api: v3 };
  for await (const page of searchPages(client, 'datasets/search', search)) {
    for (const said of page) {
      const id = String(said.dataset_id);
      const { experiment_ids } = await client.get(`${v3}/datasets/${id}/experiment-ids`);
      const tags = readTagsText(text(said.tags)).map(({ key, value }) => ({
        key,
        value: value ?? '',
      }));
      const dataset = readMessage(datasetMessage, {
        ...said,
        tags,
        experiment_ids: list(experiment_ids),
      });
      yield { dataset, records: () => records(client, id) };
    }
  }
}

async function* records(
  client: RestClient,
  dataset: string,
): AsyncIterable<readonly ImportRecord[]> {
  for (let token: string | undefined; ; ) {
    const answer = await client.get(`${v3}/datasets/${dataset}/records`, {
      max_results: String(pageMax),
      ...(token === undefined ? {} : { page_token: token }),
    });
    const read = parseExact(text(answer.records) ?? '[]');
    yield list(read).filter(isObject).map(recordOf);
    token = text(answer.next_page_token);
    if (token === undefined) return;
  }
}

function recordOf(said: Json): ImportRecord {
  const parts = ['inputs', 'expectations', 'tags', 'source'].flatMap((name) =>
    said[name] === undefined || said[name] === null ? [] : [[name, said[name]] as const],
  );
  const person = (name: 'created_by' | 'last_updated_by') =>
    text(said[name]) === undefined ? {} : { [name]: String(said[name]) };
  return {
    id: String(said.dataset_record_id),
    // Without outputs MLflow shows null, and with none that were said an empty object.
    record: writeExact({ ...Object.fromEntries(parts), outputs: said.outputs ?? null }),
    created_time: Number(said.created_time ?? 0),
    last_update_time: Number(said.last_update_time ?? said.created_time ?? 0),
    ...person('created_by'),
    ...person('last_updated_by'),
  };
}

/** Scorers of active experiments; none of servers before 3.4. */
export const readRestScorers = (
  client: RestClient,
  experiments: readonly string[],
  left: Left[],
): AsyncIterable<ImportScorer> => unlessRefused('scorers', scorers(client, experiments), left);

async function* scorers(
  client: RestClient,
  experiments: readonly string[],
): AsyncIterable<ImportScorer> {
  for (const experiment_id of experiments) {
    const { scorers: found } = await client.get(`${v3}/scorers/list`, { experiment_id });
    for (const said of list(found).filter(isObject)) {
      const name = String(said.scorer_name);
      const scorer_id = String(said.scorer_id);
      const all = await client.get(`${v3}/scorers/versions`, { experiment_id, name });
      const versions = list(all.scorers)
        .filter(isObject)
        .map((each) => ({ ...each, version: each.scorer_version }));
      const online = await onlineOf(client, scorer_id);
      const scorer = { experiment_id, name, scorer_id, versions };
      yield readMessage(scorerMessage, { ...scorer, ...(online === undefined ? {} : { online }) });
    }
  }
}

async function onlineOf(client: RestClient, scorer: string): Promise<Json | undefined> {
  const path = `${v3}/scorers/online-configs`;
  const answer = await client.get(path, { scorer_ids: scorer }).catch((thrown: unknown): Json => {
    if (isRefused(thrown)) return {};
    throw thrown;
  });
  const [found] = list(answer.configs).filter(isObject);
  return found && { ...found, id: found.online_scoring_config_id };
}

/** Webhooks; none of servers before 3.3. Whether they have a secret is not told. */
export const readRestWebhooks = (client: RestClient, left: Left[]): AsyncIterable<ImportWebhook> =>
  unlessRefused('webhooks', webhooks(client), left);

const isEvent = (name: string): name is WebhookEvent =>
  (webhookEvents as readonly string[]).includes(name);

async function* webhooks(client: RestClient): AsyncIterable<ImportWebhook> {
  const search = { body: { max_results: 100 }, items: 'webhooks', get: true };
  for await (const page of searchPages(client, 'webhooks', search)) {
    for (const said of page) {
      const events = list(said.events)
        .filter(isObject)
        .map(({ entity, action }) => `${String(entity)}.${String(action)}`.toLowerCase())
        .filter(isEvent);
      yield readMessage(webhookMessage, { ...said, events });
    }
  }
}
