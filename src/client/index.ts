import type { Answer, MomentInput, WalkInput } from '../contract/answer.ts';
import type { Completeness } from '../contract/completeness.ts';
import type { Diff } from '../contract/diff.ts';
import { type Problem, problemSchema } from '../contract/problem.ts';
import type {
  DeploymentEnd,
  DeploymentRecord,
  OutcomeRecord,
  PredictionRecord,
  RecordAnswer,
  RecordsAnswer,
  StatementRecord,
} from '../contract/records.ts';
import type { Resolution, SearchResult } from '../contract/resolve.ts';
import type { Statements } from '../contract/statements.ts';
import type { ReceiptMessage, Status } from '../contract/status.ts';

export type * from '../contract/answer.ts';
export type * from '../contract/completeness.ts';
export type * from '../contract/diff.ts';
export type * from '../contract/problem.ts';
export type * from '../contract/records.ts';
export type * from '../contract/resolve.ts';
export type * from '../contract/statements.ts';
export type * from '../contract/status.ts';

/** How to reach a server. */
export interface ClientOptions {
  /** Base URL, with the base path when there is one, for example http://127.0.0.1:4747. */
  readonly url: string;
  /** API key; not needed on a server that has none. */
  readonly key?: string | undefined;
  /** Workspace that is asked about; the first of the key when absent. */
  readonly workspace?: string | undefined;
  /** Give up on an answer after this many ms; 60,000 when absent. */
  readonly timeoutMs?: number | undefined;
  /** Another `fetch`, for example with a proxy. */
  readonly fetch?: typeof fetch | undefined;
}

/** A request that was refused (`problem` says why) or that no server answered (`problem` is absent). */
export class ClientError extends Error {
  readonly problem: Problem | undefined;
  readonly status: number | undefined;

  constructor(message: string, options: { problem?: Problem; status?: number; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.name = 'ClientError';
    this.problem = options.problem;
    this.status = options.status;
  }
}

/** The questions and records of a Wherefrom server. Every method throws ClientError. */
export interface Client {
  trace(input: WalkInput): Promise<Answer>;
  impact(input: WalkInput): Promise<Answer>;
  completeness(ref: string, moment?: MomentInput): Promise<Completeness>;
  statements(ref: string, moment?: MomentInput): Promise<Statements>;
  diff(a: string, b: string, moment?: MomentInput): Promise<Diff>;
  resolve(ref: string): Promise<Resolution>;
  search(query: string, limit?: number): Promise<SearchResult>;
  status(): Promise<Status>;
  /** The signed note of the server's ledger. */
  checkpoint(): Promise<string>;
  receipt(position: number, index: number): Promise<ReceiptMessage>;
  /** Idempotent for predictions that carry an `id`. */
  recordPredictions(predictions: readonly PredictionRecord[]): Promise<RecordsAnswer>;
  recordOutcomes(outcomes: readonly OutcomeRecord[]): Promise<RecordsAnswer>;
  recordDeployment(deployment: DeploymentRecord): Promise<RecordAnswer>;
  /** @param name the name, of which the one that runs now ends, or `name@number`. */
  endDeployment(name: string, end?: DeploymentEnd): Promise<RecordAnswer>;
  makeStatement(statement: StatementRecord): Promise<RecordsAnswer>;
}

type Query = Readonly<Record<string, string | number | boolean | undefined>>;

const defaultTimeoutMs = 60_000;

/** A client that uses nothing but `fetch`: it runs in Node, Deno, Bun, workers and browsers. */
export function createClient(options: ClientOptions): Client {
  const get = async <T>(path: string, query: Query = {}): Promise<T> =>
    readJson<T>(await request(options, { path, query }), options.url);
  const post = async <T>(path: string, body: unknown): Promise<T> =>
    readJson<T>(await request(options, { path, body }), options.url);
  return {
    trace: (input) => get('trace', walkQuery(input)),
    impact: (input) => get('impact', walkQuery(input)),
    completeness: (ref, moment) => get('completeness', { ref, ...momentQuery(moment) }),
    statements: (ref, moment) => get('statements', { ref, ...momentQuery(moment) }),
    diff: (a, b, moment) => get('diff', { a, b, ...momentQuery(moment) }),
    resolve: (ref) => get('resolve', { ref }),
    search: (q, limit) => get('search', { q, limit }),
    status: () => get('status'),
    checkpoint: async () => (await request(options, { path: 'checkpoint' })).text(),
    receipt: (position, index) => get(`receipts/${position}/${index}`),
    recordPredictions: (predictions) => post('predictions', predictions),
    recordOutcomes: (outcomes) => post('outcomes', outcomes),
    recordDeployment: (deployment) => post('deployments', deployment),
    endDeployment: (name, end = {}) => post(`deployments/${encodeURIComponent(name)}/end`, end),
    makeStatement: (statement) => post('statements', statement),
  };
}

function walkQuery({ ref, depth, nodes, columns, kinds, ...moment }: WalkInput): Query {
  return { ref, depth, nodes, columns, ...momentQuery(moment), kinds: kinds?.join(',') };
}

function momentQuery({ asOf, at }: MomentInput = {}): Query {
  if (asOf === undefined) return { at };
  const recorded = 'position' in asOf ? asOf.position : new Date(asOf.recordedTime).toISOString();
  return { asOf: recorded, at };
}

interface Call {
  readonly path: string;
  readonly query?: Query;
  /** Posted as JSON when present. */
  readonly body?: unknown;
}

async function request(options: ClientOptions, call: Call): Promise<Response> {
  const url = urlOf(options.url, call);
  const headers: Record<string, string> = { accept: 'application/json' };
  if (options.key !== undefined) headers.authorization = `Bearer ${options.key}`;
  if (options.workspace !== undefined) headers['wherefrom-workspace'] = options.workspace;
  if (call.body !== undefined) headers['content-type'] = 'application/json';
  const send = options.fetch ?? fetch;
  let response: Response;
  try {
    response = await send(url, {
      method: call.body === undefined ? 'GET' : 'POST',
      headers,
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
      signal: AbortSignal.timeout(options.timeoutMs ?? defaultTimeoutMs),
    });
  } catch (cause) {
    const timedOut = cause instanceof Error && cause.name === 'TimeoutError';
    const what = timedOut ? 'did not answer in time' : 'cannot be reached';
    throw new ClientError(`The server at ${options.url} ${what}.`, { cause });
  }
  if (!response.ok) throw await errorOf(response, options.url);
  return response;
}

function urlOf(base: string, { path, query = {} }: Call): URL {
  let url: URL;
  try {
    url = new URL(`api/wherefrom/v1/${path}`, base.endsWith('/') ? base : `${base}/`);
  } catch (cause) {
    throw new ClientError(`"${base}" is not a URL such as http://127.0.0.1:4747.`, { cause });
  }
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) url.searchParams.set(name, String(value));
  }
  return url;
}

async function errorOf(response: Response, base: string): Promise<ClientError> {
  const { status } = response;
  const text = await response.text().catch(() => '');
  try {
    const problem = problemSchema.parse(JSON.parse(text));
    return new ClientError(problem.detail, { problem, status });
  } catch {
    const message = `The server at ${base} answered ${status} in a form that is not Wherefrom's.`;
    return new ClientError(message, { status });
  }
}

async function readJson<T>(response: Response, base: string): Promise<T> {
  try {
    return (await response.json()) as T;
  } catch (cause) {
    const message = `The answer of ${base} is not JSON: is it a Wherefrom server?`;
    throw new ClientError(message, { status: response.status, cause });
  }
}
