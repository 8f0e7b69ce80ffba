import { join } from 'node:path';
import { type Clock, systemClock } from '../base/clock.ts';
import { createDirectoryBlobs } from '../blobs/directory.ts';
import { createUploads } from '../blobs/uploads.ts';
import { createWorkspace, type Operation } from '../door/index.ts';
import type { AttributeRow, EdgeRow } from '../lineage/store.ts';
import { mlflow, mlflowOperations } from '../protocols/mlflow/index.ts';
import { otlpOperations } from '../protocols/otlp/index.ts';
import { startProtocolServer } from './protocol-server.ts';
import { temporaryDirectory } from './store.ts';

// Looked up by name at replay, so its type is erased here.
const operations = [
  createWorkspace as unknown as Operation,
  ...mlflowOperations,
  ...otlpOperations,
];

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface Reply {
  readonly status: number;
  // Replies are read with the expectations of the test.
  // biome-ignore lint/suspicious/noExplicitAny: the shape is what the test asserts
  readonly body: any;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** An edge in one line: `kind:… -relation(role)-> kind:…`. */
interface NamedEdge {
  readonly from: string;
  readonly to: string;
  readonly relation: string;
  readonly role: string | null;
  readonly known: string;
  readonly rule: string | null;
}

/** What a refusal looks like to `toMatchObject`. */
export const refusal = (status: number, error_code: string, message: unknown): object => ({
  status,
  body: { error_code, message },
});

/** MLflow's whole protocol over a real door, store and blob directory. */
export async function startMlflowServer(options: { readonly clock?: Clock } = {}) {
  const files = temporaryDirectory();
  const blobs = createDirectoryBlobs({ directory: join(files.path, 'blobs') });
  const uploads = createUploads({
    directory: join(files.path, 'uploads'),
    clock: options.clock ?? systemClock,
  });
  const { app, services, store, rebuild, close } = await startProtocolServer(
    (scope, each) => mlflow.register(scope, { ...each, blobs, uploads }),
    options,
  );

  async function send(method: Method, url: string, body?: unknown): Promise<Reply> {
    const raw = typeof body === 'string' || Buffer.isBuffer(body);
    const reply = await app.inject({
      method,
      url,
      ...(body === undefined ? {} : { payload: raw ? body : JSON.stringify(body) }),
      headers: body === undefined ? {} : { 'content-type': 'application/json' },
    });
    const json =
      String(reply.headers['content-type']).startsWith('application/json') && reply.body !== '';
    return {
      status: reply.statusCode,
      body: json ? reply.json() : reply.body,
      headers: reply.headers,
    };
  }

  const call = (method: Method, path: string, body?: unknown): Promise<Reply> =>
    send(method, `/api/2.0/mlflow/${path}`, body);

  return {
    app,
    blobs,
    store,
    services,
    send,
    call,
    post: (path: string, body: unknown) => call('POST', path, body),
    /** Creates a run and returns its id. */
    async createRun(body: object = {}): Promise<string> {
      const { body: answer } = await call('POST', 'runs/create', {
        experiment_id: '0',
        start_time: 1_700_000_000_000,
        ...body,
      });
      return answer.run.info.run_id;
    },
    put: (path: string, content: string | Buffer) =>
      send('PUT', `/api/2.0/mlflow-artifacts/artifacts/${path}`, content),
    /** Edges into and out of a node. */
    edges: (ref: string): Promise<NamedEdge[]> =>
      store.read(async ({ lineage }) => {
        const node = await lineage.findNode(ref);
        if (node === undefined) return [];
        const rows: EdgeRow[] = [
          ...(await lineage.edges('up', [node.key], 100)).rows,
          ...(await lineage.edges('down', [node.key], 100)).rows,
        ];
        const keys = rows.flatMap(({ from, to }) => [from, to]);
        const refs = new Map((await lineage.nodes(keys)).map((each) => [each.key, each.ref]));
        return rows.map(({ from, to, relation, role, known, rule }) => ({
          from: refs.get(from) ?? '',
          to: refs.get(to) ?? '',
          relation,
          role,
          known,
          rule,
        }));
      }),
    /** Newest attributes of a node. */
    attributes: (ref: string): Promise<Record<string, unknown>> =>
      store.read(async ({ lineage }) => {
        const node = await lineage.findNode(ref);
        const rows: AttributeRow[] = node === undefined ? [] : await lineage.attributes([node.key]);
        return Object.fromEntries(rows.map(({ name, value }) => [name, JSON.parse(value)]));
      }),
    /** Everything comes out the same from the ledger alone. */
    rebuild: () => rebuild(operations),
    async close() {
      await close();
      files.remove();
    },
  };
}
