/**
 * Traces of language models: their infos, tags, metadata, spans without content, assessments, links,
 * and what they came out of. Names, refs and workspaces are keys of `trace_names`; refs of one thing
 * that was renamed share one. The content of a span stays in the payload: `place` is where it stands
 * (position * 65536 + index). The experiment is a number, -1 for none.
 */
export const tracesSchema = `
CREATE TABLE trace_names (
  rank INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  key INTEGER NOT NULL
) STRICT;
CREATE INDEX trace_names_key ON trace_names (key);
CREATE TABLE traces (
  key INTEGER PRIMARY KEY,
  workspace INTEGER NOT NULL,
  id TEXT NOT NULL,
  experiment INTEGER NOT NULL,
  time INTEGER NOT NULL,
  duration INTEGER,
  status TEXT NOT NULL,
  name TEXT,
  root_name TEXT,
  session TEXT,
  client_request_id TEXT,
  request TEXT,
  response TEXT,
  usage TEXT,
  cost TEXT,
  reported INTEGER NOT NULL DEFAULT 0,
  position INTEGER NOT NULL,
  deleted_time INTEGER
) STRICT;
CREATE UNIQUE INDEX traces_id ON traces (workspace, id) WHERE deleted_time IS NULL;
CREATE INDEX traces_deleted ON traces (workspace, id) WHERE deleted_time IS NOT NULL;
CREATE INDEX traces_time ON traces (workspace, experiment, time DESC, id) WHERE deleted_time IS NULL;
CREATE TABLE trace_tags (
  trace INTEGER NOT NULL, name INTEGER NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY (trace, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE trace_metadata (
  trace INTEGER NOT NULL, name INTEGER NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY (trace, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE trace_spans (
  trace INTEGER NOT NULL,
  id TEXT NOT NULL,
  parent TEXT,
  name TEXT NOT NULL,
  type TEXT,
  status TEXT NOT NULL,
  start_us INTEGER NOT NULL,
  end_us INTEGER,
  usage TEXT,
  cost TEXT,
  model TEXT,
  provider TEXT,
  place INTEGER NOT NULL,
  PRIMARY KEY (trace, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE trace_assessments (
  trace INTEGER NOT NULL,
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  type TEXT NOT NULL,
  value TEXT NOT NULL,
  number REAL,
  numeric INTEGER NOT NULL,
  valid INTEGER NOT NULL,
  source_type TEXT NOT NULL,
  source_id TEXT,
  span TEXT,
  run TEXT,
  rationale TEXT,
  overrides TEXT,
  error TEXT,
  metadata TEXT NOT NULL,
  created_time INTEGER NOT NULL,
  updated_time INTEGER NOT NULL,
  PRIMARY KEY (trace, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX trace_assessments_name ON trace_assessments (name, type);
CREATE TABLE trace_links (
  trace INTEGER NOT NULL, kind TEXT NOT NULL, target TEXT NOT NULL,
  PRIMARY KEY (trace, kind, target)
) STRICT, WITHOUT ROWID;
CREATE INDEX trace_links_target ON trace_links (target, kind);
CREATE TABLE trace_uses (
  trace INTEGER NOT NULL,
  ref INTEGER NOT NULL,
  role TEXT NOT NULL,
  relation INTEGER NOT NULL,
  known INTEGER NOT NULL,
  rule TEXT NOT NULL,
  unknown INTEGER NOT NULL,
  position INTEGER NOT NULL,
  PRIMARY KEY (trace, ref, role)
) STRICT, WITHOUT ROWID;
CREATE INDEX trace_uses_ref ON trace_uses (ref, trace);
`;
