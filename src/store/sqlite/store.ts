import { WherefromError } from '../../base/errors.ts';
import { type Changed, GraphChanges } from '../../lineage/index.ts';
import { Database } from './database.ts';
import { createSqliteEvaluationStore } from './evaluation-store.ts';
import { createSqliteImportsStore } from './imports-store.ts';
import { SqliteLedgerStore } from './ledger-store.ts';
import { SqliteLineageStore } from './lineage-store.ts';
import { createSqlitePredictionStore } from './predictions-store.ts';
import { createReadSession, messageOf, type SqliteReadSession, textsOf } from './read-session.ts';
import { SqliteVault, SqliteWorkspaces } from './record-store.ts';
import { createSqliteRegistryStore } from './registry-store.ts';
import { createSqliteReviewStore } from './review-store.ts';
import { createSearchThreads, type SearchThreads } from './search-threads.ts';
import {
  createSearches,
  type Found,
  type SearchRequest,
  type SearchSort,
  type SqliteSearches,
  searchQuickly,
} from './searches.ts';
import { explainSqliteError } from './sqlite-errors.ts';
import { SqliteTraceStore } from './traces-store.ts';
import { createSqliteTrackingStore } from './tracking-store.ts';
import { createSqliteWebhookStore } from './webhooks-store.ts';

/** Readers kept open at most; further queries wait. */
const readersMax = 4;

/** The stores of the writer: they cache, and only they write. */
function createSession(db: Database, changes: GraphChanges) {
  const lineage = new SqliteLineageStore(db.part(), changes);
  const tracking = createSqliteTrackingStore(db.part());
  const registry = createSqliteRegistryStore(db.part());
  const predictions = createSqlitePredictionStore(db.part(), { readPayload: messageOf(db) });
  const traces = new SqliteTraceStore(db, { readTexts: textsOf(db) });
  const webhooks = createSqliteWebhookStore(db);
  const vault = new SqliteVault(db);
  const workspaces = new SqliteWorkspaces(db, { remember: true });
  const caching = [lineage, tracking, registry, predictions, traces, webhooks, vault, workspaces];
  return {
    ledger: new SqliteLedgerStore(db),
    lineage,
    tracking,
    registry,
    predictions,
    traces,
    evaluation: createSqliteEvaluationStore(db),
    review: createSqliteReviewStore(db),
    webhooks,
    imports: createSqliteImportsStore(db),
    vault,
    workspaces,
    /** Bounds the file, in pages: as a full disk does. */
    limitPages: (pages: number): void => db.exec(`PRAGMA max_page_count=${pages}`),
    /** The version of projections that a rebuild has replaced and the ledger does not tell of yet. */
    replacedVersion(): number | undefined {
      const note = db.get<{ value: string }>("SELECT value FROM log_meta WHERE key = 'replaced'");
      return note && Number(note.value);
    },
    forgetReplaced: (): void => db.exec("DELETE FROM log_meta WHERE key = 'replaced'"),
    /** Writes what stores gathered over a transaction. */
    flush(): void {
      lineage.flush();
      predictions.flush();
    },
    reset(): void {
      for (const store of caching) store.reset();
    },
  };
}

interface Reader {
  readonly db: Database;
  readonly session: SqliteReadSession;
}

export type SqliteWriteSession = ReturnType<typeof createSession>;

/** Reading connections with snapshots of their own (WAL): later commits do not change what one sees. */
export class SqliteReaderStore {
  readonly #path: string;
  readonly #idle: Reader[] = [];
  readonly #waiting: ((reader: Reader) => void)[] = [];
  #readers = 0;
  #threads: SearchThreads | undefined;
  /** Searches on snapshots of their own; long ones hold up neither the writer nor other readers. */
  readonly searches: SqliteSearches = createSearches((request) => this.#search(request));

  constructor(path: string) {
    this.#path = path;
  }

  async #search<S extends SearchSort>(request: SearchRequest<S>): Promise<Found<S>> {
    const found = await this.read((session) => searchQuickly(session, request));
    if (found !== undefined) return found;
    this.#threads ??= createSearchThreads(this.#path);
    return this.#threads.search(request);
  }

