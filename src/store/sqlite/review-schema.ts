/**
 * What people review: issues, the questions that they answer, and queues of traces. `root_causes`,
 * `categories`, `users` and `schemas` are JSON lists; the severity is its rank, -1 for none; the name
 * of a queue is compared by `name_key`. Times are ms since 1970.
 */
export const reviewSchema = `
CREATE TABLE issues (
  key INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  workspace TEXT NOT NULL,
  experiment INTEGER NOT NULL,
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  status TEXT NOT NULL,
  severity INTEGER NOT NULL,
  root_causes TEXT NOT NULL,
  categories TEXT NOT NULL,
  source_run TEXT,
  created_by TEXT,
  created_time INTEGER NOT NULL,
  updated_time INTEGER NOT NULL
) STRICT;
CREATE INDEX issues_order ON issues (workspace, severity DESC, created_time DESC, id DESC);
CREATE TABLE label_schemas (
  key INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  workspace TEXT NOT NULL,
  experiment INTEGER NOT NULL,
  name TEXT NOT NULL,
  type TEXT NOT NULL,
  instruction TEXT,
  comment INTEGER NOT NULL,
  input TEXT NOT NULL,
  created_time INTEGER NOT NULL,
  updated_time INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX label_schemas_name ON label_schemas (workspace, experiment, name);
CREATE TABLE review_queues (
  key INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  workspace TEXT NOT NULL,
  experiment INTEGER NOT NULL,
  name TEXT NOT NULL,
  name_key TEXT NOT NULL,
  type TEXT NOT NULL,
  owner TEXT,
  users TEXT NOT NULL,
  schemas TEXT NOT NULL,
  created_time INTEGER NOT NULL,
  updated_time INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX review_queues_name ON review_queues (workspace, experiment, name_key);
CREATE TABLE review_items (
  queue INTEGER NOT NULL,
  item TEXT NOT NULL,
  status TEXT NOT NULL,
  completed_by TEXT,
  completed_time INTEGER,
  created_time INTEGER NOT NULL,
  updated_time INTEGER NOT NULL,
  PRIMARY KEY (queue, item)
) STRICT, WITHOUT ROWID;
CREATE INDEX review_items_item ON review_items (item, queue);
`;
