/**
 * A thread that answers searches on a connection of its own. It is started by search-threads.ts, with
 * the path of the store as its data.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { WherefromError } from '../../base/errors.ts';
import type { MetricGroup, MetricQuery } from '../../traces/index.ts';
import type { LoggedModelSearch, RunSearch } from '../../tracking/index.ts';
import { Database } from './database.ts';
import { explainSqliteError } from './sqlite-errors.ts';
import { SqliteTraceReader } from './traces-reader.ts';
import { createSqliteTrackingReader } from './tracking-store.ts';

/** One search, as data. */
export type SearchRequest =
  | { readonly of: 'runs'; readonly search: RunSearch }
  | { readonly of: 'loggedModels'; readonly search: LoggedModelSearch };

/** A search, or a question about numbers of traces. */
export type ThreadRequest =
  | SearchRequest
  | { readonly of: 'metrics'; readonly search: MetricQuery };

/** What was found: keys in the order of the search, or groups of traces. */
export type Found =
  | { readonly keys: readonly number[] }
  | { readonly groups: readonly MetricGroup[] };

/** What was found, or what an error says of itself. */
export type SearchReply =
  | Found
  | { readonly error: Pick<WherefromError, 'code' | 'message' | 'hint'> };

// The path is all that search-threads.ts hands over.
const db = new Database(workerData as string, 'read');
const tracking = createSqliteTrackingReader(db);
// Numbers of traces come from tables alone.
const traces = new SqliteTraceReader(db, { readTexts: () => undefined });

parentPort?.on('message', async (request: ThreadRequest) => {
  parentPort?.postMessage(await answer(request));
});

async function find(request: ThreadRequest): Promise<Found> {
  switch (request.of) {
    case 'runs':
      return { keys: await tracking.searchRuns(request.search) };
    case 'loggedModels':
      return { keys: await tracking.searchLoggedModels(request.search) };
    case 'metrics':
      return { groups: traces.measure(request.search) };
  }
}

async function answer(request: ThreadRequest): Promise<SearchReply> {
  try {
    return await find(request);
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
