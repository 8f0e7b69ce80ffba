import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { ImportReport, ImportTarget, MlflowSource } from '../protocols/mlflow/import/tool.ts';
import { type ExitCode, exitCodes, type Io, UsageError } from './io.ts';
import { readConfig } from './read-config.ts';
import { createImportProgress, renderImport } from './render-import.ts';
import { defaultUrl } from './source.ts';
import { defineVerb, jsonArg } from './verb.ts';

/** `wherefrom import mlflow SOURCE`: brings a whole MLflow server or database over. */
export const verb = defineVerb({
  name: 'import',
  summary: 'Bring a whole MLflow server or database over, with its ids, times and histories.',
  examples: [
    'wherefrom import mlflow sqlite:///mlflow.db                    # into the server that runs here',
    'wherefrom import mlflow sqlite:////srv/mlflow.db --data DIR    # without a server',
    'wherefrom import mlflow http://mlflow:5000 --to http://lineage:4747 --key KEY',
    'wherefrom import mlflow sqlite:///mlflow.db                    # again: goes on, brings what is new',
  ],
  args: {
    kind: { type: 'positional', required: true, description: 'mlflow.' },
    source: {
      type: 'positional',
      required: true,
      description: 'sqlite:///PATH of a database, or the URL of a server.',
    },
    to: {
      type: 'string',
      description: 'Server to import into; WHEREFROM_URL, else http://127.0.0.1:4747.',
    },
    key: { type: 'string', description: 'API key of the role admin; WHEREFROM_API_KEY.' },
    data: { type: 'string', description: 'Import into this data directory, without a server.' },
    artifacts: {
      type: 'string',
      description:
        'Directory or server URL behind mlflow-artifacts: locations; ./mlartifacts, or the server itself.',
    },
    'skip-artifacts': { type: 'boolean', description: 'Leave all files where they are.' },
    'from-workspace': {
      type: 'string',
      description: 'Workspace of MLflow to read.',
      default: 'default',
    },
    ...jsonArg,
  },
  async run(args, io) {
    if (args.kind !== 'mlflow')
      throw new UsageError(`"${args.kind}" cannot be imported.`, 'Only mlflow can.');
    if (args.data !== undefined && args.to !== undefined)
      throw new UsageError('Give either --to or --data, not both.');
    const { runImport } = await import('../protocols/mlflow/import/tool.ts');
    const { source, base } = await openSource(args, io);
    const started = performance.now();
    const progress = createImportProgress(io, args.json === true);
    try {
      const report = await withTarget(args, io, (target) =>
        runImport({
          ...{ source, target, base },
          files: args['skip-artifacts'] !== true,
          progress: progress.told,
        }),
      );
      progress.end();
      const seconds = (performance.now() - started) / 1_000;
      renderImport(report, { io, json: args.json === true, seconds });
      return exitCodeOf(report);
    } finally {
      progress.end();
      source.close();
    }
  },
});

/** What should have come and did not makes it fail; what is left by its kind does not. */
const exitCodeOf = ({ troubleCount }: ImportReport): ExitCode =>
  troubleCount > 0 ? exitCodes.failed : exitCodes.done;

interface SourceArgs {
  readonly source: string;
  readonly artifacts?: string | undefined;
  readonly 'from-workspace': string;
}

const isUrl = (text: string): boolean => /^https?:\/\//i.test(text);

/** The source that was named, and where its relative paths begin. */
async function openSource(
  args: SourceArgs,
  io: Io,
): Promise<{ readonly source: MlflowSource; readonly base: string }> {
  const { openSqliteSource, openRestSource, proxiedDirectory, proxiedUrl } = await import(
    '../protocols/mlflow/import/tool.ts'
  );
  const login = io.environment.mlflow;
  const { source: named, artifacts } = args;
  const proxied =
    artifacts === undefined
      ? undefined
      : isUrl(artifacts)
        ? proxiedUrl({ url: artifacts, ...login })
        : proxiedDirectory(artifacts);
  const workspace = args['from-workspace'];
  if (isUrl(named)) {
    const source = await openRestSource({
      ...{ url: named, ...login, proxied },
      workspace: workspace === 'default' ? undefined : workspace,
    });
    return { source, base: process.cwd() };
  }
  const path = resolve(databasePath(named));
  const base = dirname(path);
  const beside = [join(base, 'mlartifacts'), resolve('mlartifacts')].find((each) =>
    existsSync(each),
  );
  const files = proxied ?? (beside === undefined ? undefined : proxiedDirectory(beside));
  return { source: openSqliteSource({ path, workspace, proxied: files }), base };
}

/** The file of `sqlite:///PATH`, as SQLAlchemy reads it: a fourth slash begins an absolute path. */
function databasePath(source: string): string {
  const path = /^sqlite:\/\/\/([^?]+)/.exec(source)?.[1];
  if (path !== undefined) return path;
  if (!/^[a-z][\w+.-]*:/i.test(source) && existsSync(source)) return source;
  throw new UsageError(
    `"${source}" is no source that can be read.`,
    'Give sqlite:///PATH, or the URL of a running "mlflow server", which reads every other store.',
  );
}

interface TargetArgs {
  readonly to?: string | undefined;
  readonly key?: string | undefined;
  readonly data?: string | undefined;
}

/** Through a server, or with --data through a door of our own: there is one writer either way. */
async function withTarget<T>(
  args: TargetArgs,
  io: Io,
  work: (target: ImportTarget) => Promise<T>,
): Promise<T> {
  const { createImportTarget, createRemoteTarget } = await import(
    '../protocols/mlflow/import/tool.ts'
  );
  if (args.data === undefined) {
    const url = args.to ?? io.environment.url ?? defaultUrl;
    return work(createRemoteTarget({ url, key: args.key ?? io.environment.apiKey }));
  }
  const { compose } = await import('../server/compose.ts');
  const { config } = readConfig({ data: args.data, host: '127.0.0.1' }, io);
  const composed = await compose(config);
  try {
    const { services } = composed;
    return await work(createImportTarget(services, { principal: 'local', workspace: 'default' }));
  } finally {
    await composed.close();
  }
}
