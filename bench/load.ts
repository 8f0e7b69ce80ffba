/**
 * A load generator of our own: raw sockets, one request in flight on each connection. It shares the
 * machine with the server, so it must cost little.
 */
import { connect, type Socket } from 'node:net';
import { percentile } from './figures.ts';

/** One request; `body` holds ASCII only, so that characters are bytes. */
export interface LoadRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: string;
}

export interface LoadOptions {
  /** `http://host:port`. */
  readonly url: string;
  readonly connections: number;
  /** Requests of this time are sent but not counted. */
  readonly warmupMs: number;
  readonly durationMs: number;
  /** The next request of a connection; `index` counts over all connections. */
  readonly next: (index: number, connection: number) => LoadRequest;
  /** Called when counting begins. */
  readonly onCounting?: () => void;
}

export interface LoadResult {
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Answers other than 2xx, and connections that broke. */
  readonly errors: number;
  /** The first answer that was an error. */
  readonly firstError?: string;
}

/** Requests that are under way when the time is over are waited for at most this long. */
const drainMs = 30_000;

/** Sends requests over all connections for the given time. @throws when nothing could be reached. */
export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const run = new LoadRun(options);
  return run.finish();
}

class LoadRun {
  readonly #options: LoadOptions;
  readonly #latencies: number[] = [];
  #index = 0;
  #errors = 0;
  #firstError: string | undefined;
  #countFrom = 0;
  #countTo = 0;

  constructor(options: LoadOptions) {
    this.#options = options;
  }

  async finish(): Promise<LoadResult> {
    const { connections, durationMs, warmupMs, onCounting } = this.#options;
    this.#countFrom = performance.now() + warmupMs;
    this.#countTo = this.#countFrom + durationMs;
    const counting = setTimeout(() => onCounting?.(), warmupMs);
    const { hostname, port } = new URL(this.#options.url);
    const workers = Array.from({ length: connections }, (_, connection) =>
      this.#work(new Connection(hostname, Number(port)), connection),
    );
    await Promise.all(workers);
    clearTimeout(counting);
    const sorted = Float64Array.from(this.#latencies).sort();
    return {
      requests: sorted.length,
      requestsPerSecond: sorted.length / (durationMs / 1000),
      p50Ms: percentile(sorted, 0.5),
      p99Ms: percentile(sorted, 0.99),
      errors: this.#errors,
      ...(this.#firstError === undefined ? {} : { firstError: this.#firstError }),
    };
  }

  async #work(connection: Connection, number: number): Promise<void> {
    const host = new URL(this.#options.url).host;
    try {
      while (performance.now() < this.#countTo) {
        const request = encodeRequest(this.#options.next(this.#index++, number), host);
        const sent = performance.now();
        const answer = await connection.send(request);
        this.#count(sent, answer);
      }
    } finally {
      connection.close();
    }
  }

  #count(sent: number, { status, body }: HttpAnswer): void {
    const received = performance.now();
    if (status < 200 || status > 299) {
      this.#errors += 1;
      this.#firstError ??= `${status} ${body.toString('utf8', 0, 300)}`;
    } else if (sent >= this.#countFrom && received <= this.#countTo) {
      this.#latencies.push(received - sent);
    }
  }
}

function encodeRequest({ method, path, body }: LoadRequest, host: string): string {
  if (body === undefined) return `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
  return `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

/** What came back; status 0 means that the connection broke. */
interface HttpAnswer {
  readonly status: number;
  readonly body: Buffer;
}

const headEnd = Buffer.from('\r\n\r\n');

/** One kept-alive connection, opened when it is needed and again when the server closed it. */
class Connection {
  readonly #host: string;
  readonly #port: number;
  #socket: Socket | undefined;
  #received: Buffer[] = [];
  #receivedBytes = 0;
  /** Bytes of the whole answer, once its head was read. */
  #expectedBytes = 0;
  #resolve: ((answer: HttpAnswer) => void) | undefined;

  constructor(host: string, port: number) {
    this.#host = host;
    this.#port = port;
  }

  send(request: string): Promise<HttpAnswer> {
    return new Promise((resolve) => {
      this.#resolve = resolve;
      this.#socket ??= this.#open();
      this.#socket.write(request, 'latin1');
    });
  }

  close(): void {
    this.#resolve = undefined;
    this.#socket?.destroy();
  }

  #open(): Socket {
    const socket = connect({ host: this.#host, port: this.#port, noDelay: true });
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.setTimeout(drainMs, () => socket.destroy());
    let why = 'the connection was closed';
    socket.on('error', (error) => {
      why = error.message;
    });
    socket.on('close', () => {
      if (this.#socket === socket) this.#socket = undefined;
      this.#answer({ status: 0, body: Buffer.from(why) });
    });
    return socket;
  }

  #receive(chunk: Buffer): void {
    this.#received.push(chunk);
    this.#receivedBytes += chunk.length;
    if (this.#expectedBytes === 0) this.#expectedBytes = expectedBytes(this.#whole());
    if (this.#expectedBytes === 0 || this.#receivedBytes < this.#expectedBytes) return;
    const whole = this.#whole();
    const status = Number(whole.toString('latin1', 9, 12));
    this.#answer({ status, body: whole.subarray(whole.indexOf(headEnd) + headEnd.length) });
  }

  #whole(): Buffer {
    if (this.#received.length > 1) this.#received = [Buffer.concat(this.#received)];
    return this.#received[0] ?? Buffer.alloc(0);
  }

  #answer(answer: HttpAnswer): void {
    this.#received = [];
    this.#receivedBytes = 0;
    this.#expectedBytes = 0;
    const resolve = this.#resolve;
    this.#resolve = undefined;
    resolve?.(answer);
  }
}

/** Bytes of the answer with its head; 0 while that cannot be told. Source: RFC 9112 section 6. */
function expectedBytes(received: Buffer): number {
  const end = received.indexOf(headEnd);
  if (end < 0) return 0;
  const head = received.toString('latin1', 0, end);
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length !== undefined) return end + headEnd.length + Number(length);
  if (/\r\ntransfer-encoding: *chunked/i.test(head)) {
    return received.toString('latin1', received.length - 7).endsWith('\r\n0\r\n\r\n')
      ? received.length
      : 0;
  }
  return end + headEnd.length;
}
