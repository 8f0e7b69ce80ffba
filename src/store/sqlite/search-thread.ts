/**
 * A thread that answers searches on a connection of its own. It is started by search-threads.ts, with
 * the path of the store as its data.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { WherefromError } from '../../base/errors.ts';
import { Database } from './database.ts';
import { createReadSession } from './read-session.ts';
import { type Found, type SearchRequest, searchWhole } from './searches.ts';
import { explainSqliteError } from './sqlite-errors.ts';

/** What was found, or what an error says of itself. */
export type SearchReply =
  | { readonly found: Found }
  | { readonly error: Pick<WherefromError, 'code' | 'message' | 'hint'> };

// The path is all that search-threads.ts hands over.
const db = new Database(workerData as string, 'read');
const session = createReadSession(db);

parentPort?.on('message', async (request: SearchRequest) => {
  const reply = await answer(request);
  parentPort?.postMessage(reply, 'found' in reply ? buffersOf(reply.found) : []);
});

/** Points change hands as they are: to copy those of millions would take the server's thread a while. */
function buffersOf(found: Found): ArrayBuffer[] {
  if (!Array.isArray(found)) return [];
  return found.flatMap((each) =>
    typeof each === 'object' && 'points' in each ? each.points.buffer : [],
  );
}

/** On one snapshot, that has every write acknowledged before: SQLite takes it when the search first reads. */
async function answer(request: SearchRequest): Promise<SearchReply> {
  try {
    db.exec('BEGIN');
    try {
      return { found: await searchWhole(session, request) };
    } finally {
      db.exec('COMMIT');
    }
  } catch (thrown) {
    const explained = explainSqliteError(thrown);
    if (explained instanceof WherefromError) {
      const { code, message, hint } = explained;
      return { error: { code, message, hint } };
    }
    const message = explained instanceof Error ? explained.message : String(explained);
    return { error: { code: 'internal', message, hint: undefined } };
  }
}
