import { setTimeout as sleep } from 'node:timers/promises';
import { WherefromError } from '../../../base/errors.ts';
import { isObject, text } from '../../../base/json.ts';
import { limits } from '../../../base/limits.ts';

/** A server of MLflow, and how to log in to it. */
export interface RestOptions {
  /** Base URL; may hold `user:password@`. */
  readonly url: string;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly token?: string | undefined;
  /** Workspace of MLflow that is asked; the server's own when absent. */
  readonly workspace?: string | undefined;
}

type Answer = Record<string, unknown>;

/** Asks a server of MLflow. All throw what the server refused with, or storage_unavailable. */
export interface RestClient {
  get(path: string, query?: Readonly<Record<string, string>>): Promise<Answer>;
  post(path: string, body: unknown): Promise<Answer>;
  fetch(path: string): Promise<Response>;
}

/** Statuses that may pass. Source: mlflow/utils/request_utils.py. */
const passing = new Set([408, 429, 500, 502, 503, 504]);
const timeoutMs = 120_000;

/** A client that asks again, with growing pauses, when the server does not answer. */
export function createRestClient(options: RestOptions): RestClient {
  const url = new URL(options.url);
  const username = options.username ?? decodeURIComponent(url.username);
  const password = options.password ?? decodeURIComponent(url.password);
  url.username = '';
  url.password = '';
  const base = url.href.replace(/\/+$/, '');
  const headers: Record<string, string> = {};
  if (options.token) headers.authorization = `Bearer ${options.token}`;
  else if (username !== '') {
    const pair = Buffer.from(`${username}:${password}`).toString('base64');
    headers.authorization = `Basic ${pair}`;
  }
  // Source: mlflow/utils/workspace_utils.py.
  if (options.workspace) headers['x-mlflow-workspace'] = options.workspace;
  const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
    withRetries(base, () =>
      fetch(`${base}${path}`, {
        ...init,
        headers: { ...headers, 'content-type': 'application/json' },
        signal: AbortSignal.timeout(timeoutMs),
      }),
    );
  return {
    get: async (path, query = {}) => json(await ask(`${path}?${new URLSearchParams(query)}`), path),
    post: async (path, body) =>
      json(await ask(path, { method: 'POST', body: JSON.stringify(body) }), path),
    fetch: (path) => ask(path),
  };
}

async function withRetries(base: string, ask: () => Promise<Response>): Promise<Response> {
  for (let tries = 1; ; tries += 1) {
    let cause: unknown;
    try {
      const response = await ask();
      if (response.ok) return response;
      const error = await refusal(response);
      if (!passing.has(response.status) || tries >= limits.importRetriesMax) throw error;
      cause = error;
    } catch (thrown) {
      if (thrown instanceof WherefromError) throw thrown;
      cause = thrown;
    }
    if (tries >= limits.importRetriesMax) {
      throw new WherefromError('storage_unavailable', `${base} cannot be reached.`, {
        hint: 'Look at the address, and whether an MLflow server listens there. Its database can be imported instead: wherefrom import mlflow sqlite:///mlflow.db',
        detail: { isUnreached: true },
        cause,
      });
    }
    await sleep(200 * 2 ** tries);
  }
}

const codes: Readonly<Record<number, 'unauthenticated' | 'forbidden' | 'not_found'>> = {
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not_found',
  405: 'not_found',
};

/** True when the server answered that it cannot be asked this; false for faults and for want of rights. */
export function isRefused(thrown: unknown): boolean {
  return (
    thrown instanceof WherefromError && (thrown.code === 'internal' || thrown.code === 'not_found')
  );
}

async function refusal(response: Response): Promise<WherefromError> {
  const said = await response.text().catch(() => '');
  let message: string | undefined;
  try {
    const body: unknown = JSON.parse(said);
    message = isObject(body) ? text(body.message) : undefined;
  } catch {
    // not MLflow's form
  }
  const code = codes[response.status] ?? 'internal';
  const where = new URL(response.url).pathname;
  const options =
    code === 'unauthenticated'
      ? { hint: 'Set MLFLOW_TRACKING_USERNAME and _PASSWORD, or MLFLOW_TRACKING_TOKEN.' }
      : {};
  return new WherefromError(
    code,
    `MLflow refused ${where} (${response.status})${message === undefined ? '' : `: ${message}`}`,
    options,
  );
}

async function json(response: Response, path: string): Promise<Answer> {
  const body: unknown = await response.json().catch(() => undefined);
  if (isObject(body)) return body;
  throw new WherefromError('internal', `MLflow answered ${path} in a form that is not its own.`);
}
