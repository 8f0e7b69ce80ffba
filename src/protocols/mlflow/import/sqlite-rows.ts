import type { Database } from '../../../store/sqlite/database.ts';
import type { ImportRun } from './messages.ts';

/** A database of MLflow, the columns that its version has, and what of it is read. */
export interface Scope {
  readonly db: Database;
  readonly workspace: string;
  readonly columns: ReadonlyMap<string, ReadonlySet<string>>;
}

/** Rows by owner, in their order. */
export function groupBy<R>(rows: readonly R[], ownerOf: (row: R) => string): Map<string, R[]> {
  const groups = new Map<string, R[]>();
  for (const row of rows) {
    const owner = ownerOf(row);
    const group = groups.get(owner);
    if (group === undefined) groups.set(owner, [row]);
    else group.push(row);
  }
  return groups;
}

/** The row without what is NULL: messages leave out what there is not. */
export function present<R extends object>(row: R): R {
  // Members of messages that may be NULL here are optional there.
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null)) as R;
}

/** The condition that a row of the table is of the workspace; older versions have none. */
export function workspaceOf({ columns, workspace }: Scope, table: string, alias: string): string {
  const has = columns.get(table)?.has('workspace') === true;
  return has ? `${alias}.workspace = '${workspace.replaceAll("'", "''")}'` : '1';
}

const inList = 'IN (SELECT value FROM json_each(?))';
type Pair = { readonly owner: string; readonly key: string; readonly value: string };
type RunColumns = Omit<ImportRun, 'tags' | 'params' | 'datasets' | 'models' | 'outputs'>;

/** Runs by id, in that order, each with all that belongs to it but its metrics. */
export function readRuns(scope: Scope, ids: readonly string[]): ImportRun[] {
  const { db } = scope;
  const list = JSON.stringify(ids);
  const rows = db.all<RunColumns>(
    `SELECT r.run_uuid AS run_id, CAST(r.experiment_id AS TEXT) AS experiment_id,
       r.name AS run_name, r.user_id, r.status, coalesce(r.start_time, 0) AS start_time, r.end_time,
       r.lifecycle_stage, r.deleted_time, r.artifact_uri
     FROM json_each(?) j JOIN runs r ON r.run_uuid = j.value ORDER BY j.key`,
    list,
  );
  const pairsOf = (table: string): Map<string, Pair[]> =>
    groupBy(
      db.all<Pair>(
        `SELECT run_uuid AS owner, key, coalesce(value, '') AS value FROM ${table} WHERE run_uuid ${inList}`,
        list,
      ),
      ({ owner }) => owner,
    );
  const tags = pairsOf('tags');
  const params = pairsOf('params');
  const datasets = readDatasets(scope, list);
  const links = readLinks(scope, list);
  return rows.map((row) => {
    const id = row.run_id;
    const of = <T>(rowsOf: readonly T[] | undefined): readonly T[] => rowsOf ?? [];
    const plain = ({ key, value }: Pair) => ({ key, value });
    const mine = of(links.get(id));
    return {
      ...present(row),
      tags: of(tags.get(id)).map(plain),
      params: of(params.get(id)).map(plain),
      datasets: of(datasets.get(id)).map(({ dataset, tags: own }) => ({ dataset, tags: own })),
      models: mine.filter(({ kind }) => kind === 'RUN_INPUT').map(({ model_id }) => ({ model_id })),
      outputs: mine
        .filter(({ kind }) => kind === 'RUN_OUTPUT')
        .map(({ model_id, step }) => ({ model_id, step })),
    };
  });
}

interface SentDataset {
  readonly owner: string;
  readonly dataset: NonNullable<ImportRun['datasets']>[number]['dataset'];
  readonly tags: readonly { readonly key: string; readonly value: string }[];
}

function readDatasets({ db }: Scope, list: string): Map<string, SentDataset[]> {
  const rows = db.all<{
    owner: string;
    input: string;
    name: string;
    digest: string;
    source_type: string;
    source: string;
    schema: string | null;
    profile: string | null;
  }>(
    `SELECT i.destination_id AS owner, i.input_uuid AS input, d.name, d.digest,
       d.dataset_source_type AS source_type, d.dataset_source AS source,
       d.dataset_schema AS schema, d.dataset_profile AS profile
     FROM inputs i JOIN datasets d ON d.dataset_uuid = i.source_id
     WHERE i.destination_type = 'RUN' AND i.source_type = 'DATASET' AND i.destination_id ${inList}`,
    list,
  );
  const inputs = JSON.stringify(rows.map(({ input }) => input));
  const tags = groupBy(
    db.all<Pair>(
      `SELECT input_uuid AS owner, name AS key, value FROM input_tags WHERE input_uuid ${inList}`,
      inputs,
    ),
    ({ owner }) => owner,
  );
  const found = rows.map(({ owner, input, schema, profile, ...dataset }) => ({
    owner,
    dataset: {
      ...dataset,
      ...(schema === null ? {} : { schema }),
      ...(profile === null ? {} : { profile }),
    },
    tags: (tags.get(input) ?? []).map(({ key, value }) => ({ key, value })),
  }));
  return groupBy(found, ({ owner }) => owner);
}

interface Link {
  readonly owner: string;
  readonly kind: string;
  readonly model_id: string;
  readonly step: number;
}

/** Logged models that runs read and made. */
function readLinks({ db, columns }: Scope, list: string): Map<string, Link[]> {
  const step = columns.get('inputs')?.has('step') === true ? 'step' : '0 AS step';
  const rows = db.all<Link>(
    `SELECT source_id AS owner, source_type AS kind, destination_id AS model_id, ${step} FROM inputs
     WHERE source_type IN ('RUN_INPUT', 'RUN_OUTPUT') AND source_id ${inList}`,
    list,
  );
  return groupBy(rows, ({ owner }) => owner);
}
