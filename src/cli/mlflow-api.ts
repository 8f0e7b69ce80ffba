import { WherefromError } from '../base/errors.ts';
import { isObject, text } from '../base/json.ts';
import type { Io } from './io.ts';
import { readUrl } from './source.ts';
import { jsonArg } from './verb.ts';

/** Options of verbs that change or list what only a server has. */
export const serverArgs = {
  url: {
    type: 'string',
    description: 'Server to ask; WHEREFROM_URL, else http://127.0.0.1:4747.',
  },
  key: { type: 'string', description: 'API key; WHEREFROM_API_KEY.' },
  ...jsonArg,
} as const;

interface ServerArgs {
  readonly url?: string | undefined;
  readonly key?: string | undefined;
  readonly workspace?: string | undefined;
}

interface ApiCall {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Below the server's URL. */
  readonly path: string;
  readonly body?: object;
}

const codes: Readonly<Record<number, 'unauthenticated' | 'forbidden' | 'not_found' | 'conflict'>> =
  { 401: 'unauthenticated', 403: 'forbidden', 404: 'not_found', 409: 'conflict' };

/**
 * Asks a route of MLflow's API, which has no client of its own here.
 * @throws storage_unavailable when the server cannot be reached; what it refused.
 */
export async function askMlflow(
  { url: named, key: given, workspace }: ServerArgs,
  io: Io,
  { method, path, body }: ApiCall,
): Promise<Record<string, unknown>> {
  const url = readUrl(named ?? io.environment.url);
  const key = given ?? io.environment.apiKey;
  const headers: Record<string, string> = { accept: 'application/json' };
  if (key !== undefined) headers.authorization = `Bearer ${key}`;
  if (workspace !== undefined) headers['wherefrom-workspace'] = workspace;
  if (body !== undefined) headers['content-type'] = 'application/json';
  let response: Response;
  try {
    response = await fetch(`${url.replace(/\/+$/, '')}${path}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch (cause) {
    throw new WherefromError('storage_unavailable', `The server at ${url} cannot be reached.`, {
      hint: 'Start one with `wherefrom serve`, or give its address with --url.',
      detail: { isUnreached: true },
      cause,
    });
  }
  const said = await response.text();
  const answer = said === '' ? {} : parse(said);
  if (response.ok && isObject(answer)) return answer;
  const message = isObject(answer) ? text(answer.message) : undefined;
  throw new WherefromError(
    codes[response.status] ?? 'invalid_message',
    message ?? `The server at ${url} answered ${response.status}.`,
  );
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
