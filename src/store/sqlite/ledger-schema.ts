/**
 * The record: what cannot be rebuilt. Its tables are named `log_` and `vault_`; every other table is
 * a projection.
 */
export const ledgerSchema = `
CREATE TABLE log_head (
  id INTEGER PRIMARY KEY CHECK (id = 1), size INTEGER NOT NULL, root BLOB NOT NULL, peaks BLOB NOT NULL, time INTEGER NOT NULL
) STRICT;
CREATE TABLE log_entries (position INTEGER PRIMARY KEY, entry BLOB NOT NULL, time INTEGER NOT NULL) STRICT;
CREATE INDEX log_entries_time ON log_entries (time);
CREATE TABLE log_payloads (
  position INTEGER PRIMARY KEY, batch_key BLOB NOT NULL, block BLOB NOT NULL, digest BLOB NOT NULL
) STRICT;
CREATE TABLE log_meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE vault_persons (token TEXT PRIMARY KEY, lookup BLOB NOT NULL UNIQUE, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
`;

/** Workspaces: a projection of the messages that created, described and deleted them. */
export const workspaceSchema = `
CREATE TABLE workspaces (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  description TEXT,
  artifact_root TEXT,
  trace_archival_location TEXT,
  trace_archival_retention TEXT,
  deleted_time INTEGER
) STRICT, WITHOUT ROWID;
`;
