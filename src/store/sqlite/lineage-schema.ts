import { entityKinds } from '../../facts/kinds.ts';

/**
 * What stands after the first `@`: the number, digest or run of a version; '' without one. Versions
 * are indexed by it first, for then new ones lie side by side, and a commit of thirty writes few pages
 * instead of one for each.
 */
export const afterAt = (text: string): string =>
  `iif(instr(${text}, '@'), substr(${text}, instr(${text}, '@') + 1), '')`;

/** Of these there is a new one with nearly every message. */
const manyKinds = [entityKinds.datasetVersion.code, entityKinds.modelVersion.code].join(', ');

/** What names are put in order by first: '' for all but those of `manyKinds`, which nobody browses. */
export const nameGroup = `iif(kind IN (${manyKinds}), ${afterAt('name')}, '')`;

/**
 * The graph. Words that repeat (roles, rules, attribute names) are interned; 0 stands for none.
 * Attribute values are kept inline while short, by number in `lineage_values` when long.
 */
export const lineageSchema = `
CREATE TABLE lineage_words (id INTEGER PRIMARY KEY, word TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE lineage_values (id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, value TEXT NOT NULL) STRICT;
CREATE TABLE lineage_counts (kind INTEGER PRIMARY KEY, count INTEGER NOT NULL) STRICT;
CREATE TABLE lineage_nodes (
  key INTEGER PRIMARY KEY,
  kind INTEGER NOT NULL,
  ref TEXT NOT NULL,
  origin_ref TEXT,
  name TEXT NOT NULL,
  parent INTEGER,
  position INTEGER NOT NULL,
  deleted_time INTEGER, deleted_position INTEGER
) STRICT;
CREATE UNIQUE INDEX lineage_nodes_ref ON lineage_nodes (${afterAt('ref')}, ref);
CREATE INDEX lineage_nodes_name ON lineage_nodes (${nameGroup}, name);
CREATE INDEX lineage_nodes_parent ON lineage_nodes (parent, kind) WHERE parent IS NOT NULL;
CREATE TABLE lineage_former_refs (
  node INTEGER NOT NULL, number INTEGER NOT NULL, ref TEXT NOT NULL, name TEXT NOT NULL,
  until INTEGER NOT NULL, position INTEGER NOT NULL,
  PRIMARY KEY (node, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX lineage_former_refs_ref ON lineage_former_refs (ref);
CREATE INDEX lineage_former_refs_name ON lineage_former_refs (name);
CREATE INDEX lineage_former_refs_position ON lineage_former_refs (position);
CREATE TABLE lineage_names (
  dataset INTEGER NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, rule TEXT NOT NULL,
  position INTEGER NOT NULL,
  PRIMARY KEY (dataset, namespace, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE lineage_attributes (
  node INTEGER NOT NULL, name INTEGER NOT NULL, value ANY NOT NULL,
  time INTEGER NOT NULL, first_time INTEGER NOT NULL, position INTEGER NOT NULL,
  PRIMARY KEY (node, name, value)
) STRICT, WITHOUT ROWID;
CREATE TABLE lineage_edges (
  dst INTEGER NOT NULL, src INTEGER NOT NULL, relation INTEGER NOT NULL, role INTEGER NOT NULL,
  known INTEGER NOT NULL, rule INTEGER NOT NULL,
  position INTEGER NOT NULL, last_position INTEGER NOT NULL, recorded_time INTEGER NOT NULL,
  valid_from INTEGER NOT NULL, valid_to INTEGER, valid_to_position INTEGER,
  PRIMARY KEY (dst, src, relation, role, known, rule)
) STRICT, WITHOUT ROWID;
CREATE INDEX lineage_edges_down ON lineage_edges (src, dst);
CREATE TABLE lineage_run_events (
  run INTEGER NOT NULL, time INTEGER NOT NULL, state TEXT NOT NULL, streaming INTEGER NOT NULL,
  position INTEGER NOT NULL,
  PRIMARY KEY (run, time, state, streaming)
) STRICT, WITHOUT ROWID;
CREATE TABLE lineage_uses (
  run INTEGER NOT NULL, use INTEGER NOT NULL, dataset INTEGER NOT NULL, version INTEGER NOT NULL,
  role INTEGER NOT NULL, rule INTEGER NOT NULL, known INTEGER NOT NULL,
  named INTEGER NOT NULL, mode INTEGER NOT NULL,
  attributes ANY, attributes_time INTEGER NOT NULL,
  time INTEGER NOT NULL, position INTEGER NOT NULL, last_position INTEGER NOT NULL, recorded_time INTEGER NOT NULL,
  PRIMARY KEY (run, use, dataset, version, role, rule, known)
) STRICT, WITHOUT ROWID;
CREATE INDEX lineage_uses_dataset ON lineage_uses (dataset, use, time);
CREATE INDEX lineage_uses_version ON lineage_uses (version) WHERE version > 0;
CREATE TABLE lineage_columns (
  dst INTEGER NOT NULL, src INTEGER NOT NULL, via INTEGER NOT NULL, how INTEGER NOT NULL,
  known INTEGER NOT NULL, rule INTEGER NOT NULL,
  time INTEGER NOT NULL, position INTEGER NOT NULL, recorded_time INTEGER NOT NULL,
  PRIMARY KEY (dst, src, via, how, known, rule)
) STRICT, WITHOUT ROWID;
CREATE INDEX lineage_columns_down ON lineage_columns (src, dst, via);
CREATE INDEX lineage_columns_via ON lineage_columns (via);
CREATE TABLE lineage_flows (
  via INTEGER NOT NULL, output INTEGER NOT NULL, input INTEGER NOT NULL, time INTEGER NOT NULL,
  position INTEGER NOT NULL,
  PRIMARY KEY (via, output, input, time)
) STRICT, WITHOUT ROWID;
CREATE TABLE lineage_merges (
  a INTEGER NOT NULL, b INTEGER NOT NULL, rule TEXT NOT NULL, statement TEXT NOT NULL, apart INTEGER NOT NULL,
  valid_from INTEGER, valid_to INTEGER, position INTEGER NOT NULL,
  PRIMARY KEY (a, b, rule, statement)
) STRICT, WITHOUT ROWID;
CREATE INDEX lineage_merges_b ON lineage_merges (b);
CREATE TABLE lineage_superseded (
  statement TEXT NOT NULL, by_statement TEXT NOT NULL, valid_from INTEGER, position INTEGER NOT NULL,
  PRIMARY KEY (statement, by_statement)
) STRICT, WITHOUT ROWID;
CREATE TABLE lineage_drops (
  dataset INTEGER NOT NULL, time INTEGER NOT NULL, position INTEGER NOT NULL,
  PRIMARY KEY (dataset, time)
) STRICT, WITHOUT ROWID;
CREATE TABLE lineage_declarations (
  job INTEGER NOT NULL, dataset INTEGER NOT NULL, use INTEGER NOT NULL, time INTEGER NOT NULL,
  position INTEGER NOT NULL, recorded_time INTEGER NOT NULL,
  PRIMARY KEY (job, dataset, use, time)
) STRICT, WITHOUT ROWID;
CREATE INDEX lineage_declarations_dataset ON lineage_declarations (dataset);
CREATE TABLE lineage_declaration_times (
  job INTEGER NOT NULL, time INTEGER NOT NULL, position INTEGER NOT NULL,
  PRIMARY KEY (job, time)
) STRICT, WITHOUT ROWID;
CREATE TABLE lineage_digests (
  digest TEXT NOT NULL, version INTEGER NOT NULL, position INTEGER NOT NULL,
  PRIMARY KEY (digest, version)
) STRICT, WITHOUT ROWID;
CREATE INDEX lineage_digests_version ON lineage_digests (version);
CREATE TABLE lineage_statements (
  id TEXT PRIMARY KEY, node INTEGER NOT NULL, type TEXT NOT NULL, body TEXT NOT NULL,
  time INTEGER NOT NULL, position INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX lineage_statements_node ON lineage_statements (node);
CREATE TABLE lineage_event_keys (
  workspace TEXT NOT NULL, key TEXT NOT NULL,
  PRIMARY KEY (workspace, key)
) STRICT, WITHOUT ROWID;
`;
