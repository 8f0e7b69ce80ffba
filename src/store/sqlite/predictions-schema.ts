/**
 * The index of the prediction log: the content stays in the payloads. A row's key is where its
 * payload stands (position * 65536 + index). Ids that are UUIDs are 16 bytes, others text. Refs and
 * workspaces are keys of prediction_names; 0 stands for none. A key is the rank of its first name:
 * refs of one thing that was renamed share a key.
 */
export const predictionsSchema = `
CREATE TABLE predictions (
  place INTEGER PRIMARY KEY,
  workspace INTEGER NOT NULL,
  id ANY NOT NULL,
  time INTEGER NOT NULL,
  model_version INTEGER NOT NULL,
  deployment INTEGER NOT NULL,
  unknown INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX predictions_id ON predictions (workspace, id);
CREATE INDEX predictions_model_version ON predictions (model_version, time, deployment);
CREATE TABLE prediction_parents (
  workspace INTEGER NOT NULL, parent ANY NOT NULL, place INTEGER NOT NULL,
  PRIMARY KEY (workspace, parent, place)
) STRICT, WITHOUT ROWID;
CREATE TABLE prediction_names (
  rank INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  key INTEGER NOT NULL
) STRICT;
CREATE INDEX prediction_names_key ON prediction_names (key);
CREATE TABLE prediction_counts (
  model_version INTEGER NOT NULL,
  deployment INTEGER NOT NULL,
  count INTEGER NOT NULL,
  unknown INTEGER NOT NULL,
  first_time INTEGER NOT NULL,
  last_time INTEGER NOT NULL,
  PRIMARY KEY (model_version, deployment)
) STRICT, WITHOUT ROWID;
CREATE INDEX prediction_counts_deployment ON prediction_counts (deployment);
CREATE TABLE prediction_outcomes (
  place INTEGER PRIMARY KEY,
  workspace INTEGER NOT NULL,
  id TEXT NOT NULL,
  prediction TEXT NOT NULL,
  type TEXT NOT NULL,
  time INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX prediction_outcomes_id ON prediction_outcomes (workspace, id);
CREATE INDEX prediction_outcomes_prediction ON prediction_outcomes (workspace, prediction);
`;
