import { expect } from 'vitest';
import { refusal, startMlflowServer } from './mlflow-server.ts';

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** A request that is refused, and how. */
export type Refused = readonly [
  method: Method,
  path: string,
  body: unknown,
  status: number,
  message: string | RegExp,
];

/** The version of an evaluation dataset that a digest names. */
export const versionOf = (id: string, digest: string): string =>
  `datasetVersion:mlflow:default/datasets/${id}@mlflow-${digest}`;

/** MLflow's protocol with what tests of evaluation datasets and scorers ask for. */
export async function startEvaluationServer() {
  const server = await startMlflowServer();
  const call = (method: Method, path: string, body?: unknown) =>
    server.send(method, `/api/3.0/mlflow/${path}`, body);
  return {
    ...server,
    /** A request below `/api/3.0/mlflow`. */
    call,
    async createDataset(body: object = {}): Promise<{ dataset_id: string; digest: string }> {
      const answer = await call('POST', 'datasets/create', { name: 'golden', ...body });
      expect(answer.status).toBe(200);
      return answer.body.dataset;
    },
    /** Sends records: a list, or JSON text as it is. */
    upsert: (id: string, records: unknown) =>
      call('POST', `datasets/${id}/records`, {
        records: typeof records === 'string' ? records : JSON.stringify(records),
      }),
    // biome-ignore lint/suspicious/noExplicitAny: the shape is what the test asserts
    async recordsOf(id: string): Promise<any[]> {
      const { body } = await call('GET', `datasets/${id}/records`);
      return JSON.parse(body.records);
    },
    async expectRefused(cases: readonly Refused[]): Promise<void> {
      for (const [method, path, body, status, message] of cases) {
        const code = status === 404 ? 'RESOURCE_DOES_NOT_EXIST' : 'INVALID_PARAMETER_VALUE';
        const text = typeof message === 'string' ? message : expect.stringMatching(message);
        const answer = await call(method, path, body);
        expect({ path, body, answer }).toMatchObject({ answer: refusal(status, code, text) });
      }
    },
  };
}
