import {
  type IssueSeverity,
  issueSeverities,
  type ReviewFact,
  type ReviewStatus,
} from '../../facts/review-facts.ts';
import type {
  IssueRow,
  IssueSearch,
  LabelSchemaRow,
  QueueFilter,
  ReviewItemRow,
  ReviewPage,
  ReviewQueueRow,
  ReviewStore,
  SettledItem,
} from '../../review/index.ts';
import type { Database, Row } from './database.ts';

type FactOf<Kind extends ReviewFact['kind']> = Extract<ReviewFact, { readonly kind: Kind }>;

const dated = 'created_time AS createdTime, updated_time AS updatedTime';
const issueColumns = `i.id, i.experiment, i.name, i.description, i.status, i.severity, i.root_causes AS rootCauses,
  i.categories, i.source_run AS sourceRun, i.created_by AS createdBy, i.created_time AS createdTime,
  i.updated_time AS updatedTime`;
const selectSchemas = `SELECT id, experiment, name, type, instruction, comment, input, ${dated} FROM label_schemas`;
const selectQueues = `SELECT q.id, q.experiment, q.name, q.type, q.owner, q.users, q.schemas,
  q.created_time AS createdTime, q.updated_time AS updatedTime FROM review_queues q`;
const selectItems = `SELECT q.id AS queue, r.item, r.status, r.completed_by AS completedBy,
  r.completed_time AS completedTime, r.created_time AS createdTime, r.updated_time AS updatedTime
  FROM review_queues q JOIN review_items r ON r.queue = q.key`;
const queueKey = '(SELECT key FROM review_queues WHERE id = ?)';
/** Traces with an assessment that names the issue. */
const traceCount = `(SELECT count(DISTINCT a.trace) FROM trace_assessments a JOIN traces t ON t.key = a.trace
  JOIN trace_names n ON n.key = t.workspace AND n.name = i.workspace
  WHERE a.name = i.id AND a.type = 'issue' AND t.deleted_time IS NULL)`;

// Written by this store, from lists of texts.
const texts = (json: unknown): string[] => JSON.parse(String(json)) as string[];

type Stored<T, Lists extends keyof T> = Omit<T, Lists | 'experiment'> & Row;

function issueOf(row: Row): IssueRow {
  const { severity, rootCauses, categories, experiment, ...rest } = row as Stored<
    IssueRow,
    'severity' | 'rootCauses' | 'categories'
  >; // what the SQL text selects
  return {
    ...rest,
    experiment: String(experiment),
    severity: severityOf(Number(severity)),
    rootCauses: texts(rootCauses),
    categories: texts(categories),
  };
}

const severityOf = (rank: number): IssueSeverity | null => issueSeverities[rank] ?? null;
const rankOf = (severity: IssueSeverity | null): number =>
  severity === null ? -1 : issueSeverities.indexOf(severity);

function schemaOf(row: Row): LabelSchemaRow {
  const { experiment, comment, ...rest } = row as Stored<LabelSchemaRow, 'comment'>; // as above
  return { ...rest, experiment: String(experiment), comment: comment === 1 };
}

function queueOf(row: Row): ReviewQueueRow {
  const { experiment, users, schemas, ...rest } = row as Stored<
    ReviewQueueRow,
    'users' | 'schemas'
  >; // as above
  return {
    ...rest,
    experiment: String(experiment),
    users: texts(users),
    schemas: texts(schemas),
  };
}

/** What people review, in SQLite. */
export function createSqliteReviewStore(db: Database): ReviewStore {
  /** Sets the columns that a change names. */
  const change = (
    table: 'issues' | 'label_schemas' | 'review_queues',
    { id, time }: { readonly id: string; readonly time: number },
    columns: Readonly<Record<string, string | number | null | undefined>>,
  ): void => {
    for (const [column, value] of Object.entries({ ...columns, updated_time: time })) {
      if (value !== undefined) db.run(`UPDATE ${table} SET ${column} = ? WHERE id = ?`, value, id);
    }
  };
  return {
    ...readerOf(db),
    ...issueWrites(db, change),
    ...schemaWrites(db, change),
    ...queueWrites(db, change),
  };
}

type Change = (
  table: 'issues' | 'label_schemas' | 'review_queues',
  of: { readonly id: string; readonly time: number },
  columns: Readonly<Record<string, string | number | null | undefined>>,
) => void;

const tables = { issue: 'issues', schema: 'label_schemas', queue: 'review_queues' } as const;

