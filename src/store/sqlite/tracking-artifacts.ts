import type { ListedArtifact } from '../../tracking/index.ts';
import type { Database } from './database.ts';

/**
 * The names directly in a directory, sorted. It jumps over what lies deeper: one seek a name,
 * however many files a subdirectory holds ('0' is the character after '/').
 */
export function listDirectory(
  db: Database,
  workspace: string,
  { directory, limit }: { readonly directory: string; readonly limit: number },
): ListedArtifact[] {
  const prefix = directory === '' ? '' : `${directory}/`;
  const end = directory === '' ? '\u{10ffff}' : `${directory}0`;
  const found: ListedArtifact[] = [];
  let from = prefix;
  while (found.length < limit) {
    const row = db.get<{ path: string; bytes: number }>(
      `SELECT path, bytes FROM tracking_artifacts
       WHERE workspace = ? AND path >= ? AND path < ? ORDER BY path LIMIT 1`,
      workspace,
      from,
      end,
    );
    if (row === undefined) break;
    const rest = row.path.slice(prefix.length);
    const slash = rest.indexOf('/');
    const name = slash < 0 ? rest : rest.slice(0, slash);
    found.push({ name, isDirectory: slash >= 0, bytes: slash < 0 ? row.bytes : 0 });
    from = slash < 0 ? `${row.path}\u0000` : `${prefix}${name}0`;
  }
  return found.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/** Digests of the files at all paths, of deleted workspaces too. */
export function listNamedBlobs(db: Database): string[] {
  return db
    .all<{ digest: string }>('SELECT DISTINCT digest FROM tracking_artifacts')
    .map(({ digest }) => digest);
}
