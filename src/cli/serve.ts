import { resolve } from 'node:path';
import type { Config } from '../server/config.ts';
import type { RunningServer } from '../server/index.ts';
import { packageVersion } from '../server/package-info.ts';
import { artifactArgs, artifactFlags } from './artifact-args.ts';
import { exitCodes, type Io } from './io.ts';
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
    'wherefrom serve --artifacts s3://bucket/prefix   # keys as for all AWS tools',
    'MLFLOW_TRACKING_URI=http://127.0.0.1:4747 python train.py  # then point tools at it',
  ],
  args: {
    host: { type: 'string', description: 'Address to listen on; 127.0.0.1.' },
    port: { type: 'string', description: 'Port to listen on; 4747. 0 takes a free one.' },
    data: { type: 'string', description: 'Data directory; ./wherefrom-data.' },
    'base-path': { type: 'string', description: 'Path prefix behind a reverse proxy.' },
    'allowed-hosts': { type: 'string', description: 'Further Host names, separated by commas.' },
    'allowed-origins': { type: 'string', description: 'Origins of pages that may call the API.' },
    'webhook-allow': {
      type: 'string',
      description:
        'A host of your own network that webhooks may call, also by http; can be given several times.',
    },
    'public-url': { type: 'string', description: 'Where clients reach the server, with its path.' },
    ...artifactArgs,
    'json-log': { type: 'boolean', description: 'Log every request as a line of JSON.' },
    ...jsonArg,
  },
  repeatable: ['webhook-allow'],
  async run(args, io) {
    const flags = {
      host: args.host,
      port: args.port,
      data: args.data,
      basePath: args['base-path'],
      allowedHosts: args['allowed-hosts'],
      allowedOrigins: args['allowed-origins'],
      webhookAllow: args['webhook-allow'],
      publicUrl: args['public-url'],
      ...artifactFlags(args),
      jsonLog: args['json-log'],
    };
    const { config } = readConfig(flags, io);
    const { startServer } = await import('../server/index.ts');
    const server = await startServer(config);
    if (args.json) io.out(JSON.stringify({ url: server.url, pid: process.pid, data: config.data }));
    else io.out(greeting(server, config, io).join('\n'));
    // The server itself listens to the signals that stop it.
    await server.closed;
    if (!args.json) io.err('Stopped. Nothing that was answered is lost.');
    return exitCodes.done;
  },
});

/** What somebody who starts it wants to know: where it is, where its data is, who may use it. */
function greeting({ url, composed }: RunningServer, config: Config, io: Io): string[] {
  const { data, artifacts } = config;
  const { bold, dim } = createStyle(io.color);
  const open = composed.authentication === 'none';
  const who = open
    ? 'no API key: loopback only, everybody on this machine'
    : 'whoever has an API key (wherefrom key list)';
  const token = (variable: string): string => (open ? '' : dim(`  and ${variable}=<API key>`));
  return [
    `Wherefrom ${packageVersion()} listens at ${bold(url)}`,
    `  Data         ${resolve(data)}`,
    ...(artifacts === '' ? [] : [`  Artifacts    ${artifacts}`]),
    `  Who may use  ${who}`,
    'Point your tools at it:',
    `  MLflow       MLFLOW_TRACKING_URI=${url}${token('MLFLOW_TRACKING_TOKEN')}`,
    `  OpenLineage  OPENLINEAGE_URL=${asBase(url, config)}${token('OPENLINEAGE_API_KEY')}`,
    `How to send predictions and ask: ${url}/api/wherefrom/v1/docs`,
    'Ctrl-C stops.',
  ];
}

/**
 * The address as OpenLineage's clients need it. They join their path to it as relative URLs are
 * joined: without a slash at its end the last part of the prefix would be replaced.
 */
function asBase(url: string, { basePath }: Config): string {
  return basePath === '' ? url : `${url}/`;
}
