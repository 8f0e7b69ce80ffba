import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { WherefromError } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import type { SearchReply } from './search-thread.ts';
import type { Found, SearchRequest, SearchSort } from './searches.ts';

interface Waiting {
  readonly request: SearchRequest;
  resolve(found: Found): void;
  reject(error: WherefromError): void;
}

/** Threads that search, started when the first search needs one. */
export interface SearchThreads {
  /**
   * Runs a search on a snapshot that has every write acknowledged before the call.
   * @throws overloaded when too many wait; what the search throws; storage_unavailable when its thread ended.
   */
  search<S extends SearchSort>(request: SearchRequest<S>): Promise<Found<S>>;
  /** Ends the threads; searches under way are refused. */
  close(): void;
}

/** Beside this file, compiled or not. */
const script = new URL(
  import.meta.url.endsWith('.ts') ? './search-thread.ts' : './search-thread.js',
  import.meta.url,
);

/** One thread at a time searches one thing; more searches wait in order. */
export function createSearchThreads(path: string): SearchThreads {
  const threadsMax = Math.min(limits.searchThreadsMax, Math.max(1, availableParallelism()));
  const idle: Worker[] = [];
  const busy = new Map<Worker, Waiting>();
  const queue: Waiting[] = [];

  const start = (): Worker => {
    const worker = new Worker(script, {
      workerData: path,
      execArgv: ['--disable-warning=ExperimentalWarning'],
    });
    worker.unref();
    worker.on('message', (reply: SearchReply) => finish(worker, reply));
    // `exit` follows an error: there the search is refused.
    worker.on('error', () => undefined);
    worker.on('exit', () => lose(worker));
    return worker;
  };

  const next = (): void => {
    while (queue.length > 0) {
      const worker = idle.pop() ?? (busy.size < threadsMax ? start() : undefined);
      const waiting = worker && queue.shift();
      if (worker === undefined || waiting === undefined) return;
      busy.set(worker, waiting);
      worker.postMessage(waiting.request);
    }
  };

  const finish = (worker: Worker, reply: SearchReply): void => {
    const waiting = busy.get(worker);
    busy.delete(worker);
    idle.push(worker);
    if ('error' in reply) waiting?.reject(errorOf(reply.error));
    else waiting?.resolve(reply.found);
    next();
  };

  const lose = (worker: Worker): void => {
    const waiting = busy.get(worker);
    busy.delete(worker);
    const index = idle.indexOf(worker);
    if (index >= 0) idle.splice(index, 1);
    waiting?.reject(new WherefromError('storage_unavailable', 'The search ended unexpectedly.'));
    next();
  };

  return {
    search: <S extends SearchSort>(request: SearchRequest<S>) =>
      new Promise<Found<S>>((resolve, reject) => {
        if (queue.length >= limits.searchesWaitingMax) {
          reject(new WherefromError('overloaded', 'Too many searches wait for their turn.'));
          return;
        }
        // What the thread answers is what is found for a request of this sort.
        queue.push({ request, resolve: resolve as Waiting['resolve'], reject });
        next();
      }),
    close() {
      for (const { reject } of queue.splice(0))
        reject(new WherefromError('overloaded', 'The server is stopping.'));
      for (const worker of [...idle, ...busy.keys()]) void worker.terminate();
    },
  };
}

function errorOf({ code, message, hint }: WherefromErrorParts): WherefromError {
  return new WherefromError(code, message, hint === undefined ? {} : { hint });
}

type WherefromErrorParts = Pick<WherefromError, 'code' | 'message' | 'hint'>;
