/**
 * A thread that answers searches on a connection of its own. It is started by search-threads.ts, with
 * the path of the store as its data.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { WherefromError } from '../../base/errors.ts';
import type { LoggedModelSearch, RunSearch } from '../../tracking/index.ts';
import { Database } from './database.ts';
import { explainSqliteError } from './sqlite-errors.ts';
import { createSqliteTrackingReader } from './tracking-store.ts';

/** One search, as data. */
export type SearchRequest =
  | { readonly of: 'runs'; readonly search: RunSearch }
  | { readonly of: 'loggedModels'; readonly search: LoggedModelSearch };

/** Keys in the order of the search, or what an error says of itself. */
export type SearchReply =
  | { readonly keys: readonly number[] }
  | { readonly error: Pick<WherefromError, 'code' | 'message' | 'hint'> };

// The path is all that search-threads.ts hands over.
const tracking = createSqliteTrackingReader(new Database(workerData as string, 'read'));

parentPort?.on('message', async (request: SearchRequest) => {
  parentPort?.postMessage(await answer(request));
});

async function answer(request: SearchRequest): Promise<SearchReply> {
  try {
    return {
      keys: await (request.of === 'runs'
        ? tracking.searchRuns(request.search)
        : tracking.searchLoggedModels(request.search)),
    };
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
