/** A server with an API key for a test of real OpenLineage producers. */
import type { Answer } from '../../src/contract/answer.ts';
import { type ChildServer, createKey, startChildServer } from '../server.ts';

export { root } from '../server.ts';

export interface TestServer extends ChildServer {
  /** An API key with the role write. */
  readonly key: string;
  ask(question: 'trace' | 'impact', ref: string): Promise<Answer>;
}

/** Starts a server on an empty data directory, with one API key. */
export async function startTestServer(): Promise<TestServer> {
  let key = '';
  const server = await startChildServer([], async (data) => {
    key = await createKey(data);
  });
  return {
    ...server,
    key,
    async ask(question, ref) {
      const query = new URLSearchParams({ ref, columns: 'true' });
      const headers = { authorization: `Bearer ${key}` };
      const answer = await fetch(`${server.url}/api/wherefrom/v1/${question}?${query}`, {
        headers,
      });
      if (!answer.ok)
        throw new Error(`${question} of ${ref}: ${answer.status} ${await answer.text()}`);
      // Our own server's answer, in the shape of its contract.
      return (await answer.json()) as Answer;
    },
  };
}
