import { join } from 'node:path';
import { type Composed, compose } from '../server/compose.ts';
import { type Config, loadConfig } from '../server/config.ts';
import { temporaryDirectory } from './store.ts';

const noEnvironment = {
  config: {},
  configFile: undefined,
  apiKey: undefined,
  data: undefined,
  url: undefined,
  noColor: true,
};

export interface TestServer extends Composed {
  readonly data: string;
  readonly config: Config;
  /** Sends JSON and reads JSON, in process. */
  post(url: string, body: unknown, headers?: Record<string, string>): Promise<TestReply>;
  get(url: string, headers?: Record<string, string>): Promise<TestReply>;
  /** Closes the server and opens it again over the same directory. */
  reopen(): Promise<TestServer>;
  remove(): Promise<void>;
}

export interface TestReply {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly text: string;
  // Replies are read with the expectations of the test.
  // biome-ignore lint/suspicious/noExplicitAny: the shape is what the test asserts
  readonly json: any;
}

/** The whole server over a data directory of its own, not listening. */
export async function testServer(flags: Record<string, unknown> = {}): Promise<TestServer> {
  const directory = temporaryDirectory();
  return open(join(directory.path, 'data'), flags, directory.remove);
}

async function open(
  data: string,
  flags: Record<string, unknown>,
  removeAll: () => void,
): Promise<TestServer> {
  const { config } = loadConfig({ data, ...flags }, noEnvironment);
  const composed = await compose(config);
  const send = async (
    method: 'GET' | 'POST',
    url: string,
    options: { payload?: string; headers: Record<string, string> },
  ): Promise<TestReply> => {
    const reply = await composed.app.inject({ method, url, ...options });
    return {
      status: reply.statusCode,
      headers: reply.headers,
      text: reply.body,
      get json() {
        return reply.json();
      },
    };
  };
  const host = { host: 'localhost' };
  return {
    ...composed,
    data,
    config,
    get: (url, headers = {}) => send('GET', url, { headers: { ...host, ...headers } }),
    post: (url, body, headers = {}) =>
      send('POST', url, {
        payload: typeof body === 'string' ? body : JSON.stringify(body),
        headers: { ...host, 'content-type': 'application/json', ...headers },
      }),
    async reopen() {
      await composed.close();
      return open(data, flags, removeAll);
    },
    async remove() {
      await composed.close();
      removeAll();
    },
  };
}
