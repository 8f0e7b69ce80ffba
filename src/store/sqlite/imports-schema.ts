/**
 * What sources of imports said of each thing that was brought: `said` holds fingerprints of 8 bytes.
 * Imports alone read it, one seek for each thing.
 */
export const importsSchema = `
CREATE TABLE imports_said (
  workspace TEXT NOT NULL,
  thing TEXT NOT NULL,
  id TEXT NOT NULL,
  said BLOB NOT NULL,
  PRIMARY KEY (workspace, thing, id)
) STRICT, WITHOUT ROWID;
`;
