import { join } from 'node:path';
import { createDirectoryBlobs } from '../blobs/directory.ts';
import type { Operation } from '../door/index.ts';
import { createWorkspace } from '../door/index.ts';
import { mlflow, mlflowOperations } from '../protocols/mlflow/index.ts';
import { otlp, otlpOperations } from '../protocols/otlp/index.ts';
import { startProtocolServer } from './protocol-server.ts';
import { temporaryDirectory } from './store.ts';

// Looked up by name at replay, so its type is erased here.
const operations = [
  createWorkspace as unknown as Operation,
  ...mlflowOperations,
  ...otlpOperations,
];

interface Reply {
  readonly status: number;
  // Replies are read with the expectations of the test.
  // biome-ignore lint/suspicious/noExplicitAny: the shape is what the test asserts
  readonly body: any;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly bytes: Buffer;
}

interface Sent {
  readonly body: string | Buffer | object;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A span of OTLP/JSON; `trace` and `span` are numbers that ids are made of. */
export function otlpSpan(
  {
    trace,
    span,
    parent,
  }: { readonly trace: number; readonly span: number; readonly parent?: number },
  more: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  const id = (number: number, digits: number): string => number.toString(16).padStart(digits, '0');
  return {
    traceId: id(trace, 32),
    spanId: id(span, 16),
    ...(parent === undefined ? {} : { parentSpanId: id(parent, 16) }),
    name: `span ${span}`,
    startTimeUnixNano: `17000000000${span.toString().padStart(2, '0')}123456`,
    endTimeUnixNano: `17000000001${span.toString().padStart(2, '0')}654321`,
    status: { code: 1 },
    ...more,
  };
}

/** Attributes of OTLP/JSON with texts as values. */
export function otlpAttributes(texts: Readonly<Record<string, string>>): unknown[] {
  return Object.entries(texts).map(([key, stringValue]) => ({ key, value: { stringValue } }));
}

/** OTLP and MLflow's protocol over one door and one real store. */
export async function startTracesServer() {
  const files = temporaryDirectory();
  const blobs = createDirectoryBlobs({ directory: join(files.path, 'blobs') });
  const { app, store, services, rebuild, close } = await startProtocolServer((scope, each) => {
    scope.register((one, _options, done) => {
      mlflow.register(one, { ...each, blobs });
      done();
    });
    scope.register((one, _options, done) => {
      otlp.register(one, each);
      done();
    });
  });

  async function send(
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE' | 'PUT',
    url: string,
    sent?: Sent,
  ): Promise<Reply> {
    const raw = typeof sent?.body === 'string' || Buffer.isBuffer(sent?.body);
    const reply = await app.inject({
      method,
      url,
      ...(sent === undefined ? {} : { payload: raw ? sent.body : JSON.stringify(sent.body) }),
      headers: { ...(sent ? { 'content-type': 'application/json' } : {}), ...sent?.headers },
    });
    const json = String(reply.headers['content-type']).startsWith('application/json');
    return {
      status: reply.statusCode,
      body: json && reply.body !== '' ? reply.json() : reply.body,
      headers: reply.headers,
      bytes: reply.rawPayload,
    };
  }

  return {
    app,
    store,
    services,
    send,
    /** Calls `/api/3.0/mlflow/…`. */
    call: (
      method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
      path: string,
      body?: object,
    ): Promise<Reply> => send(method, `/api/3.0/mlflow/${path}`, body && { body }),
    /** Exports spans as OTLP/JSON; with an experiment as MLflow's client. */
    exportSpans: (
      spans: readonly unknown[],
      options: {
        readonly experiment?: string;
        readonly run?: string;
        readonly resource?: readonly unknown[];
      } = {},
    ): Promise<Reply> =>
      send('POST', '/v1/traces', {
        body: {
          resourceSpans: [
            { resource: { attributes: options.resource ?? [] }, scopeSpans: [{ spans }] },
          ],
        },
        headers: {
          ...(options.experiment === undefined
            ? {}
            : { 'x-mlflow-experiment-id': options.experiment }),
          ...(options.run === undefined ? {} : { 'x-mlflow-run-id': options.run }),
        },
      }),
    /** Everything comes out the same from the ledger alone. */
    rebuild: () => rebuild(operations),
    /** The stored text of the newest message. */
    newest: (): Promise<string> =>
      store.read(async (session) => {
        const { size } = await session.ledger.head();
        return session.messageOf(size - 1, 0) ?? '';
      }),
    async close() {
      await close();
      files.remove();
    },
  };
}
