/**
 * Tables of evaluation datasets and scorers. Times are ms since 1970, UTC. The parts of a record are
 * JSON text. Persons are tokens.
 */
export const evaluationSchema = `
CREATE TABLE evaluation_datasets (
  key INTEGER PRIMARY KEY,
  workspace TEXT NOT NULL,
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  schema TEXT,
  profile TEXT,
  digest TEXT NOT NULL,
  created_time INTEGER NOT NULL,
  updated_time INTEGER NOT NULL,
  created_by TEXT,
  updated_by TEXT,
  UNIQUE (workspace, id)
) STRICT;
CREATE INDEX evaluation_datasets_time ON evaluation_datasets (workspace, created_time);
CREATE TABLE evaluation_dataset_tags (
  dataset INTEGER NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (dataset, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE evaluation_dataset_experiments (
  key INTEGER PRIMARY KEY,
  dataset INTEGER NOT NULL,
  experiment TEXT NOT NULL,
  UNIQUE (dataset, experiment)
) STRICT;
CREATE TABLE evaluation_records (
  key INTEGER PRIMARY KEY,
  dataset INTEGER NOT NULL,
  id TEXT NOT NULL,
  input_digest TEXT NOT NULL,
  inputs TEXT NOT NULL,
  outputs TEXT,
  expectations TEXT,
  tags TEXT NOT NULL,
  source TEXT,
  source_id TEXT,
  source_type TEXT,
  created_time INTEGER NOT NULL,
  updated_time INTEGER NOT NULL,
  created_by TEXT,
  updated_by TEXT,
  UNIQUE (dataset, input_digest),
  UNIQUE (dataset, id)
) STRICT;
CREATE INDEX evaluation_records_time ON evaluation_records (dataset, created_time, id);
CREATE TABLE evaluation_scorers (
  key INTEGER PRIMARY KEY,
  workspace TEXT NOT NULL,
  id TEXT NOT NULL,
  experiment TEXT NOT NULL,
  name TEXT NOT NULL,
  version_count INTEGER NOT NULL,
  UNIQUE (workspace, experiment, name),
  UNIQUE (workspace, id)
) STRICT;
CREATE TABLE evaluation_scorer_versions (
  scorer INTEGER NOT NULL,
  version INTEGER NOT NULL,
  serialized TEXT NOT NULL,
  created_time INTEGER NOT NULL,
  PRIMARY KEY (scorer, version)
) STRICT, WITHOUT ROWID;
CREATE TABLE evaluation_scorer_configs (
  scorer INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  sample_rate REAL NOT NULL,
  filter TEXT
) STRICT;
`;
