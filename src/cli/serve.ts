import type { Config } from '../server/config.ts';
import type { RunningServer } from '../server/index.ts';
import { exitCodes, type Io } from './io.ts';
import { packageVersion } from './package-info.ts';
import { readConfig } from './read-config.ts';
import { createStyle } from './style.ts';
import { defineVerb, jsonArg } from './verb.ts';

/** `wherefrom serve`: runs the server until it is told to stop. */
export const verb = defineVerb({
  name: 'serve',
  summary: 'Run the server: all protocols, the API and the web pages on one port.',
  examples: [
    'wherefrom serve',
    'wherefrom serve --data /var/lib/wherefrom --host 0.0.0.0   # needs an API key',
    'MLFLOW_TRACKING_URI=http://127.0.0.1:4747 python train.py  # then point tools at it',
  ],
  args: {
    host: { type: 'string', description: 'Address to listen on; 127.0.0.1.' },
    port: { type: 'string', description: 'Port to listen on; 4747. 0 takes a free one.' },
    data: { type: 'string', description: 'Data directory; ./wherefrom-data.' },
    'base-path': { type: 'string', description: 'Path prefix behind a reverse proxy.' },
    'allowed-hosts': { type: 'string', description: 'Further Host names, separated by commas.' },
    'allowed-origins': { type: 'string', description: 'Origins of pages that may call the API.' },
    'json-log': { type: 'boolean', description: 'Log every request as a line of JSON.' },
    ...jsonArg,
  },
  async run(args, io) {
    const flags = {
      host: args.host,
      port: args.port,
      data: args.data,
      basePath: args['base-path'],
      allowedHosts: args['allowed-hosts'],
      allowedOrigins: args['allowed-origins'],
      jsonLog: args['json-log'],
    };
    const { config } = readConfig(flags, io);
    const stop = stopSignal();
    const { startServer } = await import('../server/index.ts');
    const server = await startServer(config);
    if (args.json) io.out(JSON.stringify({ url: server.url, pid: process.pid, data: config.data }));
    else greet(server, config, io);
    await stop;
    io.err('Stopping: requests under way are finished first.');
    await server.stop();
    return exitCodes.done;
  },
});

function greet({ url, composed }: RunningServer, { data }: Config, io: Io): void {
  const { bold, dim } = createStyle(io.color);
  io.out(`Wherefrom ${packageVersion()} listens at ${bold(url)}`);
  io.out(`  MLflow       ${dim('MLFLOW_TRACKING_URI=')}${url}`);
  io.out(`  OpenLineage  ${dim('OPENLINEAGE_URL=')}${url}`);
  io.out(`  Predictions  ${dim('POST ')}${url}/api/wherefrom/v1/predictions`);
  io.out(`  API          ${url}/api/wherefrom/v1/docs`);
  io.out(`  Data in ${data}. Ctrl-C stops.`);
  if (composed.authentication === 'none') {
    io.out('  No API key exists: it listens on loopback only, and everybody here may write.');
  }
}

/** Resolves at the first signal to stop; a second one ends the process at once. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    let stopping = false;
    const onSignal = (): void => {
      if (stopping) process.exit(exitCodes.failed);
      stopping = true;
      resolve();
    };
    process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  });
}
