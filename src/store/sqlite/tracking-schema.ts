/**
 * Experiments, runs, logged models and artifact files. Keys of metrics, parameters and tags are
 * interned in `tracking_names`. A NaN is kept as 0 with `nan` = 1, as MLflow orders it.
 * The latest value of each metric has an index of its own: runs are searched and ordered by it.
 * The points of a run stand in parts of some hundred rows, in the order in which they came: a batch of
 * a hundred metrics dirties the pages of one part, not a page for each metric.
 * A part knows the positions at which it was begun and, where the run ended then, closed: what came by
 * which position is known so without a position in each point.
 * A point after (newest_timestamp, newest_step) of its metric cannot be there yet.
 */
export const trackingSchema = `
CREATE TABLE tracking_names (key INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE tracking_experiments (
  key INTEGER PRIMARY KEY,
  workspace TEXT NOT NULL,
  number INTEGER NOT NULL,
  name TEXT NOT NULL,
  artifact_location TEXT NOT NULL,
  deleted INTEGER NOT NULL,
  creation_time INTEGER NOT NULL,
  last_update_time INTEGER NOT NULL,
  UNIQUE (workspace, number),
  UNIQUE (workspace, name)
) STRICT;
CREATE TABLE tracking_experiment_tags (
  experiment INTEGER NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY (experiment, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE tracking_runs (
  key INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  experiment INTEGER NOT NULL,
  name TEXT NOT NULL,
  user TEXT NOT NULL,
  status TEXT NOT NULL,
  start_time INTEGER NOT NULL,
  end_time INTEGER,
  deleted INTEGER NOT NULL,
  artifact_uri TEXT
) STRICT;
CREATE INDEX tracking_runs_time ON tracking_runs (experiment, deleted, start_time);
CREATE TABLE tracking_params (
  run INTEGER NOT NULL, name INTEGER NOT NULL, value TEXT NOT NULL, position INTEGER NOT NULL,
  PRIMARY KEY (run, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE tracking_tags (
  run INTEGER NOT NULL, name INTEGER NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY (run, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE tracking_metrics (
  run INTEGER NOT NULL, part INTEGER NOT NULL, name INTEGER NOT NULL,
  timestamp INTEGER NOT NULL, step INTEGER NOT NULL, value REAL NOT NULL, nan INTEGER NOT NULL,
  PRIMARY KEY (run, part, name, timestamp, step, value, nan)
) STRICT, WITHOUT ROWID;
CREATE TABLE tracking_metric_parts (
  run INTEGER NOT NULL, part INTEGER NOT NULL, position INTEGER NOT NULL, closed_position INTEGER,
  PRIMARY KEY (run, part)
) STRICT, WITHOUT ROWID;
CREATE TABLE tracking_latest_metrics (
  run INTEGER NOT NULL, name INTEGER NOT NULL,
  timestamp INTEGER NOT NULL, step INTEGER NOT NULL, value REAL NOT NULL, nan INTEGER NOT NULL,
  newest_timestamp INTEGER NOT NULL, newest_step INTEGER NOT NULL,
  PRIMARY KEY (run, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX tracking_latest_metrics_value ON tracking_latest_metrics (name, nan, value);
CREATE TABLE tracking_datasets (
  key INTEGER PRIMARY KEY,
  experiment INTEGER NOT NULL, name TEXT NOT NULL, digest TEXT NOT NULL,
  source_type TEXT NOT NULL, source TEXT NOT NULL, schema TEXT, profile TEXT,
  UNIQUE (experiment, name, digest)
) STRICT;
CREATE TABLE tracking_inputs (
  run INTEGER NOT NULL, dataset INTEGER NOT NULL, tags TEXT NOT NULL, context TEXT,
  PRIMARY KEY (run, dataset)
) STRICT, WITHOUT ROWID;
CREATE INDEX tracking_inputs_dataset ON tracking_inputs (dataset, run);
CREATE TABLE tracking_model_inputs (
  run INTEGER NOT NULL, model TEXT NOT NULL,
  PRIMARY KEY (run, model)
) STRICT, WITHOUT ROWID;
CREATE TABLE tracking_model_outputs (
  run INTEGER NOT NULL, model TEXT NOT NULL, step INTEGER NOT NULL,
  PRIMARY KEY (run, model, step)
) STRICT, WITHOUT ROWID;
CREATE TABLE tracking_models (
  key INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  experiment INTEGER NOT NULL,
  name TEXT NOT NULL,
  model_type TEXT NOT NULL,
  source_run TEXT NOT NULL,
  artifact_uri TEXT NOT NULL,
  status TEXT NOT NULL,
  digest TEXT,
  deleted INTEGER NOT NULL,
  creation_time INTEGER NOT NULL,
  last_update_time INTEGER NOT NULL
) STRICT;
CREATE INDEX tracking_models_time ON tracking_models (experiment, creation_time DESC, id);
CREATE TABLE tracking_model_params (
  model INTEGER NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY (model, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE tracking_model_tags (
  model INTEGER NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY (model, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE tracking_model_metrics (
  model INTEGER NOT NULL, name TEXT NOT NULL,
  timestamp INTEGER NOT NULL, step INTEGER NOT NULL, run TEXT NOT NULL,
  value REAL NOT NULL, nan INTEGER NOT NULL, dataset_name TEXT, dataset_digest TEXT,
  PRIMARY KEY (model, name, timestamp, step, run)
) STRICT, WITHOUT ROWID;
CREATE INDEX tracking_model_metrics_value ON tracking_model_metrics (name, value);
CREATE TABLE tracking_artifacts (
  workspace TEXT NOT NULL, path TEXT NOT NULL, digest TEXT NOT NULL, bytes INTEGER NOT NULL,
  PRIMARY KEY (workspace, path)
) STRICT, WITHOUT ROWID;
`;
