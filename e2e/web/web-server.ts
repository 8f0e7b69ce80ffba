/** A server without an API key for a test of the web page. */
import { type ChildServer, startChildServer } from '../server.ts';

export interface WebServer extends ChildServer {
  /** Sends JSON. @throws Error when it was refused. */
  post(path: string, body: unknown): Promise<void>;
}

/** Starts a server on an empty data directory, without an API key. */
export async function startWebServer(...flags: readonly string[]): Promise<WebServer> {
  const server = await startChildServer(flags);
  return {
    ...server,
    async post(path, body) {
      const answer = await fetch(server.url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    },
  };
}
