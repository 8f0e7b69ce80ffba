import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { WherefromError } from '../base/errors.ts';
import { isObject } from '../base/json.ts';
import { loadLater } from '../protocols/load-later.ts';

const yaml = loadLater<typeof import('yaml')>('yaml');

/** `/a/b` without a trailing slash; empty for the root. */
const basePathSchema = z
  .string()
  .transform((path) => path.replace(/\/+$/, ''))
  .refine(
    (path) => path === '' || /^\/[A-Za-z0-9/_.~-]+$/.test(path),
    'begins with / and holds no spaces, for example /lineage',
  );

const listSchema = z.union([
  z.array(z.string()),
  z.string().transform((text) =>
    text
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== ''),
  ),
]);

/** An address without a slash at its end; empty when there is none. */
const urlSchema = z
  .string()
  .transform((url) => url.replace(/\/+$/, ''))
  .refine(
    (url) => url === '' || (/^https?:\/\//.test(url) && URL.canParse(url)),
    'is a URL, for example https://lineage.example.com',
  )
  // A key in a URL would be shown with it.
  .refine((url) => !/^https?:\/\/[^/]*@/.test(url), 'holds no user name or password');

/** Everything that can be configured. Order: flags, WHEREFROM_* variables, the YAML file, defaults. */
const configSchema = z.strictObject({
  host: z
    .string()
    .default('127.0.0.1')
    .describe('Address to listen on; beyond loopback only with an API key.'),
  port: z.coerce
    .number()
    .int()
    .min(0)
    .max(65_535)
    .default(4747)
    .describe('Port to listen on; 0 takes a free one.'),
  data: z.string().default('./wherefrom-data').describe('Data directory.'),
  basePath: basePathSchema.default('').describe('Path prefix behind a reverse proxy.'),
  allowedHosts: listSchema.default([]).describe('Further Host names that requests may carry.'),
  allowedOrigins: listSchema
    .default([])
    .describe('Origins of pages in a browser that may call the API.'),
  webhookAllow: listSchema
    .default([])
    .describe('Hosts of your own network that webhooks may call, also by http.'),
  publicUrl: urlSchema
    .default('')
    .describe('Where clients reach the server, with its path; empty: as their requests say.'),
  artifacts: z
    .string()
    .refine(
      (place) =>
        !/^[a-z][a-z0-9+.-]*:\/\//i.test(place) || /^s3:\/\/[^/?#@\s]+(\/[^?#]*)?$/.test(place),
      'is s3://BUCKET/PREFIX, or a directory',
    )
    .default('')
    .describe('Where artifacts are kept: s3://BUCKET/PREFIX or a directory; empty: with the data.'),
  s3Endpoint: urlSchema
    .default('')
    .describe('URL of an S3-compatible server; empty: AWS. Keys come from the AWS settings.'),
  s3Region: z.string().default('').describe('Region of the bucket; empty: as AWS settings say.'),
  s3Addressing: z
    .enum(['auto', 'path', 'host'])
    .default('auto')
    .describe('Bucket in the path or in the host name; auto: path where s3Endpoint is set.'),
  s3DirectDownloads: z
    .union([z.boolean(), z.stringbool()])
    .default(false)
    .describe('Clients fetch artifacts from the bucket by signed links; they must reach it.'),
  jsonLog: z
    .union([z.boolean(), z.stringbool()])
    .default(false)
    .describe('Log every request as a line of JSON.'),
});

export type Config = z.infer<typeof configSchema>;
type Key = keyof Config;

const keys = Object.keys(configSchema.shape) as Key[];

/** What the process was told by its environment. The only place that reads it. */
export interface Environment {
  readonly config: Readonly<Record<string, string>>;
  readonly configFile: string | undefined;
  readonly apiKey: string | undefined;
  readonly data: string | undefined;
  readonly url: string | undefined;
  readonly noColor: boolean;
  /** How MLflow's clients are told to log in, for imports. */
  readonly mlflow?: {
    readonly username: string | undefined;
    readonly password: string | undefined;
    readonly token: string | undefined;
  };
}

export function readEnvironment(): Environment {
  const config: Record<string, string> = {};
  for (const key of keys) {
    const value = process.env[variableOf(key)];
    if (value !== undefined && value !== '') config[key] = value;
  }
  const text = (name: string): string | undefined => process.env[name] || undefined;
  // The name that all AWS tools know; ours goes before it.
  const region = config.s3Region ?? text('AWS_REGION') ?? text('AWS_DEFAULT_REGION');
  if (region !== undefined) config.s3Region = region;
  return {
    config,
    configFile: text('WHEREFROM_CONFIG'),
    apiKey: text('WHEREFROM_API_KEY'),
    data: config.data,
    url: text('WHEREFROM_URL'),
    noColor: (process.env.NO_COLOR ?? '') !== '',
    mlflow: {
      username: text('MLFLOW_TRACKING_USERNAME'),
      password: text('MLFLOW_TRACKING_PASSWORD'),
      token: text('MLFLOW_TRACKING_TOKEN'),
    },
  };
}

/** `basePath` is WHEREFROM_BASE_PATH. */
export function variableOf(key: string): string {
  return `WHEREFROM_${key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

/** A value of the configuration, and where it came from. */
export interface ConfigEntry {
  readonly key: Key;
  readonly value: unknown;
  readonly source: string;
  readonly description: string;
}

export interface LoadedConfig {
  readonly config: Config;
  readonly entries: readonly ConfigEntry[];
}

/**
 * Puts the configuration together.
 * @param flags what the command line said; undefined values count as not said.
 * @throws invalid_message naming the key, where it came from and the form it should have.
 */
export function loadConfig(
  flags: Readonly<Record<string, unknown>>,
  environment: Environment = readEnvironment(),
): LoadedConfig {
  const file = readConfigFile(environment.configFile);
  const merged: Record<string, unknown> = {};
  const sources = new Map<string, string>();
  const layers: [string, Readonly<Record<string, unknown>>][] = [
    [environment.configFile ?? 'file', file],
    ['environment', environment.config],
    ['flag', flags],
  ];
  for (const [source, layer] of layers) {
    for (const [key, value] of Object.entries(layer)) {
      if (value === undefined) continue;
      merged[key] = value;
      sources.set(key, source);
    }
  }
  const parsed = configSchema.safeParse(merged);
  if (!parsed.success) throw explain(parsed.error, sources, merged);
  const entries = keys.map((key) => ({
    key,
    value: parsed.data[key],
    source: sources.get(key) ?? 'default',
    description: configSchema.shape[key].description ?? '',
  }));
  return { config: parsed.data, entries };
}

function readConfigFile(path: string | undefined): Record<string, unknown> {
  if (path === undefined) return {};
  let value: unknown;
  try {
    value = yaml().parse(readFileSync(path, 'utf8')) ?? {};
  } catch (cause) {
    throw new WherefromError(
      'invalid_message',
      `The configuration file ${path} could not be read.`,
      {
        hint: cause instanceof Error ? cause.message : 'It is a YAML file.',
        cause,
      },
    );
  }
  if (!isObject(value))
    throw new WherefromError('invalid_message', `The configuration file ${path} holds no keys.`, {
      hint: 'Write lines as "port: 4747".',
    });
  return value;
}

function explain(
  error: z.ZodError,
  sources: ReadonlyMap<string, string>,
  merged: Readonly<Record<string, unknown>>,
): WherefromError {
  const issue = error.issues[0];
  if (issue?.code === 'unrecognized_keys') {
    const key = issue.keys[0] ?? '';
    return new WherefromError(
      'invalid_message',
      `There is no setting "${key}" (${sources.get(key) ?? 'file'}).`,
      { hint: `Settings are: ${keys.join(', ')}.` },
    );
  }
  const key = String(issue?.path[0] ?? '');
  return new WherefromError(
    'invalid_message',
    `The setting "${key}" (${sources.get(key) ?? 'default'}) is ${shown(merged[key])}: ${issue?.message ?? 'not valid'}.`,
    {
      hint: keys.includes(key as Key)
        ? (configSchema.shape[key as Key].description ?? '')
        : 'See "wherefrom config".',
    },
  );
}

/** A value that was refused, as text; what stands where URLs have keys is not repeated. */
const shown = (value: unknown): string =>
  (JSON.stringify(value) ?? 'nothing').replace(/\/\/[^/@\s"]*@/g, '//…@');
