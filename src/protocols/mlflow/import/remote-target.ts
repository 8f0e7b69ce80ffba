import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { WherefromError } from '../../../base/errors.ts';
import { isObject } from '../../../base/json.ts';
import { limits } from '../../../base/limits.ts';
import { errorOfProblem, problemSchema } from '../../../contract/problem.ts';
import type { Known } from './known.ts';
import { importPath } from './routes.ts';
import type { ImportResult, ImportTarget } from './target.ts';

export interface RemoteTargetOptions {
  /** Base URL of a Wherefrom server. */
  readonly url: string;
  /** API key of the role admin; not needed on a server without keys. */
  readonly key?: string | undefined;
  /** Workspace that is imported into; the first of the key when absent. */
  readonly workspace?: string | undefined;
}

/**
 * Imports through a server. Requests are sent again when it does not answer: what it took already
 * says nothing new.
 * @throws storage_unavailable when it cannot be reached; what it refused the import with.
 */
export function createRemoteTarget(options: RemoteTargetOptions): ImportTarget {
  const post = async (path: string, body: string): Promise<unknown> =>
    withRetries(() => send(options, path, { method: 'POST', body }));
  return {
    async accept(messages) {
      const lines = messages.map((message) => JSON.stringify(message)).join('\n');
      const answer = await post('', lines);
      // The server is of the same package: results are in the order of the lines.
      return (isObject(answer) ? answer.results : []) as readonly ImportResult[];
    },
    known: async (question) => (await post('/known', JSON.stringify(question))) as Known,
    async putFile({ path, time }, content) {
      const where = `/files/${path.split('/').map(encodeURIComponent).join('/')}?time=${time}`;
      // The types of Node's two kinds of streams are not quite the same.
      const body = Readable.toWeb(content) as unknown as NonNullable<RequestInit['body']>;
      const answer = await send(options, where, { method: 'PUT', body, duplex: 'half' });
      return answer as ImportResult;
    },
  };
}

/** Asks again, with growing pauses, while the server cannot be reached or is overloaded. */
async function withRetries<T>(ask: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await ask();
    } catch (thrown) {
      const again =
        thrown instanceof WherefromError &&
        (thrown.code === 'storage_unavailable' || thrown.code === 'overloaded');
      if (!again || tries >= limits.importRetriesMax) throw thrown;
      await sleep(200 * 2 ** tries);
    }
  }
}

async function send(
  { url, key, workspace }: RemoteTargetOptions,
  path: string,
  init: RequestInit & { duplex?: 'half' },
): Promise<unknown> {
  const headers: Record<string, string> = { 'content-type': 'application/x-ndjson' };
  if (key !== undefined) headers.authorization = `Bearer ${key}`;
  if (workspace !== undefined) headers['wherefrom-workspace'] = workspace;
  let response: Response;
  try {
    response = await fetch(`${url.replace(/\/+$/, '')}${importPath}${path}`, { ...init, headers });
  } catch (cause) {
    throw new WherefromError('storage_unavailable', `The server at ${url} cannot be reached.`, {
      hint: 'Start one with `wherefrom serve`, give its address with --to, or import into a directory with --data DIR.',
      detail: { isUnreached: true },
      cause,
    });
  }
  const text = await response.text();
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    body = undefined;
  }
  if (response.ok && isObject(body)) return body;
  const problem = problemSchema.safeParse(body);
  if (problem.success) throw errorOfProblem(problem.data);
  throw new WherefromError(
    'internal',
    `The server at ${url} answered ${response.status} in a form that is not Wherefrom's.`,
  );
}
