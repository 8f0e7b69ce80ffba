/** The server of the demo: `bin/wherefrom serve` as a child, as anybody would start it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const wherefrom = join(import.meta.dirname, '..', '..', 'bin', 'wherefrom');
const usualPort = 4747;

export interface DemoServer {
  readonly url: string;
  /** Runs a verb of the command line against this server and returns what it prints. */
  ask(...args: readonly string[]): Promise<string>;
  /** Resolves when the server has ended, whoever ended it. */
  readonly ended: Promise<void>;
  /** Ends it gracefully. */
  stop(): Promise<void>;
}

/**
 * Starts a server over the data directory, and waits until it listens.
 * @param port the usual one when it is free, otherwise any, when left out.
 * @throws Error with what the server said when it did not start.
 */
export async function startServer(options: {
  readonly data: string;
  readonly port?: string | undefined;
}): Promise<DemoServer> {
  const port = options.port ?? ((await isFree(usualPort)) ? usualPort : 0);
  const child = spawn(wherefrom, ['serve', '--json', '--port', `${port}`, '--data', options.data], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // Ctrl-C is for the demo, which then ends the server: two signals would end it at once.
    detached: true,
  });
  const ended = once(child, 'exit').then(() => undefined);
  const url = await readUrl(child);
  const ask = async (...args: readonly string[]): Promise<string> =>
    run(wherefrom, [...args, '--url', url]);
  let stopping = false;
  const stop = (): Promise<void> => {
    if (!stopping) child.kill('SIGTERM');
    stopping = true;
    return ended;
  };
  return { url, ask, ended, stop };
}

/** The first line that the server prints is JSON with its URL. */
async function readUrl(child: ChildProcess): Promise<string> {
  const { stdout, stderr } = child;
  if (!stdout || !stderr) throw new Error('the server has no output to read');
  let said = '';
  stderr.on('data', (text) => {
    said = `${said}${text}`.slice(-4000);
  });
  for await (const line of createInterface({ input: stdout })) {
    // Nobody reads the rest: let it flow, so that the server never waits for us.
    stdout.resume();
    return (JSON.parse(line) as { url: string }).url;
  }
  throw new Error(`The server did not start. ${explain(said)}`);
}

/** What went wrong and what to do, of the problem that the server says as JSON; else all that it said. */
function explain(said: string): string {
  try {
    const { detail, hint = '' } = JSON.parse(said) as { detail: string; hint?: string };
    return `${detail} ${hint}`;
  } catch {
    return said;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}

/** Runs a program to its end and returns its standard output. @throws Error with the end of the rest. */
export async function run(
  program: string,
  args: readonly string[],
  options: {
    readonly cwd?: string;
    readonly env?: NodeJS.ProcessEnv;
    readonly signal?: AbortSignal;
  } = {},
): Promise<string> {
  const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text) => {
      output[name] += text;
    });
  }
  const [code] = await once(child, 'close');
  if (code === 0) return output.stdout;
  const end = `${output.stdout}\n${output.stderr}`.trim().split('\n').slice(-25).join('\n');
  throw new Error(`${[program, ...args].join(' ')} failed:\n${end}`);
}
