import { setTimeout as sleep } from 'node:timers/promises';
import { WherefromError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import { type Composed, compose } from './compose.ts';
import type { Config } from './config.ts';

/** A server that listens. */
export interface RunningServer {
  /** Where clients reach it, with the base path. */
  readonly url: string;
  readonly composed: Composed;
  /** Stops accepting, finishes what is under way, closes. */
  stop(): Promise<void>;
  /** Resolves when it has stopped. */
  readonly closed: Promise<void>;
}

/**
 * Starts the server and listens. SIGINT and SIGTERM stop it gracefully.
 * @throws what `compose` throws; conflict when the port is in use.
 */
export async function startServer(config: Config): Promise<RunningServer> {
  const composed = await compose(config);
  try {
    const address = await composed.app.listen({ host: config.host, port: config.port });
    const done = Promise.withResolvers<void>();
    let stopping = false;
    const stop = (): Promise<void> => {
      if (!stopping) {
        stopping = true;
        stopWithin(composed, limits.shutdownTimeoutMs).then(done.resolve, done.reject);
      }
      return done.promise;
    };
    stopOnSignals(stop);
    return { url: `${address}${config.basePath}`, composed, stop, closed: done.promise };
  } catch (thrown) {
    await composed.close();
    throw explainListen(thrown, config);
  }
}

/**
 * A terminal sends Ctrl-C to a whole group, and a parent may pass it on: signals close together are
 * one. A later second one ends the process at once.
 */
function stopOnSignals(stop: () => Promise<void>): void {
  let firstMs: number | undefined;
  const handle = (): void => {
    const now = performance.now();
    if (firstMs !== undefined && now - firstMs > limits.signalsApartMs) process.exit(130);
    firstMs ??= now;
    // What goes wrong is told by `closed`.
    stop().catch(() => undefined);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, handle);
}

/** Requests that do not end in time are cut off; what was answered is durable anyway. */
async function stopWithin(composed: Composed, timeoutMs: number): Promise<void> {
  const cut = setTimeout(() => composed.app.server.closeAllConnections(), timeoutMs);
  await composed.close();
  clearTimeout(cut);
  // A process that is ending has no handlers any more: the pair of a doubled signal would kill it.
  await sleep(limits.signalsSettleMs);
}

function explainListen(thrown: unknown, config: Config): unknown {
  const code = (thrown as NodeJS.ErrnoException).code; // net errors carry one
  if (code === 'EADDRINUSE') {
    return new WherefromError('conflict', `Port ${config.port} on ${config.host} is in use.`, {
      hint: 'Stop the program that listens there, or give another with --port.',
      cause: thrown,
    });
  }
  if (code === 'EADDRNOTAVAIL' || code === 'EACCES' || code === 'ENOTFOUND') {
    return new WherefromError(
      'invalid_message',
      `The server cannot listen on ${config.host}:${config.port} (${code}).`,
      {
        hint: 'Give an address of this machine with --host, and a port above 1023.',
        cause: thrown,
      },
    );
  }
  return thrown;
}