function readerOf(db: Database) {
  return {
    hasId: (kind: keyof typeof tables, id: string): boolean =>
      db.get(`SELECT 1 FROM ${tables[kind]} WHERE id = ?`, id) !== undefined,
    findIssue: (workspace: string, id: string): IssueRow | undefined => {
      const row = db.get(
        `SELECT ${issueColumns} FROM issues i WHERE i.id = ? AND i.workspace = ?`,
        id,
        workspace,
      );
      return row && issueOf(row);
    },
    searchIssues: (search: IssueSearch): IssueRow[] => searchIssues(db, search),
    findSchema: (workspace: string, id: string): LabelSchemaRow | undefined => {
      const row = db.get(`${selectSchemas} WHERE id = ? AND workspace = ?`, id, workspace);
      return row && schemaOf(row);
    },
    findSchemaByName: (workspace: string, experiment: string, name: string) => {
      const sql = `${selectSchemas} WHERE workspace = ? AND experiment = ? AND name = ?`;
      const row = db.get(sql, workspace, Number(experiment), name);
      return row && schemaOf(row);
    },
    listSchemas: (workspace: string, experiment: string | undefined, page: ReviewPage) =>
      db
        .all(
          `${selectSchemas} WHERE workspace = ?1 AND (?2 IS NULL OR experiment = ?2)
           ORDER BY created_time DESC, id LIMIT ?3 OFFSET ?4`,
          workspace,
          experiment === undefined ? null : Number(experiment),
          page.limit,
          page.offset,
        )
        .map(schemaOf),
    ...queueReads(db),
  };
}

function queueReads(db: Database) {
  return {
    findQueue: (workspace: string, id: string): ReviewQueueRow | undefined => {
      const row = db.get(`${selectQueues} WHERE q.id = ? AND q.workspace = ?`, id, workspace);
      return row && queueOf(row);
    },
    findQueueByName: (workspace: string, experiment: string, name: string) => {
      const sql = `${selectQueues} WHERE q.workspace = ? AND q.experiment = ? AND q.name_key = ?`;
      const row = db.get(sql, workspace, Number(experiment), name.toLowerCase());
      return row && queueOf(row);
    },
    listQueues: (workspace: string, filter: QueueFilter, page: ReviewPage): ReviewQueueRow[] =>
      db
        .all(
          `${selectQueues} WHERE q.workspace = ?1 AND (?2 IS NULL OR q.experiment = ?2)
             AND (?3 IS NULL OR EXISTS (SELECT 1 FROM json_each(q.users) u WHERE u.value = ?3))
             AND (?4 IS NULL OR EXISTS (SELECT 1 FROM review_items r WHERE r.queue = q.key AND r.item = ?4))
           ORDER BY q.created_time DESC, q.id LIMIT ?5 OFFSET ?6`,
          workspace,
          filter.experiment === undefined ? null : Number(filter.experiment),
          filter.user ?? null,
          filter.item ?? null,
          page.limit,
          page.offset,
        )
        .map(queueOf),
    findItems: (queue: string, items: readonly string[]): ReviewItemRow[] =>
      db.all<ReviewItemRow>(
        `${selectItems} WHERE q.id = ? AND r.item IN (SELECT value FROM json_each(?))`,
        queue,
        JSON.stringify(items),
      ),
    listItems: (queue: string, status: ReviewStatus | undefined, page: ReviewPage) =>
      db.all<ReviewItemRow>(
        `${selectItems} WHERE q.id = ?1 AND (?2 IS NULL OR r.status = ?2)
         ORDER BY r.created_time DESC, r.item LIMIT ?3 OFFSET ?4`,
        queue,
        status ?? null,
        page.limit,
        page.offset,
      ),
  };
}

function searchIssues(db: Database, search: IssueSearch): IssueRow[] {
  const columns = { status: 'i.status', sourceRun: 'i.source_run' } as const;
  const conditions = search.conditions.map(
    ({ key, equal }) => ` AND ${columns[key]} ${equal ? '=' : '<>'} ?`,
  );
  return db
    .all(
      `SELECT ${issueColumns}${search.counted ? `, ${traceCount} AS traces` : ''} FROM issues i
       WHERE i.workspace = ?${search.experiment === undefined ? '' : ' AND i.experiment = ?'}${conditions.join('')}
       ORDER BY i.severity DESC, ${search.counted ? 'traces DESC, ' : ''}i.created_time DESC, i.id DESC LIMIT ? OFFSET ?`,
      search.workspace,
      ...(search.experiment === undefined ? [] : [Number(search.experiment)]),
      ...search.conditions.map(({ value }) => value),
      search.limit,
      search.offset,
    )
    .map(issueOf);
}