  /** Runs queries on one consistent snapshot. @throws what `query` threw; integrity_broken, storage_unavailable. */
  async read<T>(query: (session: SqliteReadSession) => T | Promise<T>): Promise<T> {
    let reader: Reader | undefined;
    try {
      reader = this.#idle.pop() ?? (await this.#open());
      reader.db.exec('BEGIN');
      return await query(reader.session);
    } catch (thrown) {
      throw thrown instanceof WherefromError ? thrown : explainSqliteError(thrown);
    } finally {
      if (reader) this.#giveBack(reader);
    }
  }

  #giveBack(reader: Reader): void {
    try {
      reader.db.exec('COMMIT');
    } catch {
      // nothing was begun
    }
    const next = this.#waiting.shift();
    if (next) next(reader);
    else this.#idle.push(reader);
  }

  #open(): Promise<Reader> {
    if (this.#readers >= readersMax) return new Promise((resolve) => this.#waiting.push(resolve));
    const db = new Database(this.#path, 'read');
    this.#readers += 1;
    return Promise.resolve({ db, session: createReadSession(db) });
  }

  /** The person behind a token of the vault. */
  findPerson(token: string): string | undefined {
    return this.#vault().findValue(token);
  }

  findToken(lookup: Uint8Array): string | undefined {
    return this.#vault().findToken(lookup);
  }

  /** True when there is a workspace of that name, as the newest commit left it. */
  hasWorkspace(name: string): boolean {
    return this.#anyReader().workspaces.findWorkspaceId(name) !== undefined;
  }

  #vault(): SqliteVault {
    return this.#anyReader().vault;
  }

  /** What entries from a position on changed in the graph. Another process may write here. */
  graphChangedSince(_position: number): Changed {
    return 'all';
  }

  /** For single rows, which need no snapshot. */
  #anyReader(): SqliteReadSession {
    let reader = this.#idle[0];
    if (!reader) {
      this.#readers += 1;
      const db = new Database(this.#path, 'read');
      reader = { db, session: createReadSession(db) };
      this.#idle.push(reader);
    }
    return reader.session;
  }

  close(): void {
    this.#threads?.close();
    for (const { db } of this.#idle) db.close();
  }
}

/**
 * The embedded store: one writing connection and a few reading ones.
 * @throws storage_unavailable, integrity_broken as sqlite-errors.ts explains.
 */
export class SqliteStore extends SqliteReaderStore {
  readonly #writer: Database;
  readonly #session: SqliteWriteSession;
  readonly #graphChanges = new GraphChanges();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(path: string, writer: Database) {
    super(path);
    this.#writer = writer;
    this.#session = createSession(writer, this.#graphChanges);
  }

  /** Runs `work` in one transaction and commits durably, or leaves nothing. One at a time. */
  transaction<T>(work: (session: SqliteWriteSession) => Promise<T>): Promise<T> {
    const run = this.#turn.then(() => this.#transact(work));
    this.#turn = run.catch(() => undefined);
    return run;
  }

  override graphChangedSince(position: number): Changed {
    return this.#graphChanges.since(position);
  }

  async #transact<T>(work: (session: SqliteWriteSession) => Promise<T>): Promise<T> {
    try {
      this.#writer.exec('BEGIN IMMEDIATE');
      const result = await work(this.#session);
      this.#session.flush();
      this.#writer.exec('COMMIT');
      return result;
    } catch (thrown) {
      this.#session.reset();
      this.#writer.dropGathered();
      try {
        this.#writer.exec('ROLLBACK');
      } catch {
        // SQLite has rolled back already (disk full, for example)
      }
      throw thrown instanceof WherefromError ? thrown : explainSqliteError(thrown);
    }
  }

  override close(): void {
    super.close();
    this.#writer.close();
  }
}
