/** Tables of the registry projection. Times are ms since 1970, UTC, as recorded. */
export const registrySchema = `
CREATE TABLE registry_models (
  key INTEGER PRIMARY KEY,
  workspace TEXT NOT NULL,
  name TEXT NOT NULL,
  generation INTEGER NOT NULL,
  description TEXT,
  created_time INTEGER NOT NULL,
  updated_time INTEGER NOT NULL,
  version_count INTEGER NOT NULL DEFAULT 0,
  changed_time INTEGER NOT NULL,
  deleted_time INTEGER
) STRICT;
CREATE UNIQUE INDEX registry_models_alive ON registry_models (workspace, name) WHERE deleted_time IS NULL;
CREATE TABLE registry_names (
  workspace TEXT NOT NULL,
  name TEXT NOT NULL,
  generation INTEGER NOT NULL,
  model INTEGER NOT NULL,
  from_time INTEGER NOT NULL,
  to_time INTEGER,
  PRIMARY KEY (workspace, name, generation)
) STRICT, WITHOUT ROWID;
CREATE TABLE registry_model_tags (
  model INTEGER NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (model, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE registry_versions (
  key INTEGER PRIMARY KEY,
  model INTEGER NOT NULL,
  version INTEGER NOT NULL,
  description TEXT,
  stage TEXT NOT NULL DEFAULT 'None',
  source TEXT NOT NULL,
  storage_location TEXT NOT NULL,
  run_id TEXT,
  run_link TEXT,
  model_id TEXT,
  created_time INTEGER NOT NULL,
  updated_time INTEGER NOT NULL,
  deleted_time INTEGER,
  UNIQUE (model, version)
) STRICT;
CREATE INDEX registry_versions_stage ON registry_versions (model, stage, version) WHERE deleted_time IS NULL AND stage <> 'None';
CREATE INDEX registry_versions_run ON registry_versions (run_id) WHERE run_id IS NOT NULL;
CREATE INDEX registry_versions_updated ON registry_versions (updated_time);
CREATE TABLE registry_version_tags (
  version INTEGER NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (version, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX registry_version_tags_prompt ON registry_version_tags (version)
  WHERE key = 'mlflow.prompt.is_prompt' AND value = 'true';
CREATE TABLE registry_aliases (
  model INTEGER NOT NULL,
  alias TEXT NOT NULL,
  version INTEGER NOT NULL,
  PRIMARY KEY (model, alias)
) STRICT, WITHOUT ROWID;
CREATE TABLE registry_alias_uses (
  key INTEGER PRIMARY KEY,
  model INTEGER NOT NULL,
  alias TEXT NOT NULL,
  version INTEGER NOT NULL,
  from_time INTEGER NOT NULL,
  to_time INTEGER
) STRICT;
CREATE INDEX registry_alias_uses_alias ON registry_alias_uses (model, alias);
CREATE TABLE registry_deployments (
  workspace TEXT NOT NULL,
  name TEXT NOT NULL,
  number INTEGER NOT NULL,
  model_version TEXT NOT NULL,
  from_time INTEGER NOT NULL,
  until_time INTEGER,
  attributes TEXT NOT NULL,
  PRIMARY KEY (workspace, name, number)
) STRICT, WITHOUT ROWID;
`;
