/**
 * Webhooks, and the calls that they owe. A settled call is only counted. `events` is a JSON list;
 * times are ms since 1970.
 */
export const webhooksSchema = `
CREATE TABLE webhooks (
  key INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  workspace TEXT NOT NULL,
  name TEXT NOT NULL,
  description TEXT,
  url TEXT NOT NULL,
  events TEXT NOT NULL,
  secret TEXT,
  status TEXT NOT NULL,
  created_time INTEGER NOT NULL,
  updated_time INTEGER NOT NULL,
  deleted_time INTEGER,
  queued INTEGER NOT NULL DEFAULT 0,
  delivered INTEGER NOT NULL DEFAULT 0,
  failed INTEGER NOT NULL DEFAULT 0,
  dropped INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX webhooks_workspace ON webhooks (workspace, created_time DESC, key DESC) WHERE deleted_time IS NULL;
CREATE INDEX webhooks_owing ON webhooks (key) WHERE queued > 0;
CREATE TABLE webhook_deliveries (
  webhook INTEGER NOT NULL,
  position INTEGER NOT NULL,
  message INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  event TEXT NOT NULL,
  data TEXT NOT NULL,
  time INTEGER NOT NULL,
  PRIMARY KEY (webhook, position, message, ordinal)
) STRICT, WITHOUT ROWID;
`;