function issueWrites(db: Database, change: Change) {
  return {
    addIssue(workspace: string, issue: FactOf<'issue.created'>): void {
      db.run(
        `INSERT INTO issues (id, workspace, experiment, name, description, status, severity, root_causes,
           categories, source_run, created_by, created_time, updated_time)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)`,
        issue.id,
        workspace,
        Number(issue.experiment),
        issue.name,
        issue.description,
        issue.status,
        rankOf(issue.severity),
        JSON.stringify(issue.rootCauses),
        JSON.stringify(issue.categories),
        issue.sourceRun,
        issue.createdBy,
        issue.time,
        issue.updatedTime ?? issue.time,
      );
    },
    changeIssue(fact: FactOf<'issue.changed'>): void {
      const { name, description, status } = fact;
      const severity = fact.severity === undefined ? undefined : rankOf(fact.severity);
      change('issues', fact, { name, description, status, severity });
    },
  };
}

function schemaWrites(db: Database, change: Change) {
  return {
    addSchema(workspace: string, schema: FactOf<'labelSchema.created'>): void {
      db.run(
        `INSERT INTO label_schemas (id, workspace, experiment, name, type, instruction, comment, input,
           created_time, updated_time) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)`,
        schema.id,
        workspace,
        Number(schema.experiment),
        schema.name,
        schema.type,
        schema.instruction,
        schema.comment ? 1 : 0,
        schema.input,
        schema.time,
        schema.updatedTime ?? schema.time,
      );
    },
    changeSchema(fact: FactOf<'labelSchema.changed'>): void {
      const { name, instruction, input } = fact;
      const comment = fact.comment === undefined ? undefined : Number(fact.comment);
      change('label_schemas', fact, { name, instruction, comment, input });
    },
    removeSchema(id: string): void {
      db.run('DELETE FROM label_schemas WHERE id = ?', id);
    },
  };
}

function queueWrites(db: Database, change: Change) {
  return {
    addQueue(workspace: string, queue: FactOf<'reviewQueue.created'>): void {
      db.run(
        `INSERT INTO review_queues (id, workspace, experiment, name, name_key, type, owner, users, schemas,
           created_time, updated_time) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)`,
        queue.id,
        workspace,
        Number(queue.experiment),
        queue.name,
        queue.name.toLowerCase(),
        queue.type,
        queue.owner,
        JSON.stringify(queue.users),
        JSON.stringify(queue.schemas),
        queue.time,
        queue.updatedTime ?? queue.time,
      );
    },
    changeQueue(fact: FactOf<'reviewQueue.changed'>): void {
      const { name, owner, users, schemas } = fact;
      change('review_queues', fact, {
        name,
        name_key: name?.toLowerCase(),
        owner,
        users: users && JSON.stringify(users),
        schemas: schemas && JSON.stringify(schemas),
      });
    },
    removeQueue(id: string): void {
      db.run(`DELETE FROM review_items WHERE queue = ${queueKey}`, id);
      db.run('DELETE FROM review_queues WHERE id = ?', id);
    },
    addItem(queue: string, item: string, time: number): void {
      db.run(
        `INSERT INTO review_items (queue, item, status, created_time, updated_time)
         SELECT key, ?2, 'pending', ?3, ?3 FROM review_queues WHERE id = ?1 ON CONFLICT DO NOTHING`,
        queue,
        item,
        time,
      );
    },
    removeItem(queue: string, item: string): void {
      db.run(`DELETE FROM review_items WHERE queue = ${queueKey} AND item = ?`, queue, item);
    },
    settleItem(queue: string, item: string, { status, by, time }: SettledItem): void {
      db.run(
        `UPDATE review_items SET status = ?1, completed_by = ?2, completed_time = ?3, updated_time = ?4
         WHERE queue = (SELECT key FROM review_queues WHERE id = ?5) AND item = ?6`,
        status,
        by,
        by === null ? null : time,
        time,
        queue,
        item,
      );
    },
    removeTraces(workspace: string, traces: readonly string[]): void {
      db.run(
        `DELETE FROM review_items WHERE item IN (SELECT value FROM json_each(?))
           AND queue IN (SELECT key FROM review_queues WHERE workspace = ?)`,
        JSON.stringify(traces),
        workspace,
      );
    },
  };
}
