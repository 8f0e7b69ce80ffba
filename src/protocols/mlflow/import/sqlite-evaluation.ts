import { type WebhookEvent, webhookEvents } from '../../../facts/webhook-facts.ts';
import type { ImportDataset, ImportRecord, ImportScorer, ImportWebhook } from './messages.ts';
import type { SourceDataset } from './source.ts';
import { groupBy, present, type Scope, workspaceOf } from './sqlite-rows.ts';

/** Records of one page. */
const pageMax = 500;

/** Evaluation datasets with their tags, experiments and records. */
export async function* readDatasets(scope: Scope): AsyncIterable<SourceDataset> {
  const { db, columns } = scope;
  if (!columns.has('evaluation_datasets')) return;
  const rows = db.all<Omit<ImportDataset, 'tags' | 'experiment_ids'>>(
    `SELECT dataset_id, name, digest, schema, profile, created_time, last_update_time, created_by, last_updated_by
     FROM evaluation_datasets d WHERE ${workspaceOf(scope, 'evaluation_datasets', 'd')}
     ORDER BY created_time, dataset_id`,
  );
  for (const row of rows) {
    const tags = db.all<{ key: string; value: string }>(
      `SELECT key, coalesce(value, '') AS value FROM evaluation_dataset_tags WHERE dataset_id = ?`,
      row.dataset_id,
    );
    const experiments = columns.has('entity_associations')
      ? db.all<{ id: string }>(
          `SELECT destination_id AS id FROM entity_associations
           WHERE source_type = 'evaluation_dataset' AND destination_type = 'experiment' AND source_id = ?
           ORDER BY created_time, rowid`,
          row.dataset_id,
        )
      : [];
    yield {
      dataset: { ...present(row), tags, experiment_ids: experiments.map(({ id }) => id) },
      records: () => readRecords(scope, row.dataset_id),
    };
  }
}

interface RecordColumns {
  readonly rowid: number;
  readonly id: string;
  readonly inputs: string;
  readonly outputs: string | null;
  readonly expectations: string | null;
  readonly tags: string | null;
  readonly source: string | null;
  readonly created_time: number | null;
  readonly last_update_time: number | null;
  readonly created_by: string | null;
  readonly last_updated_by: string | null;
}

async function* readRecords(
  { db, columns }: Scope,
  dataset: string,
): AsyncIterable<readonly ImportRecord[]> {
  const outputs = columns.get('evaluation_dataset_records')?.has('outputs') === true;
  for (let after = -1; ; ) {
    const rows = db.all<RecordColumns>(
      `SELECT rowid, dataset_record_id AS id, inputs, ${outputs ? 'outputs' : 'NULL AS outputs'},
         expectations, tags, source, created_time, last_update_time, created_by, last_updated_by
       FROM evaluation_dataset_records WHERE dataset_id = ? AND rowid > ? ORDER BY rowid LIMIT ${pageMax}`,
      dataset,
      after,
    );
    const last = rows.at(-1);
    if (last === undefined) return;
    yield rows.map(recordOf);
    after = last.rowid;
  }
}

/** The parts as one JSON text. SQLAlchemy writes None as the JSON null. */
function recordOf({
  inputs,
  outputs,
  expectations,
  tags,
  source,
  rowid: _rowid,
  ...row
}: RecordColumns): ImportRecord {
  const parts = { inputs, outputs: unwrap(outputs), expectations, tags, source };
  // Without outputs MLflow shows null, and with none that were said an empty object.
  const said = Object.entries(parts).flatMap(([name, json]) =>
    name !== 'outputs' && (json === null || json === 'null') ? [] : [`"${name}":${json}`],
  );
  return { ...plain(row), record: `{${said.join(',')}}` };
}

/** Optional columns are left out where they are NULL. */
function plain(row: Pick<RecordColumns, 'id'> & object): Omit<ImportRecord, 'record'> {
  // Members that may be NULL here are optional there.
  return present(row) as Omit<ImportRecord, 'record'>;
}

/** Outputs stand in an object of one member. Source: dataset_record.py (DATASET_RECORD_WRAPPED_OUTPUT_KEY). */
function unwrap(json: string | null): string | null {
  const match = json === null ? null : /^\s*\{\s*"mlflow_wrapped"\s*:\s*(.*)\}\s*$/s.exec(json);
  return match?.[1]?.trim() ?? json;
}

/** Scorers with all their versions, and how they run on new traces. */
export async function* readScorers(scope: Scope): AsyncIterable<ImportScorer> {
  const { db, columns } = scope;
  if (!columns.has('scorers')) return;
  const rows = db.all<Pick<ImportScorer, 'experiment_id' | 'name' | 'scorer_id'>>(
    `SELECT CAST(s.experiment_id AS TEXT) AS experiment_id, s.scorer_name AS name, s.scorer_id
     FROM scorers s JOIN experiments e ON e.experiment_id = s.experiment_id
     WHERE ${workspaceOf(scope, 'experiments', 'e')} ORDER BY s.rowid`,
  );
  for (const row of rows) {
    const versions = db.all<NonNullable<ImportScorer['versions']>[number]>(
      `SELECT scorer_version AS version, serialized_scorer, creation_time FROM scorer_versions
       WHERE scorer_id = ? ORDER BY scorer_version`,
      row.scorer_id,
    );
    const [online] = columns.has('online_scoring_configs')
      ? db.all<NonNullable<ImportScorer['online']>>(
          `SELECT online_scoring_config_id AS id, sample_rate, filter_string
           FROM online_scoring_configs WHERE scorer_id = ?`,
          row.scorer_id,
        )
      : [];
    yield {
      ...row,
      versions: versions.map(present),
      ...(online === undefined ? {} : { online: present(online) }),
    };
  }
}

const isEvent = (name: string): name is WebhookEvent =>
  (webhookEvents as readonly string[]).includes(name);

/** Webhooks that are not deleted. */
export async function* readWebhooks(scope: Scope): AsyncIterable<ImportWebhook> {
  const { db, columns } = scope;
  if (!columns.has('webhooks')) return;
  const rows = db.all<Omit<ImportWebhook, 'events' | 'signed'> & { secret: string | null }>(
    `SELECT webhook_id, name, description, url, secret, creation_timestamp, last_updated_timestamp
     FROM webhooks w WHERE ${workspaceOf(scope, 'webhooks', 'w')} AND deleted_timestamp IS NULL
     ORDER BY creation_timestamp, webhook_id`,
  );
  const events = groupBy(
    db.all<{ owner: string; name: string }>(
      `SELECT webhook_id AS owner, lower(entity || '.' || action) AS name FROM webhook_events ORDER BY rowid`,
    ),
    ({ owner }) => owner,
  );
  for (const { secret, ...row } of rows) {
    const names = (events.get(row.webhook_id) ?? []).map(({ name }) => name);
    yield { ...present(row), events: names.filter(isEvent), signed: secret !== null };
  }
}
